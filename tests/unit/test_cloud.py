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
from stockpot.runtime.errors import StockpotError
from stockpot.tables.measurements import (
    measure,
    paired_accuracies,
    published_cells,
    robustness_table,
)
from stockpot.tables.published_models import read_published_models

ROLES = {"reference": "reference", "a": "shift", "b": "shift"}
SPEC = {"model": "model", "columns": {}, "unit": "fraction"}


def cloud(tmp_path, text: str, pad: bool = False, **spec) -> pd.DataFrame:
    path = tmp_path / "models.csv"
    path.write_text(text)
    if pad and text:
        columns = text.splitlines()[0].count(",")
        path.write_text(text + "".join(f"pad{i}{',' * columns}\n" for i in range(3)))
    return published_cells(
        read_published_models(path, SPEC | spec, "reference", ["a", "b"], ["mine"])
    )


@pytest.mark.slow
def test_published_models_draw_the_line_and_have_no_interval(tmp_path):
    x = expit(np.linspace(-1, 2, 9))
    a, b = expit(0.9 * logit(x) - 0.5), expit(1.1 * logit(x) - 1)
    rows = "".join(
        f"m{i},{100 * r},{100 * s},{100 * t}\n"
        for i, (r, s, t) in enumerate(zip(x, a, b))
    )
    cells = cloud(
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
        for d in ROLES
    ]
    table = measure(pd.concat([pd.DataFrame(own), cells]), ROLES, 0.95)
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
    cells = cloud(
        tmp_path,
        "model,reference,a,b\nm1,0.5,0.3,0.2\nm2,0.6,0.4,0.3\nm3,0.7,0.5,0.4\nm4,0.8,0.0,0.5\nm5,0.9,,0.6\n",
    )
    table = measure(
        cells.assign(n=np.nan, k=np.nan, classes=2, precision=""), ROLES, 0.95
    )
    fits = robustness_table(table, "logit", 0.95)[0].set_index("dataset")
    assert fits.loc["a", "n"] == 3
    assert fits.loc["b", "n"] == 5
    assert fits.loc["shifts", "n"] == 3
    assert (
        robustness_table(table, "linear", 0.95)[0].set_index("dataset").loc["a", "n"]
        == 4
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name,reference,a\nm,1,1\n",
            "no column 'model' (for model); there are name, reference, a",
        ),
        ("model,a\nm,0.5\n", "needs a column for reference and one for a shift (a, b)"),
        (
            "model,reference\nm,0.5\n",
            "needs a column for reference and one for a shift",
        ),
        (
            "model,reference,a\nm,50,0.5\n",
            "m, reference: '50' is not an accuracy as a fraction",
        ),
        ("model,reference,a\nm,0.5,x\n", "m, a: 'x' is not an accuracy"),
        ("model,reference,a\nm,0.5,nan\n", "m, a: 'nan' is not an accuracy"),
        (
            "model,reference,a\nm,.5,.5\nm,.5,.5\n",
            "'m' is the name of another model",
        ),
        (
            "model,reference,a\nmine,.5,.5\n",
            "'mine' is the name of another model",
        ),
        ("model,reference,a\n</script>,.5,.5\n", "'</script>' is no name"),
        ("model,reference,a\n,.5,.5\n", "'' is no name"),
        ("", "has 0 models, but a line needs 3"),
        (
            'model,reference,a\n"m,.5,.5\nn,.5,.5\n',
            "line 2: a row begins here that cannot be read",
        ),
    ],
)
def test_a_wrong_table_of_models_gives_one_line(tmp_path, text, said):
    with pytest.raises(StockpotError, match=re.escape(said)) as error:
        cloud(tmp_path, text, pad=True)
    assert str(error.value).startswith("baselines.table: ")
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_the_band_goes_through_the_models_that_the_line_goes_through(tmp_path):
    """A model at 0 on one shift has a mean, and no part in the line of the mean or its band."""
    from stockpot.drawing.robustness_axes import fit_with_band, scatter_points

    header = "model,reference,a,b\n"
    rows = [
        f"m{i},{0.5 + 0.05 * i},{0.3 + 0.04 * i},{0.2 + 0.06 * i}\n" for i in range(6)
    ]
    bands = []
    for extra in ("", "zero,0.9,0.0,0.6\n"):
        cells = cloud(tmp_path, header + "".join(rows) + extra)
        cells = cells.assign(n=np.nan, k=np.nan, classes=9, precision="")
        table = measure(cells, ROLES, 0.95)
        fits, _ = robustness_table(table, "logit", 0.95)
        points = scatter_points(table, "shifts", "logit")
        bands.append(fit_with_band(table, points, fits, (0.5, 0.9)))
    without, with_zero = bands
    assert np.allclose(
        with_zero[["value", "low", "high"]], without[["value", "low", "high"]]
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
        pd.DataFrame(cells), ROLES | {subset("reference", "a"): "subset"}, 0.95
    )
    assert paired_accuracies(table, "a")["reference_value"].tolist() == [0.97]
    assert paired_accuracies(table, "b")["reference_value"].tolist() == [0.90]
    assert paired_accuracies(table, "shifts")["reference_value"].tolist() == [0.90]
    assert table[table["dataset"] == "shifts"]["value"].tolist() == [0.45]


