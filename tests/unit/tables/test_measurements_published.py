"""Lines through published models, in pieces, and against the reference without some classes."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import linregress

from stockpot.datasets.classes import subset
from stockpot.tables.measurements import (
    measure,
    paired_accuracies,
    published_cells,
    robustness_table,
)
from stockpot.tables.published_models import read_published_models
from tests.support.published_cells import TWO_SHIFT_ROLES, published_model_cells


@pytest.mark.slow
def test_published_models_draw_the_line_and_have_no_interval(tmp_path):
    x = expit(np.linspace(-1, 2, 9))
    a, b = expit(0.9 * logit(x) - 0.5), expit(1.1 * logit(x) - 1)
    rows = "".join(
        f"m{i},{100 * r},{100 * s},{100 * t}\n"
        for i, (r, s, t) in enumerate(zip(x, a, b))
    )
    cells = published_model_cells(
        tmp_path,
        "name,val,a,b\n" + rows,
        model="name",
        unit="percent",
        columns={"reference": "val"},
    )
    own = [
        {
            "model": "mine",
            "kind": "zero-shot",
            "sweep": "",
            "alpha": None,
            "dataset": d,
            "n": 100,
            "k": 80,
            "classes": 10,
            "precision": "fp32",
        }
        for d in TWO_SHIFT_ROLES
    ]
    table = measure(pd.concat([pd.DataFrame(own), cells]), TWO_SHIFT_ROLES, 0.95)
    published = table[table["kind"] == "from-scratch"]
    assert len(published) == 9 * 4
    assert published[["n", "k", "low", "high"]].isna().all(axis=None)
    fits, rho = robustness_table(table, "logit", 0.95)
    lines = fits.set_index("dataset")
    assert lines.loc["a", ["slope", "intercept", "n"]].tolist() == pytest.approx(
        [0.9, -0.5, 9]
    )
    assert lines.loc["b", ["slope", "intercept"]].tolist() == pytest.approx([1.1, -1])
    mine = rho[rho["model"] == "mine"].set_index("dataset")
    assert mine.loc["a", "effective_robustness"] == pytest.approx(
        0.8 - expit(0.9 * logit(0.8) - 0.5)
    )
    assert mine["low"].notna().all()
    assert (mine["low"] < mine["effective_robustness"]).all()
    assert rho[rho["model"] == "m0"]["low"].isna().all()


@pytest.mark.slow
def test_a_model_at_zero_and_an_empty_field_are_no_part_of_the_line(tmp_path):
    cells = published_model_cells(
        tmp_path,
        "model,reference,a,b\nm1,0.5,0.3,0.2\nm2,0.6,0.4,0.3\nm3,0.7,0.5,0.4\nm4,0.8,0.0,0.5\nm5,0.9,,0.6\n",
    )
    table = measure(
        cells.assign(n=np.nan, k=np.nan, classes=2, precision=""), TWO_SHIFT_ROLES, 0.95
    )
    fits = robustness_table(table, "logit", 0.95)[0].set_index("dataset")
    assert fits.loc["a", "n"] == 3
    assert fits.loc["b", "n"] == 5
    assert fits.loc["shifts", "n"] == 3
    assert (
        robustness_table(table, "linear", 0.95)[0].set_index("dataset").loc["a", "n"]
        == 4
    )


def test_a_line_in_two_pieces_is_two_lines(tmp_path):
    x = np.linspace(0.55, 0.9, 15)
    y = np.where(x < 0.7, expit(1 * logit(x) - 3), expit(5 * logit(x) - 7))
    cells = pd.DataFrame(
        [
            {
                "model": f"m{i}",
                "kind": "from-scratch",
                "sweep": "",
                "alpha": None,
                "dataset": d,
                "value": v,
            }
            for i, pair in enumerate(zip(x, y))
            for d, v in zip(("reference", "a"), pair)
        ]
    )
    roles = {"reference": "reference", "a": "shift"}
    table = measure(
        cells.assign(n=np.nan, k=np.nan, classes=2, precision=""), roles, 0.95
    )
    fits, rho = robustness_table(table, "logit", 0.95, {"a": [0.7]})
    pieces = fits[fits["dataset"] == "a"]
    assert pieces[["piece_start", "piece_end"]].to_numpy().tolist() == [
        [0, 0.7],
        [0.7, 1],
    ]
    assert pieces["slope"].tolist() == pytest.approx([1, 5])
    assert pieces["intercept"].tolist() == pytest.approx([-3, -7])
    assert pieces["n"].sum() == 15
    assert rho[rho["dataset"] == "a"]["effective_robustness"].abs().max() < 1e-9
    assert len(rho) == 2 * 15
    whole = fits[fits["dataset"] == "shifts"]
    assert len(whole) == 1
    assert whole["slope"].iloc[0] not in (1, 5)


@pytest.mark.slow
def test_a_piece_with_too_few_models_has_no_line():
    common = {
        "kind": "from-scratch",
        "sweep": "",
        "alpha": None,
        "n": 100,
        "classes": 2,
    }
    cells = [
        {**common, "model": f"m{i}", "dataset": d, "k": 40 + 5 * i, "precision": ""}
        for i in range(6)
        for d in ("reference", "a")
    ]
    table = measure(pd.DataFrame(cells), {"reference": "reference", "a": "shift"}, 0.95)
    fits, rho = robustness_table(table, "logit", 0.95, {"a": [0.52]})
    assert fits[fits["dataset"] == "a"][["piece_start", "n"]].to_numpy().tolist() == [
        [0, 3],
        [0.52, 3],
    ]
    fits, rho = robustness_table(table, "logit", 0.95, {"a": [0.46]})
    assert fits[fits["dataset"] == "a"]["piece_start"].tolist() == [0.46]
    assert len(rho[rho["dataset"] == "a"]) == 4


def test_a_shift_without_some_classes_is_drawn_against_the_reference_without_them():
    rows = [("reference", 90), ("a", 50), (subset("reference", "a"), 97), ("b", 40)]
    common = {"model": "m", "kind": "zero-shot", "sweep": "", "alpha": None, "n": 100}
    cells = [
        {**common, "dataset": d, "k": k, "classes": 2, "precision": ""} for d, k in rows
    ]
    table = measure(
        pd.DataFrame(cells),
        TWO_SHIFT_ROLES | {subset("reference", "a"): "subset"},
        0.95,
    )
    assert paired_accuracies(table, "a")["reference_value"].tolist() == [0.97]
    assert paired_accuracies(table, "b")["reference_value"].tolist() == [0.90]
    assert paired_accuracies(table, "shifts")["reference_value"].tolist() == [0.90]
    assert table[table["dataset"] == "shifts"]["value"].tolist() == [0.45]


TESTBED_COPY = os.environ.get("STOCKPOT_TESTBED", "")


@pytest.mark.skipif(
    not TESTBED_COPY, reason="STOCKPOT_TESTBED names no copy of imagenet-testbed"
)
def test_the_fit_of_the_testbeds_baselines(tmp_path):
    """85 models, slope 1.0436, intercept -1.8904 for the mean of five, from their own CSV."""
    types = (Path(TESTBED_COPY) / "plotting" / "model_types.py").read_text()
    baselines = set(re.findall(r"^'([^']+)': ModelTypes\.STANDARD", types, re.M))
    table = pd.read_csv(Path(TESTBED_COPY) / "robustness_top1s.csv")
    bad = table["model"].str.contains("subsample|aws|batch64")
    kept = table[table["model"].isin(baselines) & ~bad & (table["val"] >= 55)]
    assert len(kept) == 85
    kept.to_csv(tmp_path / "baselines.csv", index=False)
    columns = {
        "reference": "val",
        "v2": "imagenetv2-matched-frequency-format-val",
        "r": "imagenet-r",
        "sketch": "imagenet-sketch",
        "objectnet": "objectnet-1.0-beta",
        "a": "imagenet-a",
    }
    spec = {"model": "model", "columns": columns, "unit": "percent"}
    reference, *shifts = columns
    cells = published_cells(
        read_published_models(tmp_path / "baselines.csv", spec, reference, shifts)
    )
    roles = {name: "shift" for name in columns} | {"reference": "reference"}
    cells = cells.assign(n=np.nan, k=np.nan, classes=1000, precision="")
    fits, _ = robustness_table(
        measure(cells, roles, 0.95), "logit", 0.95, {"a": [0.7613]}
    )
    lines = fits.set_index("dataset")[["slope", "intercept", "r", "n"]].round(4)
    assert lines.loc["shifts"].tolist()[:2] == [1.0436, -1.8904]
    assert lines.loc["shifts", "n"] == 79
    assert lines.loc["v2", "n"] == 85
    assert lines.loc["v2", ["slope", "intercept"]].tolist() == [0.9232, -0.4977]
    assert lines.loc["sketch", ["slope", "intercept"]].tolist() == [1.0709, -2.3701]
    assert lines.loc["objectnet", ["slope", "intercept"]].tolist() == [1.1993, -2.0243]
    assert lines.loc["r", ["slope", "intercept", "n"]].tolist() == [0.9116, -1.5999, 80]
    assert lines.loc["a", "slope"].round(2).tolist() == [0.95, 5.40]
    fits, _ = robustness_table(measure(cells, roles, 0.95), "logit", 0.95)
    a = fits.set_index("dataset").loc["a", ["slope", "intercept", "n"]].tolist()
    assert np.round(a, 4).tolist() == [3.0516, -6.2917, 84]


def test_a_synthetic_cloud_of_85_models_gives_its_line_back(tmp_path):
    """The same computation as on the testbed, on models that were put on a line."""
    rng = np.random.default_rng(2)
    x = expit(rng.uniform(0.2, 1.8, 85))
    y = expit(1.0436 * logit(x) - 1.8904 + rng.normal(0, 0.08, 85))
    rows = "".join(
        f"m{i},{a!r},{b!r}\n" for i, (a, b) in enumerate(zip(x.tolist(), y.tolist()))
    )
    cells = published_model_cells(tmp_path, "model,reference,a\n" + rows).assign(
        n=np.nan, k=np.nan, classes=9, precision=""
    )
    roles = {"reference": "reference", "a": "shift"}
    fits, _ = robustness_table(measure(cells, roles, 0.95), "logit", 0.95)
    line = fits.set_index("dataset").loc["shifts"]
    expected = linregress(logit(x), logit(y))
    assert [line["slope"], line["intercept"]] == pytest.approx(
        [expected.slope, expected.intercept]
    )
    assert line["slope"] == pytest.approx(1.0436, abs=0.06)
    assert line["n"] == 85


def test_published_models_may_have_the_reference_without_some_classes(tmp_path):
    part = subset("reference", "a")
    x = expit(np.linspace(-1, 2, 5))
    rows = "".join(
        f"m{i},{r},{r},{min(r + 0.05, 1)}\n" for i, r in enumerate(x.tolist())
    )
    cells = published_model_cells(tmp_path, f"\ufeffmodel,reference,a,{part}\n" + rows)
    cells = cells.assign(n=np.nan, k=np.nan, classes=2, precision="")
    table = measure(cells, TWO_SHIFT_ROLES | {part: "subset"}, 0.95)
    assert paired_accuracies(table, "a")["reference_value"].tolist() == pytest.approx(
        np.minimum(x + 0.05, 1)
    )
    assert (
        robustness_table(table, "linear", 0.95)[0].set_index("dataset").loc["a", "n"]
        == 5
    )
