"""From a config to a plan: every artefact as a typed job under a readable, stable id.

An id is a name plus 8 hex digits of the canonical form of all that the artefact follows from. A
changed config therefore names new artefacts beside the old ones: nothing stale can be served, going
back costs nothing, and studies share what they have in common. Planning imports no torch and no
pandas.
"""

from collections.abc import Callable
from pathlib import Path

from ..config.prompts import read_head, texts_of
from ..config.training_runs import finetune_specs
from ..datasets import sources
from ..datasets.classes import MADE_OF, class_names, class_texts, count, resolved
from ..datasets.decoding.transparent import alpha_lines
from ..runtime.digest import plain
from ..tables.published_models import read_cloud
from .data_roles import (
    answer_classes,
    check_counts,
    check_parts,
    class_notes,
    held_out_note,
    parts,
    summary,
    used,
)
from .model_jobs import ModelJob
from .plan import Plan
from .pretrained import checked, model_plan
from .prompt_notes import prompt_notes
from .run_lines import other_lines, run_lines
from .study_builder import StudyBuilder
from .study_outputs import study_jobs

Locate = Callable[[str], Path]


@sources.remembering()
def build(config: dict, locate: Locate) -> Plan:
    """Plan the study.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Raises:
        StockpotError: A file is missing or broken, or data sets do not fit together.
    """
    asked_for = config
    model = model_plan(config, locate)
    config = resolved(config)
    cloud = _cloud(config, locate)
    heads = _heads(config, locate)
    facts = _facts(config, locate)
    check_parts(config, locate)
    check_counts(config, locate)
    plan = Plan(config=asked_for, model=model, cloud=cloud)
    plan.summary = _summary(model, config, heads, locate)
    plan.class_notes = class_notes(config, locate)
    plan.held_out_note = held_out_note(config)
    if plan.held_out_note:
        plan.summary.append(plan.held_out_note)
    answers_among = answer_classes(config, locate)
    plan.counts = {
        name: count(config["datasets"], name, locate) for name in sorted(used(config))
    }
    plan.sizes = _shown_sizes(plan.counts, config["data"])
    for seed in config["seeds"]:
        StudyBuilder(plan, config, locate, facts, answers_among, seed).add_study(heads)
    plan.study_jobs = study_jobs(plan)
    return plan


def _heads(config: dict, locate: Locate) -> dict[str, dict]:
    """Task -> the prompts and names of its classes; the study's own under ""."""
    heads = {"": read_head("head", config["head"], locate)}
    for name, task in config["tasks"].items():
        heads[name] = read_head(f"tasks.{name}", task, locate)
    return heads


def _summary(
    model: ModelJob, config: dict, heads: dict[str, dict], locate: Locate
) -> list[str]:
    """What a user reads before the work begins: data sets, runs, prompts, transparent images."""
    lines = summary(config, locate) + run_lines(config) + other_lines(config)
    lines += _prompt_notes(model, config, heads, locate)
    return lines + alpha_lines(config["datasets"], used(config), locate)


def _shown_sizes(counts: dict[str, int], data: dict) -> dict[str, int]:
    """Images of the data sets that figures show."""
    shown = (data["reference"], *data["shifts"], data["held_out"])
    return {name: counts[name] for name in shown}


def _prompt_notes(
    model: ModelJob, config: dict, heads: dict[str, dict], locate: Locate
) -> list[str]:
    """What prompts and class names of the study and its tasks will not do."""
    if not model.has_text:
        return []
    notes = []
    datasets = config["datasets"]
    for name, head in heads.items():
        train = (config["tasks"][name] if name else config["data"])["train"]
        names = class_names(datasets, train, locate)
        texts = texts_of(names, class_texts(datasets, train, locate), head)
        notes += prompt_notes(model, head, texts)
    return notes


def _facts(config: dict, locate: Locate) -> dict[str, dict]:
    """What the source of every data set in use knows of its files, asked once."""
    wanted = [name for part in parts(config) for name in part.values()]
    found = {}
    while wanted:
        name = wanted.pop()
        entry = config["datasets"][name]
        if entry["source"] in MADE_OF:
            wanted.append(entry[MADE_OF[entry["source"]]])
        elif name not in found:
            key = f"datasets.{name}"
            sources.check_background(entry, key)
            of_files = sources.ask("facts", entry, locate, key)
            found[name] = {**of_files, **sources.split_facts(entry, locate, key)}
    return found


def _cloud(config: dict, locate: Locate) -> dict:
    """The table of published models: where it is, what it holds, how to read it."""
    given = config["standard"].get("table")
    if not given:
        return {}
    path = locate(given["path"])
    sha256 = checked(path, "standard.table.path")
    data, runs = config["data"], finetune_specs(config)
    taken = ["zero-shot", *runs, *config["soups"]]
    read_cloud(path, given, data["reference"], data["shifts"], taken)
    return plain({**given, "path": str(path), "sha256": sha256})
