"""Lead from a Snakefile to the plan that its rules use."""

import sys
from pathlib import Path
from typing import Any

from snakemake.logging import logger

from ..config.paths import CHECKOUT, exists
from ..config.read import StudyFiles, read_study
from ..planning.comparison_marker import restore_compared
from ..planning.plan import Plan
from ..planning.resources import Machine, check_gpus, resolve_gpus
from ..planning.saved_plan import load_plan
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.gpus import has_gpu
from .end_of_run import refuse
from .interpreter import quote_interpreter
from .rule_plan import RulePlan
from .why import print_changes_in_dry_runs

# A job on another node takes the plan of the run that submitted it, and looks at no data.
PLAN = Path("results/plan.json")


def start(
    workflow: Any,
    config: dict[str, Any],
) -> RulePlan:
    """Read the config, check it and plan the study.

    Any mistake ends Snakemake, with a line for each.

    Args:
        workflow: Snakemake's workflow, while it reads the Snakefile of this project.
        config: Snakemake's config. It counts if another workflow uses this one as a module.

    Returns:
        What the rules ask for all that they need.

    Raises:
        SystemExit: If the config is wrong.
    """
    _make_output_encodable()
    # Snakemake must not start a job before this.
    quote_interpreter()
    try:
        _check_folders(str(workflow.current_basedir))
        study = _read(workflow, config)
        plan = _plan(workflow, study)
        gpus = _gpus(workflow, plan.config)
    except StockpotError as error:
        refuse(*error.args)
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}")
    # Snakemake reads the Snakefile again in every job, which has nothing to print.
    if workflow.is_main_process:
        _print_summary(plan)
        restore_compared(PLAN.parent)
        print_changes_in_dry_runs(plan)
    # Captions of the report read the whole config there, with all defaults.
    workflow.globals["config"] = plan.config
    machine = Machine(plan.config["threads"], gpus)
    return RulePlan(workflow, plan, machine, PLAN, study.as_written())


def _print_summary(plan: Plan) -> None:
    """Print what to know of the study before the work begins."""
    lines = [f"Study {plan.config['study']}"]
    lines += map(one_line, plan.summary)
    lines.append("")
    logger.info("\n".join(lines))


def _make_output_encodable() -> None:
    """Let letters that the locale does not have be printed as their codes."""
    # A program that calls Snakemake may have put a stream without this method in its place.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _check_folders(checkout: str) -> None:
    """Raise StockpotError if no study can run here, whatever its config is."""
    if "{" in checkout or "}" in checkout:
        raise StockpotError(
            f"{checkout}: Snakemake takes braces in its path for wildcards; "
            "move the checkout elsewhere"
        )
    results = PLAN.parent
    if exists(results) and not results.is_dir():
        raise StockpotError(
            f"{results.absolute()}: must be a folder, for what a study makes; move the file away"
        )


def _read(
    workflow: Any,
    config: dict[str, Any],
) -> StudyFiles:
    """Read the files of the study. Snakemake would lay every one of them over config.yaml."""
    # Then this is a module of another workflow, which gives its config.
    if workflow.modifier.skip_configfile:
        return read_study(CHECKOUT, [], config)
    files = [Path(file) for file in workflow.overwrite_configfiles]
    return read_study(CHECKOUT, files, workflow.config_settings.config)


def _plan(
    workflow: Any,
    study: StudyFiles,
) -> Plan:
    """Return the plan of the run that submitted this job, else a new one."""
    if not workflow.is_main_process:
        plan = load_plan(PLAN, study.as_written())
        if plan is not None:
            return plan
    # A job on another node needs none of what this imports.
    from ..planning.from_files import plan_study

    return plan_study(study)


def _gpus(
    workflow: Any,
    config: dict[str, Any],
) -> int:
    """Return the number of GPUs of a training run.

    A profile knows the GPUs of other nodes, this process only those of its own.

    Raises:
        StockpotError: If Snakemake would not give as many to a job.
    """
    resources = workflow.resource_settings.overwrite_resources.get("finetune", {})
    profile_gpus = None
    if "gpu" in resources:
        profile_gpus = resources["gpu"].value
    detected_gpus = int(has_gpu())
    gpus = resolve_gpus(config["gpus"], profile_gpus, detected_gpus)
    if workflow.is_main_process:
        limit = workflow.global_resources.get("gpu")
        most_gpus = None if limit is None else limit.value
        check_gpus(gpus, profile_gpus, most_gpus)
    return gpus
