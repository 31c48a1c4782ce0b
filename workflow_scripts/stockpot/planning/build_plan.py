"""From a config to a plan: every artefact as a typed job under a readable, stable id.

An id is a name plus 8 hex digits of the canonical form of all that the artefact follows from. A
changed config therefore names new artefacts beside the old ones: nothing stale can be served, going
back costs nothing, and studies share what they have in common. Planning imports no torch and no
pandas.
"""

from typing import Any

from ..config.training_runs import finetune_specs
from ..config.zero_shot_head import read_head, texts_of
from ..datasets import sources
from ..datasets.classes import (
    DERIVED_FROM,
    class_names,
    class_texts,
    count_images,
    with_default_sources,
)
from ..datasets.decoding.alpha_channel import alpha_lines
from ..runtime.digest import plain
from ..tables.published_models import read_published_models
from .data_roles import (
    answer_classes,
    check_counts,
    check_roles,
    class_notes,
    dataset_lines,
    datasets_by_role,
    held_out_note,
    used_datasets,
)
from .jobs import Config, Locate
from .model_jobs import ModelJob
from .plan import Plan
from .pretrained import checked_digest, model_plan
from .prompt_notes import prompt_notes
from .run_summary import other_lines, run_lines
from .study_builder import OWN_TASK, Heads, StudyBuilder
from .study_outputs import study_jobs


# Many data sets are splits of the same files. They are listed once while the plan is made.
@sources.cached_answers()
def build(config: Config, locate: Locate) -> Plan:
    """Plan the study.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Returns:
        The plan, with the jobs of all seeds.

    Raises:
        StockpotError: A file is missing or broken, or data sets do not fit together.
    """
    # The plan is saved with the config as it was given: other nodes compare it with theirs.
    original_config = config
    # What is wrong is found in this order, which decides the error that a user reads first.
    model = model_plan(config, locate)
    config = with_default_sources(config)
    published_models = _published_models(config, locate)
    heads = _read_heads(config, locate)
    facts = _source_facts(config, locate)
    check_roles(config, locate)
    check_counts(config, locate)
    plan = Plan(config=original_config, model=model, published_models=published_models)
    plan.summary = _summary(model, config, heads, locate)
    _add_notes_and_counts(plan, config, locate)
    answers_among = answer_classes(config, locate)
    # The studies of all seeds share one plan: what is the same for them has one id.
    for seed in config["seeds"]:
        builder = StudyBuilder(
            plan,
            config,
            locate,
            facts,
            answers_among,
            seed,
        )
        builder.add_study(heads)
    plan.study_jobs = study_jobs(plan)
    return plan


def _add_notes_and_counts(
    plan: Plan,
    config: Config,
    locate: Locate,
) -> None:
    """Add what tables and figures say of the data sets."""
    plan.class_notes = class_notes(config, locate)
    plan.held_out_note = held_out_note(config)
    if plan.held_out_note:
        plan.summary.append(plan.held_out_note)
    for name in sorted(used_datasets(config)):
        plan.counts[name] = count_images(config["datasets"], name, locate)
    plan.sizes = _shown_sizes(plan.counts, config["data"])


def _read_heads(
    config: Config,
    locate: Locate,
) -> Heads:
    """Task -> the prompts and names of its classes; the study's own under ``OWN_TASK``."""
    own_head = read_head("head", config["head"], locate)
    heads = {OWN_TASK: own_head}
    for name, task in config["tasks"].items():
        heads[name] = read_head(f"tasks.{name}", task, locate)
    return heads


def _summary(
    model: ModelJob,
    config: Config,
    heads: Heads,
    locate: Locate,
) -> list[str]:
    """What a user reads before the work begins: data sets, runs, prompts, transparent images."""
    lines = dataset_lines(config, locate)
    lines += run_lines(config)
    lines += other_lines(config)
    # Prompts are read with the vocabulary of the model, which is known by now.
    lines += _prompt_notes(model, config, heads, locate)
    lines += alpha_lines(
        config["datasets"],
        used_datasets(config),
        locate,
    )
    return lines


def _shown_sizes(
    counts: dict[str, int],
    data: dict[str, Any],
) -> dict[str, int]:
    """Images of the data sets that figures show."""
    names = [data["reference"], *data["shifts"], data["held_out"]]
    return {name: counts[name] for name in names}


def _prompt_notes(
    model: ModelJob,
    config: Config,
    heads: Heads,
    locate: Locate,
) -> list[str]:
    """What prompts and class names of the study and its tasks will not do."""
    if not model.has_text:
        return []
    notes = []
    datasets = config["datasets"]
    for task, head in heads.items():
        data = config["data"]
        if task != OWN_TASK:
            data = config["tasks"][task]
        train = data["train"]
        classes = class_names(datasets, train, locate)
        source_texts = class_texts(datasets, train, locate)
        texts = texts_of(classes, source_texts, head)
        notes += prompt_notes(model, head, texts)
    return notes


def _source_facts(
    config: Config,
    locate: Locate,
) -> dict[str, dict[str, Any]]:
    """What the source of every data set in use knows of its files, asked once."""
    waiting: list[str] = []
    for roles in datasets_by_role(config):
        waiting += roles.values()
    facts: dict[str, dict[str, Any]] = {}
    while waiting:
        name = waiting.pop()
        entry = config["datasets"][name]
        source = entry["source"]
        if source in DERIVED_FROM:
            # It has no files of its own: those of the set that it is made of count.
            waiting.append(entry[DERIVED_FROM[source]])
            continue
        if name in facts:
            continue
        key = f"datasets.{name}"
        # A colour that is unknown would be found only when the first image is decoded.
        sources.check_background(entry, key)
        file_facts = sources.ask_source("facts", entry, locate, key)
        split_facts = sources.split_facts(entry, locate, key)
        facts[name] = {**file_facts, **split_facts}
    return facts


def _published_models(
    config: Config,
    locate: Locate,
) -> dict[str, Any]:
    """The table of published models: where it is, what it holds, how to read it."""
    table = config["baselines"].get("table")
    if not table:
        return {}
    path = locate(table["path"])
    sha256 = checked_digest(path, "baselines.table.path")
    data = config["data"]
    # A published model may have no name that a model of the study has.
    taken_names = ["zero-shot", *finetune_specs(config), *config["soups"]]
    # The table is read only to find mistakes in it; jobs read it again.
    read_published_models(
        path,
        table,
        data["reference"],
        data["shifts"],
        taken_names,
    )
    return plain(
        {
            **table,
            "path": str(path),
            "sha256": sha256,
        }
    )
