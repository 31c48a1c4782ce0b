"""The README's table "What re-runs when", a row a test: jobs per rule and cells computed."""

import os
import subprocess
import time
from collections import Counter

import pytest

from .expected import SETS, SOUPS, SOUPS_EVALUATED, TABLES, assert_only_missing, renewed


def touch_scripts(study):
    for path in (study.folder / "workflow_scripts").rglob("*.py"):
        path.touch()


def go_to_another_branch_and_back(study):
    def git(*arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(
            ["git", *identity, *arguments], cwd=study.folder, check=True, capture_output=True
        )

    script = study.folder / "workflow_scripts" / "stockpot" / "training" / "loop.py"
    git("init", "-b", "main")
    git("add", "Snakefile", "rules", "workflow_scripts", "config.yaml")
    git("commit", "-m", "one")
    git("checkout", "-b", "other")
    script.write_text(script.read_text().replace("clip_grad_norm_", "clip_grad_value_"))
    git("commit", "-am", "two")
    time.sleep(0.01)
    git("checkout", "main")


def write_a_comment(study):
    path = study.folder / "workflow_scripts" / "stockpot" / "training" / "loop.py"
    path.write_text(path.read_text().replace("import torch\n", "# a remark\nimport torch\n", 1))


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
    ],
    ids=["nothing", "touch", "checkout", "comment", "key order"],
)
def test_nothing_reruns(study, edit):
    edit(study)
    assert study.run() == (Counter(), 0)


def test_swapped_hyperparameters_retrain_that_run(study):
    """Their values trade places, so that neither the keys nor the set of values change."""
    known = study.stored()
    base = study.config()["finetune"]["runs"]["base"]
    assert base == {"lr": 2.0e-4, "weight_decay": 1.0e-4}
    study.edit(lambda c: c["finetune"]["runs"].update(base={"lr": 1.0e-4, "weight_decay": 2.0e-4}))
    jobs, cells = study.run()
    assert jobs == Counter(finetune=1, evaluate=1, sweep=1) + SOUPS + SOUPS_EVALUATED + TABLES
    assert renewed(study, known) == {"base", "base alpha=0.5", "uniform", "ensemble"}
    assert_only_missing(study, known, cells)


def test_an_added_run_computes_itself_and_the_soups(study):
    known = study.stored()
    study.edit(lambda c: c["finetune"]["search"].update(runs=2))
    jobs, cells = study.run()
    assert jobs == Counter(finetune=1, evaluate=1) + SOUPS + SOUPS_EVALUATED + TABLES
    assert renewed(study, known) == {"search-01", "uniform", "ensemble"}
    assert_only_missing(study, known, cells)


def test_a_removed_run_remakes_the_soups(study):
    study.edit(lambda c: c["finetune"]["search"].update(runs=0))
    jobs, cells = study.run()
    assert jobs == SOUPS + SOUPS_EVALUATED + TABLES
    # both soups of one model are that model; only its one-member ensemble is new
    assert cells == SETS


def test_an_added_alpha_computes_its_cells(study):
    known = study.stored()
    study.edit(lambda c: c["sweep"].update(alphas=[0.0, 0.25, 0.5, 1.0]))
    jobs, cells = study.run()
    assert jobs == Counter(sweep=3) + TABLES
    assert renewed(study, known) == {"base alpha=0.25", "linear alpha=0.25"}
    assert cells in (2 * SETS, 3 * SETS)  # the greedy soup may be the base model
    assert_only_missing(study, known, cells)


def test_an_added_shift_computes_its_column(study):
    recipes = len(study.cells()) // SETS
    study.edit(
        lambda c: (
            c["data"]["shifts"].append("sketch"),
            c["datasets"].update(
                sketch={
                    "source": "world",
                    "task": "objects",
                    "distribution": "sketch",
                    "images": 64,
                }
            ),
        )
    )
    jobs, cells = study.run()
    assert jobs == Counter(prepare_dataset=1, overlap=1, samples=1, evaluate=8, sweep=3) + TABLES
    assert cells == recipes


def test_a_changed_file_renews_its_data_set(study):
    recipes = len(study.cells()) // SETS
    pictures = sorted((study.folder / "own").rglob("*.png"))
    pictures[0].write_bytes(pictures[1].read_bytes())
    jobs, cells = study.run()
    assert jobs == Counter(prepare_dataset=1, overlap=1, samples=1, evaluate=8, sweep=3) + TABLES
    assert cells == recipes


def test_a_touched_file_changes_no_result(study):
    before = study.tables()
    os.utime(next((study.folder / "own").rglob("*.png")))
    jobs, cells = study.run()
    assert jobs["prepare_dataset"] == 1
    assert jobs["finetune"] == 0
    assert cells == 0
    assert study.tables() == before


def test_changed_prompts_renew_the_heads_and_what_follows(study):
    (study.folder / "prompts.txt").write_text("a photo of a {}\n")
    study.edit(lambda c: c.update(head={"prompts": "prompts.txt"}))
    jobs, _ = study.run()
    assert jobs == (
        Counter(zero_shot=1, finetune=3, evaluate=4, sweep=2) + SOUPS + SOUPS_EVALUATED + TABLES
    )


def test_an_added_soup_computes_itself(study):
    pair = {"method": "uniform", "ingredients": ["base", "linear"]}
    study.edit(lambda c: c.setdefault("soups", {}).update(pair=pair))
    assert study.run() == (Counter(soup=1, evaluate=1) + TABLES, SETS)


def test_an_added_merge_that_is_not_linear_computes_itself(study):
    """It writes a Classifier; a sweep towards it shares its ends with what is there."""
    study.edit(lambda c: c.setdefault("soups", {}).update(ties={"method": "ties"}))
    study.edit(lambda c: c["sweep"].update(of=["base", "linear", "greedy", "ties"]))
    jobs, cells = study.run()
    assert jobs == Counter(merge=1, evaluate=1, sweep=1) + TABLES
    assert cells == 2 * SETS  # alpha 0.5 and 1; alpha 0 is the zero-shot model
    (folder,) = study.results.glob("classifiers/ties-*")
    assert (folder / "classifier.safetensors").exists()


def test_the_confidence_level_redraws(study):
    study.edit(lambda c: c.update(statistics={"confidence": 0.9}))
    assert study.run() == (TABLES, 0)


def test_a_figures_style_redraws_that_figure(study):
    study.edit(lambda c: c.setdefault("figures", {}).update(alpha={"columns": 2}))
    assert study.run() == (Counter(figure=1), 0)


def test_code_of_one_merge_method_renews_its_soup(study):
    path = study.folder / "workflow_scripts" / "stockpot" / "merging" / "methods" / "greedy.py"
    path.write_text(path.read_text().replace('"in" if accepted', '"yes" if accepted'))
    jobs, cells = study.run()
    assert jobs == Counter(soup=1, evaluate=1, sweep=1) + TABLES
    assert cells == 0


def test_code_of_one_figure_redraws_it(study):
    path = study.folder / "workflow_scripts" / "stockpot" / "figures" / "alpha.py"
    path.write_text(path.read_text() + "\nUNUSED = 1\n")
    assert study.run() == (Counter(figure=1), 0)


def test_going_back_costs_nothing(study):
    before = study.tables()
    study.edit(lambda c: c["sweep"].update(alphas=[0.0, 0.25, 0.5, 1.0]))
    study.run()
    study.edit(lambda c: c["sweep"].update(alphas=[0.0, 0.5, 1.0]))
    jobs, cells = study.run()
    assert jobs == TABLES
    assert cells == 0
    assert study.tables() == before
