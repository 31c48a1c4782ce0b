"""Figures, tables and pages of a study."""

import pytest

from stockpot.planning import build_plan
from stockpot.planning.study_jobs import MainTableJob, OverviewJob
from stockpot.planning.study_outputs import FigureChoice, figure_choices
from tests.support.paths import ROOT

# Figures and pages.


@pytest.mark.parametrize(
    ("analyses", "expected"),
    [
        ({"cost": {}}, {"cost": FigureChoice("cost", "cost")}),
        (
            {"pairs": {}},
            {
                "pair-losses": FigureChoice("pair-losses", "pairs"),
                "pair-accuracies": FigureChoice("pair-accuracies", "pairs"),
            },
        ),
        (
            {"growing-seeds": {"analysis": "growing"}},
            {"growing-seeds": FigureChoice("growing", "growing-seeds")},
        ),
    ],
)
def test_figures_of_analyses_have_readable_names(analyses, expected):
    assert figure_choices({"figures": {}, "analyses": analyses}) == expected


def test_figures_of_the_main_tables_have_the_names_of_their_modules(config):
    choices = figure_choices({**config, "analyses": {}})
    assert choices["alpha"] == FigureChoice("alpha")
    assert "cost" not in choices, "it draws an analysis"


def test_captions_have_the_level_and_the_sizes(embedded_plan):
    caption = embedded_plan.figures["objects/seed0", "effective-robustness"].caption
    assert "95 %" in caption
    assert "reference 4,000" in caption


def test_the_overview_shows_what_the_study_has(config):
    (overview,) = overviews(config)
    assert overview.texts[0] == "main_table.md"
    assert "analyses/diagnosis.md" in overview.texts
    assert len(overview.heads) == len(overview.texts)
    (short,) = overviews({**config, "analyses": {}, "figures": {"alpha": {}}})
    assert short.texts == ("main_table.md",)
    assert short.figures == ()


def overviews(config) -> list[OverviewJob]:
    plan = build_plan.build(config, lambda path: ROOT / path)
    return [job for job in plan.study_jobs if isinstance(job, OverviewJob)]


def test_the_main_table_is_told_of_half_precision(config):
    config["finetune"]["runs"]["base"]["precision"] = "bf16"
    plan = build_plan.build(config, lambda path: ROOT / path)
    (job,) = [job for job in plan.study_jobs if isinstance(job, MainTableJob)]
    assert job.parameters(plan)["trained_in_bf16"] == ["base"]
    assert job.parameters(plan)["roles"][0] == ["held-out", "held-out"]
