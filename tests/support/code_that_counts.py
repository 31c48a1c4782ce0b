"""Which files count in the code of each kind of job, kept in code_that_counts.yaml.

A file that is listed there makes results again when its code changes, so the lists should be short.
After a change that is meant, write them anew: python tests/support/code_that_counts.py
"""

import sys
from pathlib import Path

import yaml

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
FILE = Path(__file__).with_suffix(".yaml")
EVERY = "each"  # what all plug-ins of a stage share

# Stage -> its script, and the folder of the plug-ins of which it loads one by its name.
STAGES = {
    "prepare_dataset": "datasets/sources",
    "finetune": "training/variants",
    "soup": "merging/methods",
    "merge": "merging/methods",
    "mixes": "analyses",
    "analysis": "analyses",
    "figure": "figures",
    "export": "models/formats",
}
SCRIPTS_ALONE = (
    "fetch_dataset",
    "filter_dataset",
    "corrupt_dataset",
    "overlap",
    "import_model",
    "pretrain",
    "adopt_checkpoint",
    "zero_shot",
    "evaluate",
    "geometry",
    "main_table",
    "summary",
    "samples",
    "page",
    "explore",
)


def plugins(stage: str) -> list[str]:
    """Names of the plug-ins that a stage runs."""
    from stockpot import analyses
    from stockpot.merging import methods
    from stockpot.runtime import registry

    package = SCRIPTS / "stockpot" / STAGES[stage] / "__init__.py"
    names = registry.names(str(package))
    if stage in ("soup", "merge"):
        return [
            n for n in names if (methods.mixes(n) == "weights") == (stage == "merge")
        ]
    return [n for n in names if stage != "mixes" or analyses.evaluates(n)]


def module(folder: str, name: str) -> str:
    return f"stockpot/{folder}/{name.replace('-', '_')}.py"


def entries() -> dict[tuple[str, str], list[str]]:
    """(stage, plug-in) -> the rules' own entries: a script, and the plug-in it loads by name."""
    found = {(script, ""): [f"{script}.py"] for script in SCRIPTS_ALONE}
    found["stored predictions", ""] = ["stockpot/evaluation/evaluator.py"]
    for stage, folder in STAGES.items():
        for name in plugins(stage):
            found[stage, name] = [f"{stage}.py", module(folder, name)]
    return found


def counting() -> dict[str, list[str] | dict[str, list[str]]]:
    """Stage -> files; of a stage with plug-ins those that all share, then more by plug-in."""
    from stockpot.runtime.code_digest import modules_that_count

    by_stage: dict[str, dict[str, list[str]]] = {}
    for (stage, name), given in entries().items():
        by_stage.setdefault(stage, {})[name] = modules_that_count(*given)
    described = {}
    for stage, by_plugin in sorted(by_stage.items()):
        if stage not in STAGES:
            described[stage] = by_plugin[""]
            continue
        shared = set.intersection(*map(set, by_plugin.values()))
        described[stage] = {EVERY: sorted(shared)}
        for name, files in by_plugin.items():
            described[stage][name] = [file for file in files if file not in shared]
    return described


if __name__ == "__main__":
    sys.path.insert(0, str(SCRIPTS))
    FILE.write_text(yaml.safe_dump(counting(), sort_keys=False, width=100))
