"""The table of docs/guide/caching.md, a row a test: jobs per rule and cells computed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.support import damage_trials as damages
from tests.support.expected_cells import (
    SETS,
    SOUPS,
    SOUPS_EVALUATED,
    TABLES,
    assert_only_missing,
    renewed,
)


def touch_scripts(study):
    for path in (study.folder / "workflow_scripts").rglob("*.py"):
        path.touch()


def go_to_another_branch_and_back(study):
    def git(*arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(
            ["git", *identity, *arguments],
            cwd=study.folder,
            check=True,
            capture_output=True,
        )

    script = study.folder / "workflow_scripts" / "stockpot" / "training" / "loop.py"
    git("init", "-b", "main")
    git("add", "Snakefile", "rules", "schemas", "workflow_scripts", "config.yaml")
    git("commit", "-m", "one")
    git("checkout", "-b", "other")
    script.write_text(script.read_text().replace("clip_grad_norm_", "clip_grad_value_"))
    git("commit", "-am", "two")
    time.sleep(0.01)
    git("checkout", "main")


def touch_the_images(study):
    """Of a user's own data set; they have the content that they had."""
    for image in (study.folder / "own").rglob("*.png"):
        image.touch()


def write_a_comment(study):
    path = study.folder / "workflow_scripts" / "stockpot" / "training" / "loop.py"
    path.write_text(
        path.read_text().replace("import torch\n", "# a remark\nimport torch\n", 1)
    )


def edit_code(study, file, old, new):
    path = study.folder / "workflow_scripts" / "stockpot" / file
    text = path.read_text()
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new))


def reword_a_log_line(study):
    edit_code(study, "training/run.py", "it will enter no soup", "no soup takes it")


def reword_an_error(study):
    edit_code(
        study,
        "merging/checks.py",
        "raise StockpotError(",
        'raise StockpotError("Oh:", ',
    )


def annotate(study):
    edit_code(study, "training/schedule.py", "step: int", "step: 'int'")


def rename_a_module(study):
    folder = study.folder / "workflow_scripts/stockpot/training"
    (folder / "sam.py").rename(folder / "sharpness.py")
    edit_code(study, "training/loop.py", "from .sam import", "from .sharpness import")


def move_a_module(study):
    folder = study.folder / "workflow_scripts/stockpot"
    (folder / "training/augment.py").rename(folder / "datasets/augment.py")
    edit_code(
        study,
        "training/images.py",
        "from .augment import",
        "from ..datasets.augment import",
    )


def reorder_keys(study):
    import yaml

    def reversed_keys(value):
        if isinstance(value, dict):
            return {key: reversed_keys(value[key]) for key in reversed(value)}
        return value

    reordered = reversed_keys(study.config())
    (study.folder / "study.yaml").write_text(yaml.safe_dump(reordered, sort_keys=False))


@pytest.mark.parametrize(
    "edit",
    [
        lambda study: None,
        touch_scripts,
        go_to_another_branch_and_back,
        write_a_comment,
        reorder_keys,
        reword_a_log_line,
        reword_an_error,
        annotate,
        rename_a_module,
        move_a_module,
        touch_the_images,
    ],
    ids=[
        "nothing",
        "touch",
        "checkout",
        "comment",
        "key order",
        "log line",
        "error text",
        "annotation",
        "renamed module",
        "moved module",
        "touched images",
    ],
)
def test_nothing_reruns(study, edit):
    edit(study)
    assert study.run() == (Counter(), 0)


def test_swapped_hyperparameters_and_an_added_run_train_these_runs(study):
    """Values trade places, so that neither the keys nor the set of values change."""
    known = study.stored()
    base = study.config()["finetune"]["runs"]["base"]
    assert base == {"lr": 2.0e-4, "weight_decay": 1.0e-4}
    study.edit(
        lambda c: c["finetune"]["runs"].update(
            base={"lr": 1.0e-4, "weight_decay": 2.0e-4}
        )
    )
    study.edit(lambda c: c["finetune"]["search"].update(runs=2))
    jobs, cells = study.run()
    assert (
        jobs
        == Counter(finetune=2, evaluate=2, sweep=1) + SOUPS + SOUPS_EVALUATED + TABLES
    )
    changed = {"base", "base alpha=0.5", "search-01", "uniform", "ensemble"}
    assert renewed(study, known) == changed
    assert_only_missing(study, known, cells)


