"""A config with mistakes, and the lines that name them."""

import pytest

from stockpot.config.check import check_config
from stockpot.planning import build_plan
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ROOT


def set_value(config: dict, path: str, value) -> None:
    *parents, last = path.split("/")
    for key in parents:
        config = config[int(key) if isinstance(config, list) else key]
    config[last] = value


def problems_of(config, schema, files=()) -> list[str]:
    """The lines of what is wrong with a config, as its reader sees them."""

    def read():
        check_config(config, schema, files)
        build_plan.build(config, lambda path: ROOT / path)

    with pytest.raises(StockpotError) as error:
        read()
    return str(error.value).splitlines()
