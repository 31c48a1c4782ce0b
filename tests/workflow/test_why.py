"""Why jobs run: ``stockpot why`` and ``snakemake -n`` say the same, and what was changed.

The micro study runs once; each kind of change is asked about on a copy.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workflow import Workflow, write_images


def stockpot_why(study: Workflow, *arguments: str) -> list[str]:
    """The lines of ``stockpot why`` by the library of the copy."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "stockpot.cli",
            "why",
            *arguments,
            "--configfile",
            "study.yaml",
        ],
        cwd=study.folder,
        env={
            **study.environment(),
            "PYTHONPATH": str(study.folder / "workflow_scripts"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def dry_run(study: Workflow) -> tuple[int, list[str]]:
    """How many jobs ``snakemake -n`` would run, and what it says changed."""
    done = study.snakemake("-n", "--cores", "2")
    text = done.stdout + done.stderr
    assert "check individual jobs" not in text
    totals = re.findall(r"^total +(\d+)$", text, re.M)
    _, _, told = text.partition("What changed:\n")
    lines = [line[4:] for line in told.splitlines() if line.startswith("    ")]
    return int(totals[-1]) - 1 if totals else 0, lines


def assert_both_say(study: Workflow, *expected: str) -> list[str]:
    """Both commands name the same jobs and changes, among them those that are expected."""
    head, *rest = stockpot_why(study)
    said = [line[4:] for line in rest[: rest.index("") if "" in rest else None]]
    count, lines = dry_run(study)
    assert (int(head.split()[0].replace("No", "0")), said) == (count, lines)
    for line in expected:
        assert any(re.fullmatch(line, found) for found in said), said
    return said


def edit_code(study: Workflow, module: str, old: str, new: str) -> None:
    path = study.folder / "workflow_scripts/stockpot" / module
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def change_a_hyperparameter(study: Workflow) -> None:
    study.edit(lambda c: c["finetune"]["runs"]["base"].update(lr=3.0e-4))


def add_an_alpha(study: Workflow) -> None:
    study.edit(lambda c: c["sweep"].update(alphas=[0.0, 0.25, 0.5, 1.0]))


def add_a_run(study: Workflow) -> None:
    study.edit(lambda c: c["finetune"]["runs"].update(second={"lr": 4.0e-4}))


def remove_a_shift(study: Workflow) -> None:
    study.edit(lambda c: c["data"].update(shifts=["v2", "adversarial"]))


def change_an_option_of_a_figure(study: Workflow) -> None:
    study.edit(lambda c: c.update(figures={**c["figures"], "alpha": {"columns": 2}}))


def change_the_confidence(study: Workflow) -> None:
    study.edit(lambda c: c.update(statistics={"confidence": 0.9}))


def change_the_code(study: Workflow) -> None:
    edit_code(
        study,
        "tables/main_table.py",
        '"kind", lambda row: row.kind',
        '"type", lambda row: row.kind',
    )


def change_the_training(study: Workflow) -> None:
    edit_code(study, "training/loop.py", "clip_grad_norm_", "clip_grad_value_")


def reword_a_message(study: Workflow) -> None:
    edit_code(
        study,
        "training/launch.py",
        "training in %d processes",
        "training by %d processes",
    )


def delete_an_output(study: Workflow) -> None:
    (study.results / "studies/micro/seed0/main_table.md").unlink()


def delete_weights(study: Workflow) -> None:
    for path in study.results.glob("classifiers/base-*/classifier.safetensors"):
        path.unlink()


def touch_an_image(study: Workflow) -> None:
    image = min((study.folder / "own").rglob("*.png"))
    os.utime(image)


def change_the_images(study: Workflow) -> None:
    write_images(study.folder / "own", seed=8)


CHANGES = [
    (
        change_a_hyperparameter,
        [r"finetune base: lr 2\.0e-4 -> 3\.0e-4", r"\d+ jobs follow: .*"],
    ),
    (add_an_alpha, [r"sweep .*: alphas \+ 0\.25", r".*follow.*: main_table, .*"]),
    (
        add_a_run,
        [r"finetune second: new", r"soup .*: .*second.*|\d+ jobs follow: soup .*"],
    ),
    (
        remove_a_shift,
        [
            r"evaluate .*: tests - own",
            r"main_table micro/seed0: roles\.own shift is gone",
        ],
    ),
    (
        change_an_option_of_a_figure,
        [r"figure alpha of micro/seed0: .*option columns 4 -> 2.*"],
    ),
    (change_the_confidence, [r"main_table micro/seed0: confidence 0\.95 -> 0\.9"]),
    (
        change_the_code,
        [r"main_table micro/seed0: .*tables/main_table\.py changed \(function.*"],
    ),
    (change_the_training, [r"finetune x7: training/loop\.py changed.*"]),
    (reword_a_message, []),
    (delete_an_output, [r"main_table micro/seed0: main_table\.md is missing"]),
    (delete_weights, []),
    (touch_an_image, []),
    (change_the_images, [r"prepare_dataset own: files changed"]),
]
NOTHING = (reword_a_message, delete_weights, touch_an_image)


@pytest.mark.parametrize(
    ("change", "expected"), CHANGES, ids=[c.__name__ for c, _ in CHANGES]
)
def test_both_say_what_changed(change, expected, study):
    change(study)
    said = assert_both_say(study, *expected)
    assert bool(said) == (change not in NOTHING)


def test_after_a_run_its_reasons_can_be_asked_for(study):
    """Of all jobs, of one of them, and of one that only follows."""
    change_an_option_of_a_figure(study)
    study.run()
    assert_both_say(study)
    told = stockpot_why(study)
    assert told[0] == "No jobs would run"
    assert "were due in the run of 2" in told[2]
    figure = "    figure alpha of micro/seed0: option columns 4 -> 2"
    assert figure in told
    assert figure in stockpot_why(study, "alpha")
    assert stockpot_why(study, "base") == ["base: nothing would run"]


def test_every_file_of_a_rule_is_known_to_the_plan(study):
    """The patterns of outputs that the rules have are those that the plan compares."""
    code = (
        "import json, sys; from pathlib import Path;"
        "from stockpot.config.read import read_study; from stockpot.config.paths import CHECKOUT;"
        "from stockpot.planning.from_files import plan_study;"
        "from stockpot.planning.job_files import jobs_with_files;"
        "plan = plan_study(read_study(CHECKOUT, [Path('study.yaml')], {}));"
        "print(json.dumps([path for job in jobs_with_files(plan) for path in job.outputs]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=study.folder,
        env={
            **study.environment(),
            "PYTHONPATH": str(study.folder / "workflow_scripts"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    import json

    planned = set(json.loads(done.stdout.splitlines()[-1]))
    summary = study.snakemake("--summary", "--cores", "1").stdout.splitlines()
    rows = [line.split("\t") for line in summary]
    column = next(i for i, row in enumerate(rows) if row[0] == "output_file")
    made = {row[0] for row in rows[column + 1 :] if Path(study.folder, row[0]).exists()}
    assert made
    assert made <= planned
