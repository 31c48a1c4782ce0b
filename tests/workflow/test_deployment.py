"""The workflow is used from a clone, from another folder, and as a module of another workflow.

None of these needs the library to be installed.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workflow import copy_project, environment

STUDY = "study: deployed\n"
# What snakedeploy writes for a repository on GitHub.
DEPLOYED = """
from snakemake.utils import min_version

min_version("6.10.0")


configfile: "config/config.yaml"


module stockpot:
    snakefile:
        {snakefile}
    config:
        config


use rule * from stockpot
"""


def git(folder: Path, *arguments: str) -> None:
    """One command in a repository, whatever Git is set to on this machine."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A Git repository of the workflow, with the tag v1."""
    folder = tmp_path_factory.mktemp("repository") / "stockpot"
    copy_project(folder)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The workflow")
    git(folder, "tag", "v1")
    return folder


def snakemake(folder: Path, *arguments: str, **variables: str) -> str:
    """Run Snakemake in a folder, where the library is installed only if variables make it so."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def deploy(folder: Path, snakefile: str) -> None:
    """Write what snakedeploy writes, with a config."""
    (folder / "workflow").mkdir()
    (folder / "workflow/Snakefile").write_text(
        DEPLOYED.format(snakefile=snakefile), "utf-8"
    )
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(STUDY, "utf-8")


def assert_planned(shown: str) -> None:
    assert "Study deployed" in shown
    assert "finetune" in shown
    assert "This was a dry-run" in shown


def test_in_its_folder(repository):
    assert_planned(snakemake(repository, "-n", "--config", "study=deployed"))


def test_from_another_folder(repository, tmp_path):
    """A folder there that has the name of the library is not taken for it."""
    (tmp_path / "stockpot").mkdir()
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    snakefile = ["--snakefile", str(repository / "Snakefile")]
    assert_planned(snakemake(tmp_path, *snakefile, "-n", "--configfile", "study.yaml"))


def test_as_a_module_from_a_folder(repository, tmp_path):
    deploy(tmp_path, repr(str(repository / "Snakefile")))
    assert_planned(snakemake(tmp_path, "-n"))


def test_as_a_module_from_a_git_repository(repository, tmp_path):
    """A job runs as well; a later version takes the place of the first and keeps its dates."""
    deploy(tmp_path, repr(f"git+file://{repository}/Snakefile@v1"))
    assert_planned(snakemake(tmp_path, "-n"))
    assert "Building the zero-shot head" in snakemake(tmp_path, "--until", "zero_shot")
    (card,) = tmp_path.glob("results/classifiers/zero-shot-*/classifier.json")
    weights = (
        tmp_path / ".snakemake/stockpot/resources/mini_clip/open_clip_model.safetensors"
    )
    before = weights.stat().st_mtime_ns
    with open(repository / "rules/exports.smk", "a", encoding="utf-8") as rules:
        rules.write('\nprint("second version")\n')
    git(repository, "commit", "--quiet", "--all", "--message", "Second", "--no-edit")
    git(repository, "tag", "v2")
    text = (tmp_path / "workflow/Snakefile").read_text("utf-8")
    (tmp_path / "workflow/Snakefile").write_text(text.replace("@v1", "@v2"), "utf-8")
    shown = snakemake(tmp_path, "--until", "zero_shot")
    assert "second version" in shown
    assert "Building the zero-shot head" not in shown
    assert weights.stat().st_mtime_ns == before
    assert card.exists()
    git(repository, "reset", "--quiet", "--hard", "v1")


def test_as_snakedeploy_lays_it_out(repository, tmp_path):
    """The clone that Snakemake keeps of a repository on GitHub stands in for the network."""
    cache = tmp_path / "cache"
    clone = "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/someone/stockpot"
    git(repository, "clone", "--quiet", "--bare", str(repository), str(cache / clone))
    folder = tmp_path / "deployed"
    folder.mkdir()
    deploy(folder, 'github("someone/stockpot", path="Snakefile", tag="v1")')
    assert_planned(snakemake(folder, "-n", XDG_CACHE_HOME=str(cache)))


def test_another_library_that_is_installed_is_not_used(repository, tmp_path):
    other = tmp_path / "installed"
    (other / "stockpot").mkdir(parents=True)
    (other / "stockpot/__init__.py").write_text(
        "raise ImportError('the wrong one')\n", "utf-8"
    )
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    arguments = [
        "--snakefile",
        str(repository / "Snakefile"),
        "--configfile",
        "study.yaml",
    ]
    path = os.pathsep.join([str(other), os.environ.get("PYTHONPATH", "")])
    snakemake(tmp_path, "--until", "zero_shot", *arguments, PYTHONPATH=path)
    assert list(tmp_path.glob("results/classifiers/zero-shot-*/classifier.json"))
