"""Figures: drawn from a synthetic study, with the awkward cases in it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from stockpot import figures
from stockpot.drawing import model_colours, style
from stockpot.runtime.errors import StockpotError
from stockpot.tables.measurements import measure, read_table, robustness_table

pytestmark = pytest.mark.slow

MAIN = [
    name for name in figures.names() if not figures.draws(name)
]  # of the main tables
SHIFTS = ["v2", "renditions", "sketch", "objectnet", "wide"]
ROLES = {
    "held-out": "held-out",
    "reference": "reference",
    **dict.fromkeys(SHIFTS, "shift"),
}
OFFSETS = np.array([0.16, -0.04, -0.12, 0.05, -0.05])
N = 4000
CLASSES = {
    **dict.fromkeys(ROLES, 50),
    "sketch": 4,
    "wide": 3,
}  # chance is in view for two


def study_cells() -> pd.DataFrame:
    """Raw cells of a study with two sweeps and a soup sweep, runs, soups and baselines."""
    rng = np.random.default_rng(1)
    rows = []

    def model(name, kind, reference, shift, sweep="", alpha=np.nan):
        values = [reference + 0.004, reference, *(shift + OFFSETS * (1.2 - shift))]
        values = np.clip(values + rng.normal(0, 0.002, len(values)), 0, 1)
        for dataset, value in zip(ROLES, values):
            rows.append(
                [
                    name,
                    kind,
                    sweep,
                    alpha,
                    dataset,
                    N,
                    round(value * N),
                    CLASSES[dataset],
                ]
            )

    def sweep(target, reference, shift, bow):
        for a in np.linspace(0, 1, 21):
            model(
                f"{target} alpha={a:.2f}",
                "wise-ft",
                0.72
                + a * (reference - 0.72)
                + bow[0] * 4 * a * (1 - a) * (1.4 - 0.8 * a),
                0.62 + a * (shift - 0.62) + bow[1] * 4 * a * (1 - a),
                target,
                a,
            )

    model("zero-shot", "zero-shot", 0.72, 0.62)
    model("base", "end-to-end", 0.91, 0.57)
    for i, (x, y) in enumerate(
        zip(np.linspace(0.90, 0.92, 8)[rng.permutation(8)], np.linspace(0.60, 0.48, 8))
    ):
        model(f"search-{i + 1:02d}", "end-to-end", x, y)
    model("linear", "linear-classifier", 0.86, 0.585)
    model("uniform", "uniform", 0.925, 0.615)
    model("greedy", "greedy", 0.93, 0.60)
    model("ensemble", "logit-ensemble", 0.932, 0.59)
    sweep("base", 0.91, 0.57, (0.075, 0.065))
    sweep("linear", 0.86, 0.585, (0.04, 0.03))
    sweep("greedy", 0.93, 0.60, (0.075, 0.06))
    for i, x in enumerate(np.linspace(-0.2, 2.09, 12)):
        y = 1 / (1 + np.exp(-(0.52 * x - 1.28 + rng.normal(0, 0.06))))
        model(f"standard-{i + 1}", "from-scratch", 1 / (1 + np.exp(-x)), y)
    columns = ["model", "kind", "sweep", "alpha", "dataset", "n", "k", "classes"]
    return pd.DataFrame(rows, columns=columns).assign(precision="bf16")


def tables_of(cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    measurements = measure(cells, ROLES, 0.95)
    fits, rho = robustness_table(measurements, "logit", 0.95)
    return {"measurements": measurements, "fits": fits, "robustness": rho}


@pytest.fixture(scope="module")
def tables():
    return tables_of(study_cells())


@pytest.fixture(scope="module")
def drawn(tables):
    """Figure and data of every name, each drawn when it is first asked for."""

    class Drawn(dict):
        def __missing__(self, name):
            return self.setdefault(name, figures.load(name)(tables, {}))

    return Drawn()


@pytest.fixture(scope="module")
def awkward():
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


def digest(figure: Figure, path: Path) -> str:
    style.save(figure, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_file_of_the_folder_is_a_figure_under_its_own_name():
    assert MAIN == ["alpha", "effective-robustness", "methods", "shifts", "soups"]
    for name in MAIN:
        assert figures.load(name).__name__ == "draw"


def test_an_unknown_figure_is_refused_with_the_names_there_are():
    with pytest.raises(StockpotError, match="'scatter'.*effective-robustness"):
        figures.load("scatter")
    with pytest.raises(StockpotError, match="'style'"):
        figures.load("style")


@pytest.mark.parametrize("name", MAIN)
def test_unknown_option_is_named(name, tables):
    with pytest.raises(ValueError, match="'colour'.*allowed"):
        figures.load(name)(tables, {"colour": "red"})


@pytest.mark.parametrize("name", MAIN)
def test_draws_the_study_and_the_awkward_one(name, drawn, awkward, tmp_path):
    for figure, data in (drawn[name], figures.load(name)(awkward, {})):
        assert isinstance(figure, Figure)
        assert len(data) > 0
        style.save(figure, tmp_path / "figure.png")


@pytest.mark.parametrize("kind", ["zero-shot", "end-to-end", "wise-ft"])
def test_draws_a_study_that_has_hardly_begun(kind, tmp_path):
    cells = study_cells()
    tables = tables_of(cells[cells["kind"] == kind])
    for name in MAIN:
        figure, _ = figures.load(name)(tables, {})
        style.save(figure, tmp_path / "figure.png")


@pytest.mark.parametrize("name", ["effective-robustness", "shifts"])
@pytest.mark.parametrize("axis", ["logit", "probit", "linear"])
def test_every_axis_shows_accuracies_of_0_and_1(name, axis, awkward, tmp_path):
    figure, data = figures.load(name)(awkward, {"axis": axis})
    style.save(figure, tmp_path / "figure.png")
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
    assert data["value"].max() == (
        1 if axis == "linear" else pytest.approx(1, abs=1e-3)
    )


def test_the_line_drawn_is_the_line_of_the_table(tables):
    _, data = figures.load("effective-robustness")(tables, {"axis": "linear"})
    line = data[data["kind"] == "fit"]
    fit = tables["fits"].set_index("dataset").loc["shifts"]
    x, y = (np.log(line[c] / (1 - line[c])) for c in ("reference_value", "value"))
    assert np.allclose(y, fit["slope"] * x + fit["intercept"])
    inner = line[line["reference_value"].between(0.5, 0.85)]
    assert ((inner["low"] < inner["value"]) & (inner["value"] < inner["high"])).all()


@pytest.mark.parametrize("name", MAIN)
def test_tables_read_from_files_give_the_same_bytes(name, tables, drawn, tmp_path):
    read = {}
    for table, content in tables.items():
        content.to_csv(tmp_path / f"{table}.csv", index=False)
        read[table] = read_table(tmp_path / f"{table}.csv")
    figure, _ = figures.load(name)(read, {})
    for suffix in (".png", ".pdf"):
        again = digest(figure, tmp_path / f"again{suffix}")
        assert again == digest(drawn[name][0], tmp_path / f"first{suffix}")


def test_shifts_put_the_legend_where_there_is_room(drawn):
    figure, _ = drawn["shifts"]
    assert len(figure.axes) == 6
    assert figure.axes[5].get_legend()
    assert not figure.legends
    roles = {name: role for name, role in ROLES.items() if name not in SHIFTS[3:]}
    cells = study_cells()
    measurements = measure(cells[cells["dataset"].isin(roles)], roles, 0.95)
    fits, rho = robustness_table(measurements, "logit", 0.95)
    fewer = {"measurements": measurements, "fits": fits, "robustness": rho}
    figure, _ = figures.load("shifts")(fewer, {})
    assert len(figure.axes) == 3
    assert len(figure.legends) == 1


def test_chance_is_drawn_where_it_is_in_view(tables, drawn):
    def chance(axes):
        """Heights of the lines that go from edge to edge."""
        lines = [
            line.get_ydata() for line in axes.lines if list(line.get_xdata()) == [0, 1]
        ]
        return [low for low, high in lines if low == high]

    def entries(legend):
        return [text.get_text() for text in legend.get_texts()]

    figure, data = figures.load("shifts")(tables, {"axis": "linear"})
    found = {axes.get_title("left"): chance(axes) for axes in figure.axes[:5]}
    assert found.pop("sketch") == [1 / 4]
    assert found.pop("wide") == [1 / 3]
    assert list(found.values()) == [[], [], []]
    assert "Chance" in entries(figure.axes[5].get_legend())
    assert data.query("dataset == 'wide'")["chance"].dropna().unique().tolist() == [
        1 / 3
    ]

    figure, _ = drawn["effective-robustness"]
    assert chance(figure.axes[0]) == []
    assert "Chance" not in entries(figure.legends[0])
    guesses = tables_of(study_cells().assign(classes=3))
    figure, _ = figures.load("effective-robustness")(guesses, {"axis": "linear"})
    assert chance(figure.axes[0]) == pytest.approx([1 / 3])
    assert chance(figure.axes[1]) == []
    assert "Chance" in entries(figure.legends[0])


def test_soups_ring_is_on_the_best_held_out_run(tables, drawn):
    _, data = drawn["soups"]
    m = tables["measurements"]
    runs = m[(m["kind"] == "end-to-end") & (m["role"] == "held-out")]
    best = runs.loc[runs["value"].idxmax(), "model"]
    assert data.loc[data["is_best_run"], "model"].tolist() == [best]
    assert set(data["kind"]) == {"end-to-end", "uniform", "greedy", "logit-ensemble"}


def test_alpha_draws_every_sweep_on_every_data_set(tables):
    figure, data = figures.load("alpha")(tables, {"columns": 3})
    assert len(data) == 3 * 21 * (len(ROLES) + 1)
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles[:8] == ["reference", "held-out", *SHIFTS, "Mean of shifts"]


@pytest.mark.parametrize(
    ("low", "high", "axis"),
    [
        (0.4, 0.95, "logit"),
        (0.9, 0.99, "logit"),
        (1e-4, 0.9999, "logit"),
        (1e-4, 0.999, "probit"),
        (0.7, 0.71, "linear"),
        (-0.05, 1.05, "linear"),
    ],
)
def test_ticks_are_round_apart_and_inside(low, high, axis):
    ticks = np.array(style.ticks(low, high, axis))
    assert 3 <= len(ticks) <= 10
    assert (ticks >= low).all()
    assert (ticks <= high).all()
    forward = style.axis_transforms(axis)[0]
    assert (
        np.diff(forward(ticks)) >= 0.11 * (forward(high) - forward(low)) - 1e-9
    ).all()
    assert all(len(f"{100 * tick:.4g}") <= 5 for tick in ticks)


def test_unknown_kinds_have_looks_of_their_own():
    looks = model_colours.looks(["zero-shot", "slerp", "ties"])
    assert looks["slerp"].label == "Slerp"
    assert looks["slerp"] != looks["ties"]


def test_all_looks_differ():
    from stockpot.merging import methods
    from stockpot.training import variants

    kinds = ["zero-shot", *variants.names(), *methods.names()]
    known = model_colours.looks(kinds)
    assert set(model_colours.LOOKS) == set(kinds)
    assert len({(look.marker, look.colour) for look in known.values()}) == len(kinds)
    assert len({look.label for look in known.values()}) == len(kinds)


def test_soups_have_one_colour_and_ensembles_another():
    from stockpot.merging import methods

    for method in set(methods.names()) - {"wise-ft"}:
        family = "ENSEMBLE" if methods.mixes(method) == "outputs" else "SOUP"
        assert model_colours.look(method).colour == getattr(model_colours, family)


@pytest.mark.parametrize("new", ["adamerge", "breadcrumbs", "zip"])
def test_a_new_method_has_a_look_and_changes_no_other(new, monkeypatch):
    """Neither by its name nor by its place among the others."""
    from stockpot.merging import methods

    before = model_colours.looks([*methods.names(), "new-rule"])
    names = sorted([*methods.names(), new])
    monkeypatch.setattr(methods, "names", lambda: names)
    monkeypatch.setattr(methods, "mixes", lambda name: "recipes")
    after = model_colours.looks([*names, "new-rule"])
    look = after.pop(new)
    assert after == before
    assert look.colour == model_colours.SOUP
    assert look.label == new.capitalize()
    assert (look.marker, look.colour) not in {
        (old.marker, old.colour) for old in before.values()
    }
    listed = {look.marker for look in model_colours.LOOKS.values()}
    assert not listed & set(model_colours.SPARE_MARKERS)


def test_settings_of_the_user_neither_matter_nor_change(tables, drawn, tmp_path):
    import matplotlib

    plain = digest(drawn["soups"][0], tmp_path / "plain.png")
    with matplotlib.rc_context(
        {"font.size": 20, "axes.grid": False, "savefig.dpi": 50}
    ):
        assert (
            digest(figures.load("soups")(tables, {})[0], tmp_path / "own.png") == plain
        )
        assert matplotlib.rcParams["font.size"] == 20


@pytest.mark.process
def test_same_bytes_in_another_process(drawn, tmp_path):
    name = "effective-robustness"
    code = (
        "import sys, test_figures as t; from pathlib import Path; from stockpot import figures\n"
        f"figure = figures.load('{name}')(t.tables_of(t.study_cells()), {{}})[0]\n"
        "print(*(t.digest(figure, Path(path)) for path in sys.argv[1:]))"
    )
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1] / "workflow_scripts")])
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
        digest(drawn[name][0], tmp_path / f"b{suffix}") for suffix in (".png", ".pdf")
    ]
    assert other.stdout.split() == own


def caption(figure: str, options: dict) -> str:
    """As the report shows it."""
    return figures.caption(figure, "90 %", "probit", "reference 4,000", options)


@pytest.mark.parametrize("figure", ["effective-robustness", "shifts"])
def test_captions_name_the_axis_that_is_drawn(figure):
    scaled = [" ".join(caption(figure, o).split()) for o in ({}, {"axis": "linear"})]
    assert "axes are probit-scaled" in scaled[0]
    assert "axes are linear-scaled" in scaled[1]
    assert "probit-scaled" not in scaled[1]


@pytest.mark.parametrize("figure", MAIN)
def test_every_figure_has_a_caption_of_its_own(figure):
    text = caption(figure, {})
    assert "**" in text
    assert "90 %" in text
    assert "{" not in text
    assert "n: reference" in text


def test_save_refuses_other_formats(tables, tmp_path):
    with pytest.raises(ValueError, match="figure.gif.*pdf.*png"):
        style.save(Figure(), tmp_path / "figure.gif")


def test_fonts_are_embedded_as_text(drawn, tmp_path):
    style.save(drawn["soups"][0], tmp_path / "figure.pdf")
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
