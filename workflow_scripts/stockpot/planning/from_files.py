"""From the files of a study to its plan."""

from pathlib import Path

import yaml

from ..config.check import check_config
from ..config.paths import CHECKOUT, exists, not_found, unfit_inputs
from ..config.read import StudyFiles
from ..runtime.errors import StockpotError
from .build_plan import build
from .data_roles import used_datasets
from .plan import Plan

SCHEMA = CHECKOUT / "schemas/config.schema.yaml"
# The same loader in C takes a tenth of the time, where it is installed.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def plan_study(study: StudyFiles) -> Plan:
    """Check the config of a study and plan it.

    Args:
        study: Its files.

    Returns:
        The plan.

    Raises:
        StockpotError: The config or a file that it names is wrong, with a line per mistake.
    """
    config = study.located()
    schema = yaml.load(SCHEMA.read_text("utf-8"), LOADER)
    check_config(config, schema, study.paths)
    # Only files that this study uses have to be there.
    problems = not_found(
        config,
        used_datasets(config),
        study.layers,
        CHECKOUT,
    )
    problems += unfit_inputs(config)
    if problems:
        raise StockpotError(*problems)

    return build(config, locate)


def locate(path: str) -> Path:
    """Find a file that a config names.

    Args:
        path: As ``StudyFiles.located`` gives it.

    Returns:
        The file below the working directory if there is one, else that of the checkout.
    """
    here = Path(path)
    if here.is_absolute() or exists(here):
        return here
    return CHECKOUT / path