def test_a_removed_run_remakes_the_soups(study):
    study.edit(lambda c: c["finetune"]["search"].update(runs=0))
    jobs, cells = study.run()
    assert jobs == SOUPS + SOUPS_EVALUATED + TABLES
    # both soups of one model are that model; only its one-member ensemble is new
    assert cells == SETS


def test_an_added_alpha_computes_its_cells_and_going_back_none(study):
    known, before = study.stored(), study.tables()
    study.edit(lambda c: c["sweep"].update(alphas=[0.0, 0.25, 0.5, 1.0]))
    jobs, cells = study.run()
    assert jobs == Counter(sweep=3) + TABLES
    assert renewed(study, known) == {"base alpha=0.25", "linear alpha=0.25"}
    assert cells in (2 * SETS, 3 * SETS)  # the greedy soup may be the base model
    assert_only_missing(study, known, cells)
    study.edit(lambda c: c["sweep"].update(alphas=[0.0, 0.5, 1.0]))
    assert study.run() == (TABLES, 0)
    assert study.tables() == before


def test_an_added_shift_and_a_changed_file_compute_their_columns(study):
    recipes = len(study.cells()) // SETS
    sketch = {
        "source": "world",
        "task": "objects",
        "distribution": "sketch",
        "images": 64,
    }
    study.edit(
        lambda c: (
            c["data"]["shifts"].append("sketch"),
            c["datasets"].update(sketch=sketch),
        )
    )
    pictures = sorted((study.folder / "own").rglob("*.png"))
    pictures[0].write_bytes(pictures[1].read_bytes())
    jobs, cells = study.run()
    compared = Counter(overlap=1, compare=1)
    assert (
        jobs
        == compared
        + Counter(prepare_dataset=2, samples=1, evaluate=8, sweep=3)
        + TABLES
    )
    assert cells == 2 * recipes


def test_sets_that_share_images_stop_the_study_before_it_trains(study):
    """A second shift of the same images, and a run that would have to train."""
    shutil.copytree(study.folder / "own", study.folder / "again")
    study.edit(
        lambda c: (
            c["data"]["shifts"].append("again"),
            c["datasets"].update(again={"source": "folder", "path": "again"}),
            c["finetune"]["runs"].update(base={"lr": 1.0e-4, "weight_decay": 2.0e-4}),
        )
    )
    done = study.snakemake("--cores", "2", check=False)
    said = done.stdout + done.stderr
    assert done.returncode
    assert (
        "error: datasets.again: 32 of its 32 images are also in own (which has 32), as"
        in said
    )
    assert "two test sets of the same images count them twice" in said
    assert "(Rule: finetune)" not in said
    assert "(Rule: evaluate)" not in said


def test_what_a_failed_job_took_away_is_made_again(study):
    """Though what was made of it before is still there, and newer than all of its inputs."""
    before = study.tables()
    picture = next((study.folder / "own").rglob("*.png"))
    measure = study.folder / "workflow_scripts" / "main_table.py"
    for file, broken, error in (
        (measure, b"raise SystemExit(3)", "Error in rule main_table"),
        (
            picture,
            b"",
            f"error: own/{picture.parent.name}/{picture.name}: not a readable image",
        ),
    ):
        whole = file.read_bytes()
        file.write_bytes(broken)
        for _ in range(2):
            done = study.snakemake("--cores", "2", check=False)
            assert done.returncode
            assert error in done.stdout + done.stderr
        file.write_bytes(whole)
    jobs, cells = study.run()
    # The picture has a new date, and what it was: nothing follows from a date.
    assert (jobs["prepare_dataset"], jobs["main_table"], jobs["finetune"], cells) == (
        1,
        1,
        0,
        0,
    )
    assert study.tables() == before


