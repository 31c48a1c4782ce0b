"""Folders of the project, and what a copy of it needs to run studies."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow_scripts"
ARCHITECTURE = ROOT / "resources/mini_clip"
PROJECT = (
    "Snakefile",
    "config.yaml",
    "rules",
    "schemas",
    "report",
    "workflow_scripts",
    "profiles",
    "resources",
    "envs",
)


def files_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}
