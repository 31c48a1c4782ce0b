"""From a Snakefile to the plan that its rules use."""

import sys
from pathlib import Path

from snakemake.logging import logger

from ..config.paths import CHECKOUT, exists
from ..config.read import StudyFiles, read_study
from ..planning.compared import restore_compared
from ..planning.plan import Plan
from ..planning.resources import Machine, check_gpus, resolve_gpus
from ..planning.saved_plan import saved
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.gpus import has_gpu
from .ending import refuse
from .interpreter import quote_interpreter
from .rule_plan import RulePlan
from .why import print_changes_in_dry_runs

# A job on another node takes the plan of the run that submitted it, and looks at no data.
PLAN = Path("results/plan.json")


def start(workflow, config: dict) -> RulePlan:
    """Read the config, check it and plan the study; end Snakemake with a line per mistake.

    Args:
        workflow: Snakemake's, while it reads the Snakefile of this project.
        config: Snakemake's, which counts where another workflow uses this one as a module.

    Returns:
        What the rules ask for all that they need.
    """
    # In a locale without them, signs of other languages are written as their codes.
    # A program that calls Snakemake may have put a stream without this method in its place.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    quote_interpreter()
    try:
        _check_places(str(workflow.current_basedir))
        study = _read(workflow, config)
        plan = _plan(workflow, study)
        gpus = _gpus(workflow, plan.config)
    except StockpotError as error:
        refuse(*error.args)
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}")
    if workflow.is_main_process:
        lines = [f"Study {plan.config['study']}", *map(one_line, plan.summary), ""]
        logger.info("\n".join(lines))
        restore_compared(PLAN.parent)
        print_changes_in_dry_runs(plan)
    # Captions of the report read the whole config there, with all defaults.
    workflow.globals["config"] = plan.config
    machine = Machine(plan.config["threads"], gpus)
    return RulePlan(workflow, plan, machine, PLAN, study.as_written())


def _check_places(here: str) -> None:
    """Raises StockpotError where no study can run, whatever its config is."""
    if "{" in here or "}" in here:
        raise StockpotError(
            f"{here}: Snakemake takes braces in its path for wildcards; move the checkout elsewhere"
        )
    results = PLAN.parent
    if exists(results) and not results.is_dir():
        raise StockpotError(
            f"{results.absolute()}: must be a folder, for what a study makes; move the file away"
        )


def _read(workflow, config: dict) -> StudyFiles:
    """The files of the study; Snakemake would lay every one of them over config.yaml."""
    if (
        workflow.modifier.skip_configfile
    ):  # a module of another workflow, which gives its config
        return read_study(CHECKOUT, [], config)
    files = list(map(Path, workflow.overwrite_configfiles))
    return read_study(CHECKOUT, files, workflow.config_settings.config)


def _plan(workflow, study: StudyFiles) -> Plan:
    """The plan of these files: of the run that submitted this job, else a new one."""
    if not workflow.is_main_process:
        plan = saved(PLAN, study.as_written())
        if plan is not None:
            return plan
    from ..planning.from_files import (
        plan_study,
    )  # a job on another node needs none of it

    return plan_study(study)


def _gpus(workflow, config: dict) -> int:
    """GPUs of a training run. A profile knows of those of other nodes.

    Raises:
        StockpotError: Snakemake would not give as many to a job.
    """
    resources = workflow.resource_settings.overwrite_resources.get("finetune", {})
    profile = resources["gpu"].value if "gpu" in resources else None
    gpus = resolve_gpus(config["gpus"], profile, int(has_gpu()))
    limit = workflow.global_resources.get("gpu")
    if workflow.is_main_process:
        check_gpus(gpus, profile, None if limit is None else limit.value)
    return gpus
