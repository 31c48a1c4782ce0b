"""What a copy of the project needs to run studies."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
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
