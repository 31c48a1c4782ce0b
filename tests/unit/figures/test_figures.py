"""The main figures: drawn from a synthetic study, with the awkward cases in it."""

import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from stockpot import figures
from stockpot.drawing import style
from stockpot.runtime.errors import StockpotError
from stockpot.tables.measurements import read_table
from tests.support.main_table_study import file_digest, study_cells, tables_of
from tests.support.paths import ROOT, SCRIPTS

pytestmark = pytest.mark.slow


MAIN_FIGURES = [
    name for name in figures.names() if not figures.draws(name)
]  # of the main tables


@pytest.fixture(scope="module")
def awkward_tables():
    """Accuracies of 0 and 1, unknown kinds, a sweep of one point, another to nowhere."""
    cells = study_cells()
    cells = cells[(cells["sweep"] != "linear") | (cells["alpha"] == 0.5)].copy()
    perfect, hopeless = cells["model"] == "greedy", cells["model"] == "standard-1"
    cells.loc[perfect, "k"] = cells["n"]
    cells.loc[hopeless & (cells["dataset"] != "reference"), "k"] = 0
    cells.loc[cells["model"] == "uniform", "kind"] = "learned-soup"
    other = cells["sweep"] == "base"
    cells.loc[other, ["kind", "sweep"]] = ["fisher", "gone"]
    return tables_of(cells)


def test_every_file_of_the_folder_is_a_figure_under_its_own_name():
    assert MAIN_FIGURES == [
        "alpha",
        "effective-robustness",
        "methods",
        "shifts",
        "soups",
    ]
    for name in MAIN_FIGURES:
        assert figures.load(name).__name__ == "draw"


def test_an_unknown_figure_is_refused_with_the_names_there_are():
    with pytest.raises(StockpotError, match="'scatter'.*effective-robustness"):
        figures.load("scatter")
    with pytest.raises(StockpotError, match="'style'"):
        figures.load("style")


@pytest.mark.parametrize("name", MAIN_FIGURES)
def test_unknown_option_is_named(name, main_tables):
    with pytest.raises(ValueError, match="'colour'.*allowed"):
        figures.load(name)(main_tables, {"colour": "red"})


@pytest.mark.parametrize("name", MAIN_FIGURES)
def test_draws_the_study_and_the_awkward_one(
    name, drawn_main_figures, awkward_tables, tmp_path
):
    for figure, data in (
        drawn_main_figures[name],
        figures.load(name)(awkward_tables, {}),
    ):
        assert isinstance(figure, Figure)
        assert len(data) > 0
        style.save(figure, tmp_path / "figure.png")


@pytest.mark.parametrize("kind", ["zero-shot", "end-to-end", "wise-ft"])
def test_draws_a_study_that_has_hardly_begun(kind, tmp_path):
    cells = study_cells()
    main_tables = tables_of(cells[cells["kind"] == kind])
    for name in MAIN_FIGURES:
        figure, _ = figures.load(name)(main_tables, {})
        style.save(figure, tmp_path / "figure.png")


@pytest.mark.parametrize("name", ["effective-robustness", "shifts"])
@pytest.mark.parametrize("axis", ["logit", "probit", "linear"])
def test_every_axis_shows_accuracies_of_0_and_1(name, axis, awkward_tables, tmp_path):
    figure, data = figures.load(name)(awkward_tables, {"axis": axis})
    style.save(figure, tmp_path / "figure.png")
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
    assert data["value"].max() == (
        1 if axis == "linear" else pytest.approx(1, abs=1e-3)
    )


@pytest.mark.parametrize("name", MAIN_FIGURES)
def test_tables_read_from_files_give_the_same_bytes(
    name, main_tables, drawn_main_figures, tmp_path
):
    read = {}
    for table, content in main_tables.items():
        content.to_csv(tmp_path / f"{table}.csv", index=False)
        read[table] = read_table(tmp_path / f"{table}.csv")
    figure, _ = figures.load(name)(read, {})
    for suffix in (".png", ".pdf"):
        again = file_digest(figure, tmp_path / f"again{suffix}")
        assert again == file_digest(
            drawn_main_figures[name][0], tmp_path / f"first{suffix}"
        )


def test_settings_of_the_user_neither_matter_nor_change(
    main_tables, drawn_main_figures, tmp_path
):
    import matplotlib

    plain = file_digest(drawn_main_figures["soups"][0], tmp_path / "plain.png")
    with matplotlib.rc_context(
        {"font.size": 20, "axes.grid": False, "savefig.dpi": 50}
    ):
        assert (
            file_digest(figures.load("soups")(main_tables, {})[0], tmp_path / "own.png")
            == plain
        )
        assert matplotlib.rcParams["font.size"] == 20


@pytest.mark.process
def test_same_bytes_in_another_process(drawn_main_figures, tmp_path):
    name = "effective-robustness"
    code = (
        "import sys; from pathlib import Path; from stockpot import figures\n"
        "from tests.support import main_table_study as study\n"
        "tables = study.tables_of(study.study_cells())\n"
        f"figure = figures.load('{name}')(tables, {{}})[0]\n"
        "print(*(study.file_digest(figure, Path(path)) for path in sys.argv[1:]))"
    )
    path = os.pathsep.join([str(SCRIPTS), str(ROOT)])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONHASHSEED": "12345",
        "TZ": "Asia/Tokyo",
    }
    command = [
        sys.executable,
        "-c",
        code,
        str(tmp_path / "a.png"),
        str(tmp_path / "a.pdf"),
    ]
    other = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    own = [
        file_digest(drawn_main_figures[name][0], tmp_path / f"b{suffix}")
        for suffix in (".png", ".pdf")
    ]
    assert other.stdout.split() == own


def caption_of(figure: str, options: dict) -> str:
    """As the report shows it."""
    return figures.caption(figure, "90 %", "probit", "reference 4,000", options)


@pytest.mark.parametrize("figure", ["effective-robustness", "shifts"])
def test_captions_name_the_axis_that_is_drawn(figure):
    scaled = [" ".join(caption_of(figure, o).split()) for o in ({}, {"axis": "linear"})]
    assert "axes are probit-scaled" in scaled[0]
    assert "axes are linear-scaled" in scaled[1]
    assert "probit-scaled" not in scaled[1]


@pytest.mark.parametrize("figure", MAIN_FIGURES)
def test_every_figure_has_a_caption_of_its_own(figure):
    text = caption_of(figure, {})
    assert "**" in text
    assert "90 %" in text
    assert "{" not in text
    assert "n: reference" in text


def test_save_refuses_other_formats(main_tables, tmp_path):
    with pytest.raises(ValueError, match="figure.gif.*pdf.*png"):
        style.save(Figure(), tmp_path / "figure.gif")


def test_fonts_are_embedded_as_text(drawn_main_figures, tmp_path):
    style.save(drawn_main_figures["soups"][0], tmp_path / "figure.pdf")
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
