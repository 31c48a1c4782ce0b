"""What a plug-in declares is read without importing its module, and nothing wrong passes."""

import sys

import pytest

from stockpot.merging import methods
from stockpot.runtime import registry
from stockpot.runtime.errors import StockpotError

METHOD = """
import a_library_that_no_plan_may_load
from typing import Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Method

LEAST = 2


class Options(PluginOptions):
    needed: int = Field(ge=LEAST)
    word: Literal["a", "b"] = "a"
    share: float | None = Field(None, gt=0, description="null: none")


METHOD = Method({arguments})


def find(ingredients, context):
    return a_library_that_no_plan_may_load.mix(ingredients)
"""


@pytest.fixture
def read_declaration(tmp_path):
    """Write a merge method with these arguments of its declaration; what the registry reads."""

    def read_declaration(arguments: str, text: str = METHOD):
        (tmp_path / "new_one.py").write_text(text.format(arguments=arguments))
        file = str(tmp_path / "__init__.py")
        registry.declaration.cache_clear()
        return registry.declaration(methods.__name__, file, "new-one", "METHOD")

    return read_declaration


def test_a_declaration_is_read_without_its_module(read_declaration, tmp_path):
    declared = read_declaration("options=Options, mixes='outputs'")
    assert isinstance(declared, methods.Method)
    assert declared.mixes == "outputs"
    assert "a_library_that_no_plan_may_load" not in sys.modules
    file = str(tmp_path / "__init__.py")
    assert registry.options(methods.__name__, file, "new-one", "METHOD") == {
        "needed": {"type": "integer", "minimum": 2},
        "word": {"enum": ["a", "b"], "default": "a"},
        "share": {
            "description": "null: none",
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "default": None,
        },
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("options=Options, mix='outputs'", "METHOD: mix: Unexpected keyword argument"),
        ("options=Options, mixes='output'", "'recipes', 'outputs' or 'weights'"),
        ("options=Options, ordered='no'", "should be a valid boolean"),
        ("options=Option", "name 'Option' is not defined"),
        ("mixes='outputs'", "has Options that METHOD does not name"),
    ],
)
def test_a_wrong_declaration_is_an_error_of_one_line(read_declaration, arguments, said):
    with pytest.raises(StockpotError, match=said) as error:
        read_declaration(arguments)
    assert "new_one.py" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_module_without_a_declaration_is_no_plug_in(read_declaration):
    with pytest.raises(StockpotError, match="declares no METHOD"):
        read_declaration("", "MIXES = 'outputs'\n")
