"""The files that a run of the workflow asks for."""

from stockpot.planning import build_plan
from stockpot.planning.targets import source_files, targets
from tests.support.paths import ROOT


def test_targets_are_what_people_read_and_what_it_follows_from(embedded_plan):
    files = targets(embedded_plan)
    assert len(files) == len(set(files))
    folder = "<results>/studies/objects/seed0"
    assert f"{folder}/main_table.md" in files
    assert f"{folder}/figures/samples.csv" in files
    assert f"{folder}/analyses/cost.html" in files
    assert f"{folder}/figures/cost.pdf" in files
    assert "<results>/studies/objects/summary.md" in files
    assert set(source_files(embedded_plan)) <= set(files)
    assert not [
        file for file in files if file.endswith((".npy", "classifier.safetensors"))
    ]


def test_geometry_is_asked_for_where_an_analysis_looks_at_it(config):
    def asked(analyses: dict) -> bool:
        plan = build_plan.build(
            {**config, "analyses": analyses}, lambda path: ROOT / path
        )
        return any(file.endswith("geometry.csv") for file in source_files(plan))

    assert asked({"pairs": {}})
    assert not asked({"cost": {}})