def test_every_output_that_the_readme_names_is_made_again(study):
    before = study.tables()
    folder = study.results / "studies/micro/seed0"
    named = [
        folder / f"{table}.csv"
        for table in ("measurements", "robustness", "fits", "findings")
    ]
    named += [folder / "figures/samples.csv", folder.parent / "summary.html"]
    for file in named:
        content = file.read_bytes()
        file.unlink()
        done = study.snakemake("-n", "--quiet")
        assert "Nothing to be done" not in done.stdout + done.stderr, file.name
        if file is not named[-1]:
            file.write_bytes(content)
    study.run()
    assert study.tables() == before


def test_damage_is_healed_or_named_with_what_heals_it(finished, warm, tmp_path):
    """Three of the damages that tests/support/damage_trials.py makes in hundreds."""
    clean = warm(finished.copy(tmp_path / "clean"))
    damages.add_an_alpha(clean)
    clean.run()
    expected, found = damages.tables(clean), []
    for seed in (3, 5, 8):
        folder = tmp_path / str(seed)
        found.append(damages.trial(warm(finished), folder, expected, seed))
        shutil.rmtree(folder)
    assert [entry for entry in found if entry[1] in damages.FAULTS] == []


def test_changed_prompts_renew_the_heads_and_what_follows(study):
    (study.folder / "prompts.txt").write_text("a photo of a {}\n")
    study.edit(lambda c: c["head"].update(prompts="prompts.txt"))
    jobs, _ = study.run()
    assert jobs == (
        Counter(zero_shot=1, finetune=3, evaluate=4, sweep=2)
        + SOUPS
        + SOUPS_EVALUATED
        + TABLES
    )


def test_added_soups_compute_themselves(study):
    """One that is not linear writes a Classifier; its sweep shares its ends with what is there."""
    pair = {"method": "uniform", "ingredients": ["base", "linear"]}
    soups = {"pair": pair, "ties": {"method": "ties"}}
    study.edit(lambda c: c.setdefault("soups", {}).update(soups))
    study.edit(
        lambda c: c["sweep"].update(targets=["base", "linear", "greedy", "ties"])
    )
    jobs, cells = study.run()
    assert jobs == Counter(soup=1, merge=1, evaluate=2, sweep=1) + TABLES
    assert (
        cells == (1 + 2) * SETS
    )  # of ties alpha 0.5 and 1; alpha 0 is the zero-shot model
    (folder,) = study.results.glob("classifiers/ties-*")
    assert (folder / "classifier.safetensors").exists()


def test_the_confidence_level_redraws(study):
    study.edit(lambda c: c.update(statistics={"confidence": 0.9}))
    assert study.run() == (TABLES, 0)


def test_a_figures_style_redraws_that_figure(study):
    study.edit(lambda c: c.setdefault("figures", {}).update(alpha={"columns": 2}))
    assert study.run() == (Counter(figure=1), 0)


def test_code_of_one_merge_method_renews_its_soup(study):
    path = (
        study.folder
        / "workflow_scripts"
        / "stockpot"
        / "merging"
        / "methods"
        / "greedy.py"
    )
    text = path.read_text()
    assert "selected: list[str] = []" in text
    path.write_text(
        text.replace("selected: list[str] = []", "selected: list[str] = list()")
    )
    jobs, cells = study.run()
    assert jobs == Counter(soup=1, evaluate=1, sweep=1) + TABLES
    assert cells == 0


def test_code_of_one_figure_redraws_it(study):
    path = study.folder / "workflow_scripts" / "stockpot" / "figures" / "alpha.py"
    path.write_text(path.read_text() + "\nUNUSED = 1\n")
    assert study.run() == (Counter(figure=1), 0)  # all constants of a plug-in count


def test_code_that_figures_share_redraws_them_and_no_more(study):
    path = study.folder / "workflow_scripts/stockpot/drawing/style.py"
    path.write_text(path.read_text() + "\nprint()\n")
    jobs, cells = study.run()
    assert jobs["figure"] > 1
    assert cells == 0
    assert set(jobs) <= {"figure", "samples", "explore", "overview", "page", "summary"}


def change_training(study):
    edit_code(study, "training/schedule.py", "math.pi", "math.pi * 0.999")


