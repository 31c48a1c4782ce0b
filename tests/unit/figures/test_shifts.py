"""The figure shifts, of a synthetic study."""

import pytest

from stockpot import figures
from stockpot.tables.measurements import measure, robustness_table
from tests.support.main_table_study import ROLES, SHIFTS, study_cells, tables_of

pytestmark = pytest.mark.slow


def test_shifts_put_the_legend_where_there_is_room(drawn_main_figures):
    figure, _ = drawn_main_figures["shifts"]
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


def test_chance_is_drawn_where_it_is_in_view(main_tables, drawn_main_figures):
    def chance(axes):
        """Heights of the lines that go from edge to edge."""
        lines = [
            line.get_ydata() for line in axes.lines if list(line.get_xdata()) == [0, 1]
        ]
        return [low for low, high in lines if low == high]

    def entries(legend):
        return [text.get_text() for text in legend.get_texts()]

    figure, data = figures.load("shifts")(main_tables, {"axis": "linear"})
    found = {axes.get_title("left"): chance(axes) for axes in figure.axes[:5]}
    assert found.pop("sketch") == [1 / 4]
    assert found.pop("wide") == [1 / 3]
    assert list(found.values()) == [[], [], []]
    assert "Chance" in entries(figure.axes[5].get_legend())
    assert data.query("dataset == 'wide'")["chance"].dropna().unique().tolist() == [
        1 / 3
    ]

    figure, _ = drawn_main_figures["effective-robustness"]
    assert chance(figure.axes[0]) == []
    assert "Chance" not in entries(figure.legends[0])
    guesses = tables_of(study_cells().assign(classes=3))
    figure, _ = figures.load("effective-robustness")(guesses, {"axis": "linear"})
    assert chance(figure.axes[0]) == pytest.approx([1 / 3])
    assert chance(figure.axes[1]) == []
    assert "Chance" in entries(figure.legends[0])
