"""Every command of README and first guides runs, and examples say what the program says."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.workflow import environment, write_images

PAGES = ("README.md", "docs/guide/own-data.md", "docs/guide/caching.md")
TEXT = "\n".join((ROOT / page).read_text() for page in PAGES)
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
BASH = "".join(block for language, block in BLOCKS if language == "bash")
COMMANDS = [line.split(" #")[0].strip() for line in BASH.splitlines()]
THIS_SUITE = "make test"
OTHER_STUDY = "--configfile"


def at_micro_scale(command: str, study) -> list[str]:
    """The command on the micro study; one that names another study is planned, not run."""
    words = shlex.split(command)
    if words[0] == "make":
        bin_folder = study.folder / ".venv" / "bin"
        if not bin_folder.exists():
            bin_folder.parent.mkdir()
            for part in ("bin", "lib", "pyvenv.cfg"):
                (bin_folder.parent / part).symlink_to(Path(sys.prefix) / part)
            for stamp in ("run.stamp", "dev.stamp"):
                (bin_folder.parent / stamp).touch()
        return [*words, "ARGS=--configfile study.yaml"]
    assert words[0] == "snakemake"
    words[:1] = [study.python, "-m", "snakemake"]
    return (
        [*words, "-n"]
        if OTHER_STUDY in words
        else [*words, "--configfile", "study.yaml"]
    )


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != THIS_SUITE])
def test_command_runs(command, study):
    for name in (
        "Makefile",
        "requirements.txt",
        "requirements-dev.txt",
        "constraints.txt",
        "pyproject.toml",
        "configs",
    ):
        subprocess.run(["cp", "-r", ROOT / name, study.folder], check=True)
    drawn = ("effective-robustness", "shifts", "alpha", "soups", "methods")
    if command == "make report":
        study.edit(
            lambda config: config.update(figures={figure: {} for figure in drawn})
        )
        study.run()
    done = subprocess.run(
        at_micro_scale(command, study),
        cwd=study.folder,
        env={**environment(), "PYTHONPATH": str(study.folder / "workflow_scripts")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if command == "make report":
        html = (study.results / "studies/micro/report.html").read_text()
        for figure in (*drawn, "samples"):
            assert f"figures/{figure}.png" in html
        assert "Clopper-Pearson" in html


def test_the_readme_names_this_suite():
    assert THIS_SUITE in COMMANDS


def test_messages_are_those_of_the_readme(study):
    examples = next(block for language, block in BLOCKS if language == "").splitlines()
    edits = {
        "finetune.runs.base.lr": lambda c: c["finetune"]["runs"].update(
            base={"lr": "1e-5"}
        ),
        "sweep.targets.0": lambda c: c["sweep"].update(targets=["bsae"]),
    }
    assert [line.split(":")[0] for line in examples] == list(edits)
    before = study.config()
    for line, edit in zip(examples, edits.values()):
        study.edit(lambda c, before=before: (c.clear(), c.update(before)))
        study.edit(edit)
        done = study.snakemake("-n", check=False)
        assert done.returncode != 0
        assert line in done.stdout + done.stderr


def example(start: str) -> dict:
    """The README's YAML block that begins with these words."""
    block = next(
        b for language, b in BLOCKS if language == "yaml" and b.startswith(start)
    )
    return yaml.safe_load(block)


def test_the_readmes_merges_can_be_planned(study):
    given = example("finetune:")
    study.edit(
        lambda config: (
            config["finetune"]["runs"].update(given["finetune"]["runs"]),
            config.setdefault("soups", {}).update(given["soups"]),
        )
    )
    planned = study.snakemake("-n").stdout
    assert "finetune_with_averages" in planned
    assert "Making learned-" in planned


def write_csv(path: Path, images: Path) -> None:
    """A CSV file that lists the images of a folder per class."""
    rows = [
        f"{file.relative_to(path.parent)},{file.parent.name}"
        for file in images.rglob("*.png")
    ]
    path.write_text("path,label\n" + "\n".join(sorted(rows)) + "\n")


def write_own_images(folder: Path) -> None:
    write_images(folder / "photos", per_class=10, seed=1)
    write_images(folder / "pictures", per_class=2, seed=2)
    write_csv(folder / "drawings.csv", folder / "pictures")
    shutil.copytree(folder / "resources/mini_clip", folder / "models/clip")


SMALL = {
    "model": {"name": "clip", "architecture": "models/clip"},
    "sweep": {"alphas": [0.0, 0.5, 1.0], "targets": ["base"]},
    "pages": [],
}


def test_own_data_by_the_readmes_config(study):
    """The README's config, on a smaller model, runs from image files to the figures."""
    config = example("study: mine")
    write_own_images(study.folder)
    runs = {"defaults": {"epochs": 1}, "runs": {"base": {}}}
    small = {"finetune": runs, "soups": {"greedy": {"method": "greedy"}}, **SMALL}
    # Of the analyses two, which look at a study in the most ways.
    every = yaml.safe_load((ROOT / "config.yaml").read_text())["analyses"]
    small["analyses"] = dict.fromkeys(set(every) - {"choosing-alpha"}) | {
        "diagnosis": {}
    }
    (study.folder / "study.yaml").write_text(yaml.safe_dump({**config, **small}))
    study.run()
    assert (
        study.results / "studies/mine/seed0/figures/effective-robustness.pdf"
    ).exists()
    overview = (study.results / "studies/mine/seed0/main_table.md").read_text()
    assert "| drawings |" in overview
    assert "greedy" in overview
    cards = map(
        json.loads,
        (p.read_text() for p in study.results.glob("datasets/*/dataset.json")),
    )
    sizes = {card["name"]: card["n"] for card in cards}
    names = ("photos-train", "photos-held-out", "photos", "drawings")
    assert [sizes[name] for name in names] == [16 * 7, 16, 16 * 2, 16 * 2]


def test_own_data_listed_in_a_csv_file(study):
    """All from one CSV file, without a soup: the checkpoint of another study takes part instead."""
    write_own_images(study.folder)
    write_csv(study.folder / "photos.csv", study.folder / "photos")
    (weights,) = study.results.glob("classifiers/search-00-*/classifier.safetensors")
    shutil.copy(weights, study.folder / "theirs.safetensors")
    config = example("study: mine")
    for name in ("photos-train", "photos-held-out", "photos"):
        config["datasets"][name] |= {"source": "csv", "path": "photos.csv"}
    small = {
        "finetune": None,
        "checkpoints": {"theirs": {"path": "theirs.safetensors"}},
        "soups": None,
        "exports": {"half": {"model": "theirs", "alpha": 0.5, "format": "open-clip"}},
        "analyses": None,
        "figures": dict.fromkeys(("alpha", "methods", "shifts", "soups")),
    }
    small = {
        **SMALL,
        **small,
        "sweep": {"alphas": [0.0, 0.5, 1.0], "targets": ["theirs"]},
    }
    (study.folder / "study.yaml").write_text(yaml.safe_dump({**config, **small}))
    jobs, _ = study.run()
    assert jobs["adopt_checkpoint"] == jobs["export_open_clip"] == 1
    assert not jobs["finetune"]
    trained = [p for p in study.results.glob("datasets/photos-train-*")]
    assert trained == [], "nothing trains, so no training image is decoded"
    folder = study.results / "studies/mine/seed0"
    assert "| theirs |" in (folder / "main_table.md").read_text()
    assert (folder / "exports/half/open_clip_model.safetensors").exists()