def test_cells_of_the_reference_without_some_classes(tmp_path):
    import torch

    from stockpot.datasets.dataset import write_dataset
    from stockpot.evaluation.predictions import predictions
    from stockpot.evaluation.store import Store
    from stockpot.tables.class_subsets import subset_cells

    rng = np.random.default_rng(0)
    names, labels = list("pqrs"), rng.integers(0, 4, 50)
    images = np.zeros((50, 4, 4, 3), np.uint8)
    for name, classes, given in (
        ("reference", names, labels),
        ("a", ["r", "p"], labels % 2),
        ("b", names, labels),
    ):
        write_dataset(tmp_path / name, name, images, given, classes, {})
    logits = torch.tensor(rng.normal(size=(50, 4)))
    Store(tmp_path / "store").put(
        "k1", predictions(logits, torch.tensor(labels), keep_logits=True), {}, ""
    )
    cells = pd.DataFrame(
        [
            {"model": "m", "dataset": d, "key": "k1", "n": 50, "k": 1, "classes": 4}
            for d in ROLES
        ]
    )
    found = subset_cells(
        cells, ROLES, [tmp_path / d for d in ROLES], tmp_path / "store"
    )
    assert found["dataset"].tolist() == ["reference (a classes)"]
    kept = np.isin(labels, [0, 2])
    right = np.where(logits[:, 0] >= logits[:, 2], 0, 2)[kept] == labels[kept]
    row = found.iloc[0]
    assert (row["n"], row["k"], row["classes"]) == (kept.sum(), right.sum(), 2)


TESTBED = os.environ.get("STOCKPOT_TESTBED", "")


@pytest.mark.skipif(
    not TESTBED, reason="STOCKPOT_TESTBED names no copy of imagenet-testbed"
)
def test_the_fit_of_the_testbeds_baselines(tmp_path):
    """85 models, slope 1.0436, intercept -1.8904 for the mean of five, from their own CSV."""
    types = (Path(TESTBED) / "plotting" / "model_types.py").read_text()
    baselines = set(re.findall(r"^'([^']+)': ModelTypes\.STANDARD", types, re.M))
    table = pd.read_csv(Path(TESTBED) / "robustness_top1s.csv")
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
    cells = cloud(tmp_path, "model,reference,a\n" + rows).assign(
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
    cells = cloud(tmp_path, f"\ufeffmodel,reference,a,{part}\n" + rows)
    cells = cells.assign(n=np.nan, k=np.nan, classes=2, precision="")
    table = measure(cells, ROLES | {part: "subset"}, 0.95)
    assert paired_accuracies(table, "a")["reference_value"].tolist() == pytest.approx(
        np.minimum(x + 0.05, 1)
    )
    assert (
        robustness_table(table, "linear", 0.95)[0].set_index("dataset").loc["a", "n"]
        == 5
    )
