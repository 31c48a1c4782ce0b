"""Two seeds in one run: other data, other runs, one summary."""

import json

from tests.support.workflow import copy_project


def smaller(config: dict) -> None:
    """The micro study cut down to its main line."""
    config.update(
        seeds=[0, 1],
        data={"shifts": ["v2"]},
        sweep={"targets": ["base"], "alphas": [0.0, 0.5, 1.0]},
        soups={"uniform": None, "ensemble": None},
        baselines={"models": None},
        figures=dict.fromkeys(("alpha", "methods", "shifts", "soups")),
    )
    config["finetune"].update(search={"runs": 0}, runs={"linear": None})


def test_the_summary_has_a_column_per_seed(warm, tmp_path):
    study = warm(copy_project(tmp_path))
    study.edit(smaller)
    jobs, _ = study.run()
    assert jobs["main_table"] == 2
    assert jobs["summary"] == 1
    assert jobs["finetune"] == 2

    summary = (study.results / "studies/micro/summary.md").read_text()
    table = [
        line.strip("| ").split(" | ")
        for line in summary.splitlines()
        if line[:1] == "|"
    ]
    header, _, *rows = table[: table.index(next(r for r in table if r[0] == "model"))]
    assert header[-2:] == ["seed0", "seed1"]
    assert rows
    assert all(len(row) == len(header) and all(row) for row in rows)
    assert any(row[-2] != row[-1] for row in rows)
    for seed in ("seed0", "seed1"):
        overview = (
            study.results / "studies/micro" / seed / "main_table.md"
        ).read_text()
        assert f"## {seed}\n\n{overview}" in summary

    cards = [
        json.loads(p.read_text()) for p in study.results.glob("datasets/*/dataset.json")
    ]
    assert len(cards) == len({card["fingerprint"] for card in cards}) >= 2 * 4