def test_code_of_training_trains_again_and_keep_takes_what_there_is(study):
    change_training(study)
    study.edit(lambda c: c.update(keep=["finetune"]))
    weights = sorted(study.results.glob("classifiers/*/classifier.safetensors"))
    before = {path: path.stat().st_mtime_ns for path in weights}
    jobs, cells = study.run()
    assert cells == 0
    assert set(jobs) <= set(TABLES)
    assert {path: path.stat().st_mtime_ns for path in weights} == before
    table = (study.results / "studies/micro/seed0/main_table.md").read_text()
    kept = "Kept by the config, although the code of finetune has changed: "
    assert f"{kept}base, search-00, made by version" in table
    assert f"{kept}linear, made by version" in table
    # What has to be made for another reason says what made it, and is not made twice.
    study.edit(
        lambda c: c["finetune"]["runs"].update(
            base={"lr": 1.0e-4, "weight_decay": 2.0e-4}
        )
    )
    assert study.run()[0]["finetune"] == 1
    assert study.run() == (Counter(), 0)
    table = (study.results / "studies/micro/seed0/main_table.md").read_text()
    assert f"{kept}search-00, made by version" in table
    study.edit(lambda c: c.pop("keep"))
    jobs, _ = study.run()
    # All runs but the one that this code made; among the weights are those of the zero-shot model.
    assert jobs["finetune"] == len(weights) - 2 == 6
    table = (study.results / "studies/micro/seed0/main_table.md").read_text()
    assert "Kept by" not in table


def test_a_retraining_that_is_stopped_leaves_the_old_weights(study):
    from stockpot.models.load import load_classifier

    cards = sorted(study.results.glob("classifiers/*/classifier.json"))
    old = {card: json.loads(card.read_text())["sha256"] for card in cards}
    change_training(study)
    # A run waits at its start until it has the signal, however long that takes. One that starts
    # so late that the signal misses it waits no longer than until the signal was sent.
    waits = study.folder / "waits"
    sent = study.folder / "sent"
    line = "    with catch_stop_signals() as run.stop_request:\n"
    wait = f"""\
        import pathlib, time
        pathlib.Path({str(waits)!r}).touch()
        while not run.stop_request.signal and not pathlib.Path({str(sent)!r}).exists():
            time.sleep(0.1)
"""
    edit_code(study, "training/loop.py", line, line + wait)
    study.python = sys.executable  # whose jobs get the signal as well
    command = subprocess.Popen(
        study.command("--cores", "2"),
        cwd=study.folder,
        env=study.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    ends = time.monotonic() + 300
    while not waits.exists() and time.monotonic() < ends:
        time.sleep(0.1)
    os.killpg(command.pid, signal.SIGINT)
    sent.touch()
    command.wait(300)
    gone = [card for card in cards if not card.exists()]
    assert gone
    for card in gone:
        model, last = load_classifier(card.parent / "last")
        assert last.sha256 == old[card]
        assert not model.training


def test_a_renamed_folder_of_images_is_the_same_data(study):
    # A run notes where the files are; the study is a copy of one that ran elsewhere.
    (study.results / "studies/micro/summary.html").unlink()
    assert study.run() == (Counter(summary=1), 0)
    (study.folder / "own").rename(study.folder / "renamed")
    study.edit(lambda c: c["datasets"]["own"].update(path="renamed"))
    assert study.run() == (Counter(), 0)
    # It stays the same after that, and another file in it makes another data set.
    assert study.run() == (Counter(), 0)
    pictures = sorted((study.folder / "renamed").rglob("*.png"))
    pictures[0].write_bytes(pictures[1].read_bytes())
    jobs, _ = study.run()
    assert jobs["prepare_dataset"] == 1
    assert jobs["finetune"] == 0


def test_a_copy_of_a_folder_is_looked_at(study):
    """Another file with the same name, size and date may hold another image."""
    shutil.copytree(study.folder / "own", study.folder / "copied")
    study.edit(lambda c: c["datasets"]["own"].update(path="copied"))
    jobs, cells = study.run()
    assert jobs["prepare_dataset"] == 1
    assert jobs["finetune"] == 0
    assert cells == 0
