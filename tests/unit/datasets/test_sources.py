"""Tests how sources are found, and what all of them answer."""

import re

import pytest

from stockpot.datasets import sources
from stockpot.datasets.sources._options import Download, Encoded
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ROOT


def test_every_own_source_has_the_choice():
    own = [name for name in sources.names() if sources.reads_user_files(name)]
    assert own == ["csv", "folder", "parquet", "webdataset"]
    for name in own:
        assert sources.options(name)["classes"]["default"] == "all"


def test_sources_are_found_by_their_files():
    assert {"world", "handwriting", "folder"} <= set(sources.names())
    with pytest.raises(StockpotError, match="'wrld'.*folder, .*handwriting, .*world"):
        sources.load("wrld")


def test_the_docs_list_every_source_and_its_options():
    text = (ROOT / "docs/guide/datasets.md").read_text()
    listed = {
        name: row
        for row in text.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([\w-]+)`", row.split("|")[1])
    }
    for name in sources.names():
        if name not in ("world", "handwriting"):
            own = set(sources.declared(name).options.__annotations__) - {"path"}
            assert all(f"`{option}" in listed[name] for option in own), (name, own)
    assert set(Encoded.model_fields) | set(Download.model_fields) <= {
        name.partition(":")[0]
        for name in re.findall(r"^\| `([\w-]+:?)", text, re.MULTILINE)
    }


@pytest.mark.parametrize("background", ["red", "#12ab9F", "White", "white"])
def test_backgrounds_that_are_colours(background):
    sources.check_background(
        {"source": "folder", "path": "x", "background": background}, "d"
    )


@pytest.mark.parametrize(
    "background", ["#123", "whites", "rgb(1,2,3)", "", "#12345678"]
)
def test_backgrounds_that_are_none(background):
    entry = {"source": "csv", "path": "x", "background": background}
    with pytest.raises(
        StockpotError, match=r"^datasets\.d\.background: .* is not a colour"
    ):
        sources.check_background(entry, "datasets.d")


@pytest.mark.parametrize("name", ["folder", "csv", "webdataset", "parquet"])
def test_own_data_are_on_white_and_published_ones_on_black(name):
    assert sources.with_defaults({"source": name, "path": "x"})["background"] == "white"
    assert sources.with_defaults({"source": "imagenet-r"})["background"] == "black"
    assert "background" not in sources.with_defaults({"source": "world"})
