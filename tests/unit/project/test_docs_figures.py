"""Figures of the docs are there, and follow from the tables beside them."""

import importlib.util
import re

import numpy as np
import pytest
from PIL import Image

from stockpot.drawing.style import save
from tests.support.paths import ROOT


def docs_figures():
    """The script that draws the figures of docs/."""
    path = ROOT / "docs" / "scripts" / "figures.py"
    spec = importlib.util.spec_from_file_location("docs_figures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown", docs_figures().in_docs(), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_figures_in_the_docs_follow_from_the_tables_beside_them(shown, tmp_path):
    save(docs_figures().draw(shown), tmp_path / "figure.png")
    drawn, committed = (
        np.asarray(Image.open(path).convert("RGB"), dtype=float)
        for path in (tmp_path / "figure.png", shown)
    )
    assert drawn.shape == committed.shape
    assert np.abs(drawn - committed).mean() < 0.1


def test_every_figure_of_the_pages_is_there():
    for page in (
        "README.md",
        "docs/results/README.md",
        "docs/guide/methods.md",
        "docs/results/choosing-alpha.md",
    ):
        text = (ROOT / page).read_text()
        links = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
        assert links or page == "docs/guide/methods.md"
        assert [
            link for link in links if not ((ROOT / page).parent / link).exists()
        ] == []


def test_figures_in_the_readme_are_there():
    assert (
        "docs/results/objects/effective-robustness.png"
        in (ROOT / "README.md").read_text()
    )
