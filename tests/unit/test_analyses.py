"""Every analysis against direct computation on a small study with made-up predictions.

Logits of mixes are those of a model nearly linear in its weights: the same sum of logits, and
something that grows with the spread of the coefficients, so that soups are no ensembles.
"""

import json
import random
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import log_softmax, softmax
from scipy.stats import beta, binomtest, spearmanr
from sklearn.metrics import cohen_kappa_score

from stockpot import analyses
from stockpot.analyses import diagnosis, growing, landscape, pairs
from stockpot.evaluation import store
from stockpot.evaluation.predictions import predictions
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults
from stockpot.runtime.sealed import write_sealed
from stockpot.tables.evidence import Evidence, NothingToShowError
from stockpot.tables.measurements import measure
from stockpot.tables.shared_names import NOTHING

pytestmark = pytest.mark.slow

ROLES = {
    "held-out": "held-out",
    "blurred": "corrupted",
    "test": "reference",
    "sketch": "shift",
    "small": "shift",
}
SIZES = {
    "held-out": 120,
    "blurred": 80,
    "test": 150,
    "sketch": 100,
    "small": 60,
    "train": 70,
}
TESTS, SHIFTS = ["test", "sketch", "small"], ["sketch", "small"]
PLACES = {"reference": ["test"], "mean of shifts": SHIFTS}
ALPHAS = [0.0, 0.25, 0.5, 0.75, 1.0]
RUNS = ["base", "both", "few", "long"]
VECTORS = {  # the updates of the runs
    "base": np.array([2.0, 0, 0, 0]),
    "both": np.array([1.0, 2, 2, 0]),
    "few": np.array([0.0, 1, -1, 1]),
    "long": np.array([3.0, -4, 0, 1]),
}
SETTINGS = {
    "base": {"lr": 1e-5, "epochs": 10},
    "both": {"lr": 3e-5, "epochs": 10, "second_dataset": "sketch"},
    "few": {"lr": 2e-5, "epochs": 40, "shots": 4},
    "long": {"lr": 1e-4, "epochs": 20},
}
# How much the right logit is raised: on held-out and reference data, and under shift.
GOOD = {
    "zero-shot": (1.0, 1.4),
    "base": (2.8, 0.8),
    "both": (2.4, 1.5),
    "few": (1.8, 1.2),
    "long": (3.0, 0.5),
    "linear": (1.9, 0.9),
    "uniform": (3.0, 1.5),
    "greedy": (3.3, 1.3),
    "ensemble": (2.9, 1.6),
    "cross": (1.7, 1.3),
    "cross-away": (1.2, 1.2),
}


class Study:
    """Labels by data set and logits by model and data set, in a store of predictions."""

    def __init__(self, folder, sizes=SIZES, classes=4):
        self.folder, self.classes, self.rng = folder, classes, np.random.default_rng(7)
        self.store = store.Store(folder / "store")
        self.labels = {d: self.rng.integers(0, classes, n) for d, n in sizes.items()}
        self.common = {d: self.rng.normal(size=(n, classes)) for d, n in sizes.items()}
        self.bend = {d: self.rng.normal(size=(n, classes)) for d, n in sizes.items()}
        for d, labels in self.labels.items():
            np.save(folder / f"{d}.npy", labels)
        self.logits, self.cells, self.models, self.measured = {}, [], {}, {}

    def draw(self, inside: float, outside: float) -> dict[str, np.ndarray]:
        """Logits that are right more often the larger the numbers; models err on like examples."""
        found = {}
        for d, labels in self.labels.items():
            good = outside if ROLES.get(d) in ("shift", "corrupted") else inside
            own = self.rng.normal(size=(len(labels), self.classes))
            found[d] = good * np.eye(self.classes)[labels] + self.common[d] + own
        return found

    def add(self, name, kind, logits, sweep="", alpha=None, like=None, **entry):
        """A model, or a point of a sweep; like: the model whose stored answers it has."""
        logits = self.logits[like] if like else logits
        self.logits[name] = {
            d: scores.astype("float32") for d, scores in logits.items()
        }
        for d in ROLES:
            key, k = self.put(like or name, self.logits[name][d], d)
            self.cells.append(
                {
                    "model": name,
                    "kind": kind,
                    "sweep": sweep,
                    "alpha": alpha,
                    "dataset": d,
                    "n": len(self.labels[d]),
                    "k": k,
                    "classes": self.classes,
                    "key": key,
                    "precision": "fp32",
                }
            )
        if not sweep:
            self.models[name] = {
                "kind": kind,
                "id": f"{name}-1",
                "settings": {},
                "images": 0,
            }
            self.models[name] |= entry

    def put(self, name, logits, dataset) -> tuple[str, int]:
        key = store.store_key({"model": name}, dataset, "fp32")
        found = predictions(
            torch.tensor(logits),
            torch.tensor(self.labels[dataset]),
            keep_logits=True,
        )
        self.store.put(key, found, {"model": name}, dataset)
        return key, found.k

    def sweep(self, end):
        for alpha in ALPHAS:
            like = {0.0: "zero-shot", 1.0: end}.get(alpha)
            recipe = {"zero-shot": 1 - alpha, end: alpha}
            logits = None if like else {d: self.mixed(recipe, d) for d in self.labels}
            self.add(f"{end} alpha={alpha:g}", "wise-ft", logits, end, alpha, like)

    def mixed(self, recipe: dict[str, float], dataset: str) -> np.ndarray:
        """recipe: name -> coefficient."""
        linear = sum(
            c * self.logits[name][dataset].astype(float) for name, c in recipe.items()
        )
        spread = 1 - sum(c**2 for c in recipe.values())
        return (linear + spread * self.bend[dataset]).astype("float32")

    def recipes(
        self, analysis, options=None, runs=tuple(RUNS)
    ) -> list[tuple[dict, dict]]:
        """What the analysis's ``mixes`` yields; a model's digest is "sha " and its name."""
        context = SimpleNamespace(spec={"analysis": analysis}, held_out=self.held_out)
        models = {name: f"sha {name}" for name in ["zero-shot", *runs]}
        found = analyses.load(analysis, "mixes")(
            models, context, with_defaults(analysis, options)
        )
        return list(found)

    def held_out(self, recipe: dict) -> tuple[int, int]:
        right = (
            self.mixed(named(recipe), "held-out").argmax(1) == self.labels["held-out"]
        )
        return int(right.sum()), len(right)

    def mixes(self, analysis, options=None, runs=tuple(RUNS)) -> dict:
        """The file that the job of the mixes writes."""
        roles, cells = ROLES | {"train": "train"}, []
        for labels, recipe in self.recipes(analysis, options, runs):
            for d, role in roles.items():
                if role in analyses.evaluates(analysis):
                    logits = self.mixed(named(recipe), d)
                    self.logits.setdefault(labels["model"], {})[d] = logits
                    key, k = self.put(labels["model"], logits, d)
                    n = len(logits)
                    cells.append(
                        {
                            **labels,
                            "dataset": d,
                            "role": role,
                            "n": n,
                            "k": k,
                            "value": k / n,
                            "key": key,
                        }
                    )
        return {"cells": cells}

    def evidence(self, **more) -> Evidence:
        cells = pd.DataFrame(self.cells)
        if len(cells) not in self.measured:
            self.measured[len(cells)] = measure(cells.drop(columns="key"), ROLES, 0.95)
        return Evidence(
            **{
                "measurements": self.measured[len(cells)],
                "evaluations": [{"cells": self.cells}],
                "store": self.folder / "store",
                "labels": {d: self.folder / f"{d}.npy" for d in ROLES},
                "models": self.models,
                "results": self.folder,
            }
            | more
        )

    def right(self, model, dataset) -> np.ndarray:
        return self.logits[model][dataset].argmax(1) == self.labels[dataset]

    def mean(self, model, *sets) -> float:
        return float(np.mean([self.right(model, d).mean() for d in sets]))


def named(recipe: dict) -> dict[str, float]:
    return {sha.removeprefix("sha "): c for sha, c in recipe["ingredients"].items()}


def with_defaults(analysis, options=None) -> dict:
    return defaults(analyses.options(analysis)) | (options or {})


def tabulate(analysis: str, evidence: Evidence, options=None) -> pd.DataFrame:
    return analyses.load(analysis)(evidence, with_defaults(analysis, options))


def products(vectors: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = [
        (a, b, float(u @ v)) for a, u in vectors.items() for b, v in vectors.items()
    ]
    return pd.DataFrame(rows, columns=["model", "other_model", "inner_product"])


def small_study(folder, runs=(), sweeps=(), sizes=SIZES, classes=4) -> Study:
    """A zero-shot model, end-to-end runs and sweeps to some of them."""
    found = Study(folder, sizes, classes)
    for name in ["zero-shot", *runs]:
        kind, settings = "end-to-end", {"settings": SETTINGS.get(name, {})}
        if name == "zero-shot":
            kind, settings = name, {}
        found.add(name, kind, found.draw(*GOOD.get(name, GOOD["base"])), **settings)
    for end in sweeps:
        found.sweep(end)
    return found


def write_benchmark(folder, job_id: str, *rows: tuple[str, str]) -> None:
    """As Snakemake does; a row per repetition: seconds and MiB."""
    path = folder / "benchmarks" / f"{job_id}.tsv"
    path.parent.mkdir(exist_ok=True)
    head = [
        "s",
        "h:m:s",
        "max_rss",
        "max_vms",
        "max_uss",
        "max_pss",
        "io_in",
        "io_out",
        "mean_load",
        "cpu_time",
    ]
    lines = [
        head,
        *([s, "0:00:01", "9", "9", uss, "9", "0", "0", "1", "1"] for s, uss in rows),
    ]
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def make_study(folder) -> Study:
    found = small_study(folder)
    for name in RUNS:
        base = {
            "variant": "end-to-end",
            "seed": len(name),
            "shots": 0,
            "second_dataset": "",
        }
        images = SETTINGS[name]["epochs"] * 100
        settings = (
            base | SETTINGS[name] | ({"init_from": "base"} if name == "few" else {})
        )
        found.add(
            name,
            "end-to-end",
            found.draw(*GOOD[name]),
            settings=settings,
            images=images,
        )
    settings = {"lr": 1e-3, "variant": "linear-classifier"}
    found.add(
        "linear", "linear-classifier", found.draw(*GOOD["linear"]), settings=settings
    )
    made = {
        "uniform": ("uniform", ["base", "long"]),
        "greedy": ("greedy", RUNS),
        "ensemble": ("logit-ensemble", ["base", "few"]),
        "cross": ("uniform", ["zero-shot", "base", "cars"]),
        "cross-away": ("uniform", ["zero-shot", "cars"]),
    }
    for name, (kind, ingredients) in made.items():
        settings = {"towers_only": name.startswith("cross")}
        more = {"settings": settings, "ingredients": ingredients}
        found.add(name, kind, found.draw(*GOOD[name]), **more)
    # Runs of another task, and those that diverged, have no results.
    for name, settings in (
        ("cars", {"task": "cars"}),
        ("gone", {"lr": 1.0, "epochs": 10}),
    ):
        found.models[name] = {"kind": "end-to-end", "settings": settings, "images": 0}
    found.sweep("base")
    found.sweep("few")
    for name, rows in {
        "base": [("10.5", "100"), ("11.5", "300")],
        "few": [("4", "-")],
        "long": [("20", "400")],
        "uniform": [("1", "50")],
        "ensemble": [("2", "60")],
        "greedy": [("3", "70")],
    }.items():
        write_benchmark(folder, f"{name}-1", *rows)
    found.recipe_files = {}
    for name, recipe in {
        "ensemble": {
            "rule": "logit-ensemble",
            "ingredients": {"sha base": 0.5, "sha few": 0.5},
        },
        "greedy": {
            "rule": "linear",
            "ingredients": {"sha long": 0.5, "sha base": 0.5},
            "ingredient_names": dict.fromkeys(RUNS, "sha"),
            "trace": TRACE,
            "method": "greedy",
        },
        "uniform": {
            "rule": "linear",
            "ingredients": {"sha long": 0.5, "sha base": 0.5},
        },
    }.items():
        found.recipe_files[name] = folder / f"{name}.json"
        write_sealed(found.recipe_files[name], recipe)
    found.geometry = products(VECTORS)
    return found


TRACE = [
    {"candidate": "long", "alone_k": 110, "soup_k": 110, "n": 120, "accepted": True},
    {"candidate": "base", "alone_k": 108, "soup_k": 112, "n": 120, "accepted": True},
    {"candidate": "both", "alone_k": 104, "soup_k": 111, "n": 120, "accepted": False},
    {"candidate": "few", "alone_k": 95, "soup_k": 60, "n": 120, "accepted": False},
]
OPTIONS = {
    "landscape": {"points_per_side": 4, "margin": 0.25},
    "calibration": {"bins": 10},
}


def make_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Every analysis's table of the study."""
    found = {}
    for name in analyses.names():
        mixes = (
            study.mixes(name, OPTIONS.get(name)) if analyses.evaluates(name) else None
        )
        evidence = study.evidence(
            mixes=mixes, geometry=study.geometry, recipes=study.recipe_files
        )
        found[name] = tabulate(name, evidence, OPTIONS.get(name))
    return found


@cache
def made(once_value) -> tuple[Study, dict[str, pd.DataFrame]]:
    """The study and its tables, once for this file and that of the figures, and all workers."""

    def make(folder: Path) -> tuple[Study, dict[str, pd.DataFrame]]:
        study = make_study(folder)
        return study, make_tables(study)

    return once_value("unit-analyses", make)


@pytest.fixture(scope="module")
def study(once_value) -> Study:
    return made(once_value)[0]


@pytest.fixture(scope="module")
def tables(once_value) -> dict[str, pd.DataFrame]:
    return made(once_value)[1]


@pytest.fixture(scope="module")
def poor(tmp_path_factory) -> Evidence:
    """A study of the zero-shot model alone."""
    return small_study(tmp_path_factory.mktemp("poor")).evidence(geometry=products({}))


def row(table: pd.DataFrame, **values) -> pd.Series:
    """The one row with these values."""
    for column, value in values.items():
        table = table[table[column] == value]
    assert len(table) == 1, values
    return table.iloc[0]


def check_interval(value, low, high, terms: list[tuple[float, list[np.ndarray]]]):
    """The value is exact, the ends are near those of resampled examples."""
    sets = [sum(c * arrays[i] for c, arrays in terms) for i in range(len(terms[0][1]))]
    assert value == pytest.approx(np.mean([added.mean() for added in sets]), abs=1e-12)
    rng, drawn = np.random.default_rng(3), []
    for added in sets:
        drawn.append(
            added[rng.integers(0, len(added), (4000, len(added)))].mean(axis=1)
        )
    ends = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    assert [low, high] == pytest.approx(ends, abs=0.008)


def probabilities(logits) -> np.ndarray:
    return softmax(logits.astype(float), axis=1)


def nll(logits, labels) -> float:
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


def ece(logits, labels, bins: int) -> float:
    """Bin by bin."""
    p, total = softmax(logits, axis=1).max(1), 0.0
    right = logits.argmax(1) == labels
    for b in range(bins):
        own = (p >= b / bins) & ((p < (b + 1) / bins) | (b == bins - 1))
        if own.any():
            total += own.sum() * abs(right[own].mean() - p[own].mean())
    return total / len(labels)


def test_all_analyses_are_there():
    assert analyses.names() == [
        "brittleness",
        "calibration",
        "choosing-alpha",
        "chords",
        "comparisons",
        "cost",
        "diagnosis",
        "diversity",
        "frontier",
        "growing",
        "joint",
        "landscape",
        "low-shot",
        "members",
        "overrides",
        "pairs",
    ]
    with pytest.raises(
        StockpotError, match="unknown analysis 'evidence'; there are brittleness"
    ):
        analyses.load("evidence")


@pytest.mark.parametrize("name", analyses.names())
def test_the_short_table_has_no_missing_cell_and_no_more_rows(name, tables):
    short = analyses.short_table_of(name)(tables[name])
    assert 0 < len(short) <= len(tables[name])
    texts = short.astype(str).to_numpy().ravel()
    assert not {"nan", "nan [nan, nan]", "+nan", "None"} & set(texts)


NEEDED = {
    "brittleness": "three end-to-end runs that differ in a hyperparameter",
    "choosing-alpha": "alpha is chosen on a sweep, and this study has none",
    "chords": "a chord needs a sweep with alpha 0, alpha 1 and an alpha between them",
    "comparisons": "a comparison needs two models",
    "cost": "there are no times",
    "diagnosis": "a diagnosis needs two ingredients",
    "diversity": "diversity needs two models, and this study has one",
    "frontier": "a frontier is a sweep, and this study has none",
    "growing": "a growing soup needs two end-to-end runs",
    "joint": "a run with the option second_dataset, and a sweep",
    "landscape": "a plane needs two end-to-end runs",
    "low-shot": "needs sweeps of runs with the option shots",
    "members": "needs soups with towers_only: true",
    "overrides": "overrides need the end models of a sweep, and this study has no sweep",
    "pairs": "a pair needs two end-to-end runs",
}


@pytest.mark.parametrize("name", NEEDED)
def test_a_study_of_one_model_is_told_what_it_lacks(name, poor):
    with pytest.raises(NothingToShowError, match=NEEDED[name]) as raised:
        tabulate(name, poor)
    table = raised.value.table()
    assert list(table) == [NOTHING]
    assert table.iloc[0, 0].startswith("Nothing to show: ")


def test_only_calibration_has_something_to_say_of_one_model(poor):
    assert set(analyses.names()) - set(NEEDED) == {"calibration"}
    assert set(tabulate("calibration", poor)["model"]) == {"zero-shot"}


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("brittleness", {"models": ["base", "gone"]}, "there is no result of gone"),
        ("comparisons", {"pairs": [["base", "gone"]]}, "there is no result of gone"),
        ("frontier", {"sweep": "long"}, "there is no sweep of 'long'"),
        ("diagnosis", {"soup": "broth"}, "there is no soup 'broth'"),
    ],
)
def test_an_option_that_names_what_is_not_there(name, options, text, study):
    with pytest.raises(NothingToShowError, match=text):
        tabulate(name, study.evidence(geometry=study.geometry), options)


# choosing-alpha


def test_choosing_alpha_sees_what_the_predictions_say(study, tables):
    evidence = study.evidence()
    points = evidence.sweeps()["base"]
    sweep = analyses.load("choosing-alpha", "selection_curve")(evidence, points)
    models = [f"base alpha={a:g}" for a in ALPHAS]
    assert list(points["model"]) == models
    assert list(points["alpha"]) == ALPHAS
    for i, model in enumerate(models):
        assert sweep["held_out"][i] == pytest.approx(study.mean(model, "held-out"))
        assert sweep["corrupted"][i] == pytest.approx(study.mean(model, "blurred"))
        assert sweep["reference"][i] == pytest.approx(study.mean(model, "test"))
        assert sweep["shifts"][i] == pytest.approx(study.mean(model, *SHIFTS))
        entropy, shares = [], []
        known = np.sort(probabilities(study.logits[model]["held-out"]).max(1))
        wrong = int((~study.right(model, "held-out")).sum())
        for d in SHIFTS:
            p = probabilities(study.logits[model][d])
            entropy.append(-(p * np.log(p)).sum(1).mean())
            shares.append((p.max(1) > known[wrong - 1]).mean())
        assert sweep["entropy"][i] == pytest.approx(np.mean(entropy))
        assert sweep["thresholded"][i] == pytest.approx(np.mean(shares))
    assert (sweep["n"] == 120).all()
    assert sweep["agreement"].between(0, 1).all()

    table = tables["choosing-alpha"]
    assert set(table["sweep"]) == {"base", "few"}
    assert table["n_shifts"].unique() == [160]
    assert table["n_held_out"].unique() == [120]
    shifts = {a: study.mean(m, *SHIFTS) for a, m in zip(ALPHAS, models)}
    best = row(table, sweep="base", selector="oracle-shifts")
    assert best["alpha"] == max(ALPHAS, key=shifts.get)
    assert best["regret_shifts"] == 0
    half = row(table, sweep="base", selector="half")
    assert half["alpha"] == 0.5
    assert half["regret_shifts"] == pytest.approx(max(shifts.values()) - shifts[0.5])
    greedy = row(table, sweep="base", selector="held-out")
    held_out = {a: study.mean(m, "held-out") for a, m in zip(ALPHAS, models)}
    assert greedy["alpha"] == max(ALPHAS, key=held_out.get)

    short = analyses.short_table_of("choosing-alpha")(table)
    both = [study.mean(f"{run} alpha=0.5", *SHIFTS) for run in ("base", "few")]
    cell = row(short, selector="fixed 0.5")
    assert (cell["sweeps"], cell["alpha"]) == (2, "0.5")
    assert cell["mean of shifts"] == f"{100 * np.mean(both):.1f}"


def test_without_logits_alpha_is_chosen_without_entropy(tmp_path):
    study = small_study(tmp_path, ["base"], ["base"])
    for cell in study.cells:
        scores, labels = (
            study.logits[cell["model"]][cell["dataset"]],
            study.labels[cell["dataset"]],
        )
        bare = predictions(
            torch.tensor(scores), torch.tensor(labels), keep_logits=False
        )
        study.store.path(cell["key"]).unlink(missing_ok=True)
        study.store.put(cell["key"], bare, {}, "")
    table = tabulate("choosing-alpha", study.evidence())
    assert "confidence" in set(table["selector"])
    assert "entropy" not in set(table["selector"])
    with pytest.raises(StockpotError, match="store_logits: true keeps them"):
        tabulate("overrides", study.evidence())


def test_damaged_logits_are_named_where_alpha_is_chosen(tmp_path):
    """Only logits that were never kept leave out the entropy without a word."""
    study = small_study(tmp_path, ["base"], ["base"])
    cell = next(c for c in study.cells if c["dataset"] in SHIFTS and c["sweep"])
    path = study.store.path(cell["key"])
    content = bytearray(path.read_bytes())
    header_size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + header_size])
    first_byte = 8 + header_size + header["logits"]["data_offsets"][0]
    content[first_byte] ^= 1
    path.write_bytes(content)
    with pytest.raises(StockpotError, match="damaged"):
        tabulate("choosing-alpha", study.evidence())


# comparisons


def test_comparisons_test_the_same_examples(study, tables):
    table = tables["comparisons"]
    best = max(RUNS, key=lambda m: study.mean(m, "held-out"))
    assert set(table["against"]) == {best, "zero-shot"}
    singles = {m for m in study.models if m in study.logits} - {best, "zero-shot"}
    assert set(table["model"]) == singles | {"base alpha=0.5", "few alpha=0.5", best}
    assert table.loc[table["model"] == best, "against"].unique().tolist() == [
        "zero-shot"
    ]
    for on, sets in [("test", ["test"]), ("mean of shifts", SHIFTS)]:
        found = row(table, model="greedy", against="zero-shot", dataset=on)
        terms = [[study.right(m, d) for d in sets] for m in ("greedy", "zero-shot")]
        check_interval(
            found["difference"],
            found["low"],
            found["high"],
            [(1, terms[0]), (-1, terms[1])],
        )
        assert found["n"] == sum(map(len, terms[0]))
    here, there = (study.right(m, "small") for m in ("linear", "zero-shot"))
    p = binomtest(int((here & ~there).sum()), int((here ^ there).sum())).pvalue
    assert row(table, model="linear", against="zero-shot", dataset="small")[
        "p"
    ] == pytest.approx(p)
    ordered = table.sort_values("p")
    holm = np.maximum.accumulate(ordered["p"] * np.arange(len(table), 0, -1)).clip(
        upper=1
    )
    assert np.allclose(ordered["p_corrected"], holm)
    short = analyses.short_table_of("comparisons")(table)
    found = row(table, model="uniform", against="zero-shot", dataset="mean of shifts")
    text = row(short, model="uniform", against="zero-shot", dataset="mean of shifts")[
        "difference"
    ]
    assert (
        text
        == f"{100 * found.difference:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    )
    assert set(short["dataset"]) == {"test", "mean of shifts"}


def test_pairs_that_are_given_are_compared_and_no_others(study):
    given = [["base alpha=0.5", "linear"]]
    table = tabulate("comparisons", study.evidence(), {"pairs": given})
    assert table[["model", "against"]].drop_duplicates().to_numpy().tolist() == given
    gain = study.mean("base alpha=0.5", "small") - study.mean("linear", "small")
    assert row(table, dataset="small")["difference"] == pytest.approx(gain)


def test_one_run_is_compared_with_the_zero_shot_model(tmp_path):
    table = tabulate("comparisons", small_study(tmp_path, ["base"]).evidence())
    assert set(zip(table["model"], table["against"])) == {("base", "zero-shot")}


# chords


def test_chords_are_between_the_ends_of_a_sweep(study, tables):
    table = tables["chords"]
    assert sorted(table["alpha"].unique()) == [0.25, 0.5, 0.75]
    assert list(table["dataset"].unique()) == [*TESTS, "mean of shifts"]
    for on, sets in {"test": ["test"], "mean of shifts": SHIFTS}.items():
        found = row(table, sweep="base", dataset=on, alpha=0.25)
        start, end, mix = (
            [study.right(m, d) for d in sets]
            for m in ("zero-shot", "base", "base alpha=0.25")
        )
        check_interval(
            found["distance"],
            found["low"],
            found["high"],
            [(1, mix), (-0.75, start), (-0.25, end)],
        )
        better = max(("zero-shot", "base"), key=lambda m: study.mean(m, *sets))
        best = [study.right(better, d) for d in sets]
        check_interval(
            found["gain_over_better_end"],
            found["gain_over_better_end_low"],
            found["gain_over_better_end_high"],
            [(1, mix), (-1, best)],
        )
        assert found["accuracy"] == pytest.approx(study.mean("base alpha=0.25", *sets))
    own = table[(table["sweep"] == "few") & (table["dataset"] == "sketch")]
    least = own.loc[own["distance"].idxmin()]
    text = row(analyses.short_table_of("chords")(table), sweep="few", dataset="sketch")[
        "least above the chord (oracle)"
    ]
    assert text.startswith(f"{100 * least['distance']:+.1f} [")
    assert text.endswith(f"at alpha {least['alpha']:g}")


# diversity, overrides, calibration


def test_diversity_is_that_of_every_pair(study, tables):
    table = tables["diversity"]
    assert table.groupby("pair_type", sort=False)["dataset"].size().to_dict() == {
        "zero-shot and end-to-end": 12,
        "zero-shot and linear": 3,
        "two end-to-end": 18,
    }
    one, other = (study.logits[m]["small"].astype(float) for m in ("zero-shot", "long"))
    found = row(table, model="zero-shot", other_model="long", dataset="small")
    right = [study.right(m, "small") for m in ("zero-shot", "long")]
    assert found["prediction_diversity"] == pytest.approx((right[0] ^ right[1]).mean())
    kappa = cohen_kappa_score(one.argmax(1), other.argmax(1))
    assert found["kappa_complement"] == pytest.approx(1 - kappa)
    p, q = probabilities(one), probabilities(other)
    assert found["divergence"] == pytest.approx((p * np.log(p / q)).sum(1).mean())
    centre = np.eye(60) - 1 / 60
    k, m = (centre @ x @ x.T @ centre for x in (one, other))
    aligned = (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert found["cka_complement"] == pytest.approx(1 - aligned)
    assert found["n"] == 60

    own = table[(table["pair_type"] == "two end-to-end") & (table["dataset"] == "test")]
    cell = row(
        analyses.short_table_of("diversity")(table),
        pair_type="two end-to-end",
        dataset="test",
    )
    assert cell["divergence"] == f"{own['divergence'].mean():.3f}"
    few = tabulate("diversity", study.evidence(), {"models": ["base", "linear"]})
    assert set(few["other_model"]) == {"base", "linear"}
    assert set(few["model"]) == {"zero-shot"}
    named = tabulate(
        "diversity", study.evidence(), {"pairs": [["greedy", "base alpha=0.5"]]}
    )
    assert named[
        ["pair_type", "model", "other_model"]
    ].drop_duplicates().to_numpy().tolist() == [["pair", "greedy", "base alpha=0.5"]]


def test_overrides_are_counted_one_by_one(study, tables):
    table = tables["overrides"]
    assert set(zip(table["sweep"], table["dataset"])) == {
        (c, d) for c in ("base", "few") for d in TESTS
    }
    zero, tuned = (
        study.logits[m]["sketch"].astype(float) for m in ("zero-shot", "base")
    )
    differ = first = second = 0
    for a, b in zip(zero, tuned):
        if a.argmax() != b.argmax():
            differ += 1
            first += (a + b).argmax() == a.argmax()
            second += (a + b).argmax() == b.argmax()
    found = row(table, sweep="base", dataset="sketch")
    shares = found[
        ["disagreement", "zero_shot_overrides", "target_overrides"]
    ].to_list()
    assert np.multiply(shares, 100) == pytest.approx([differ, first, second])
    margins = [
        np.mean([np.sort(x)[-1] - np.sort(x)[-2] for x in scores])
        for scores in (zero, tuned)
    ]
    assert [found["zero_shot_margin"], found["target_margin"]] == pytest.approx(margins)
    cell = row(
        analyses.short_table_of("overrides")(table), sweep="base", dataset="sketch"
    )
    assert cell["disagreement"] == f"{differ:.1f}"
    assert cell["target_margin"] == f"{margins[1]:.2f}"


def test_calibration_of_models_and_of_their_bins(study, tables):
    table = tables["calibration"]
    whole = table[table["bin"].isna()]
    assert "base alpha=0.5" in set(whole["model"])
    assert "base alpha=0.25" not in set(whole["model"])
    logits, labels = (
        study.logits["long"]["sketch"].astype(float),
        study.labels["sketch"],
    )
    found = row(whole, model="long", dataset="sketch")
    p = probabilities(logits)
    assert found["ece"] == pytest.approx(ece(logits, labels, 10))
    assert found["nll"] == pytest.approx(nll(logits, labels))
    assert found["brier"] == pytest.approx(((p - np.eye(4)[labels]) ** 2).sum(1).mean())
    assert found["confidence"] == pytest.approx(p.max(1).mean())
    assert found["accuracy"] == pytest.approx(study.mean("long", "sketch"))
    # The temperature is that of the held-out set, and no other of a fine grid is better there.
    t = found["temperature"]
    known = study.logits["long"]["held-out"].astype(float), study.labels["held-out"]
    least = min(nll(known[0] / u, known[1]) for u in np.geomspace(0.05, 20, 400))
    assert nll(known[0] / t, known[1]) <= least + 1e-9
    assert found["nll_scaled"] == pytest.approx(nll(logits / t, labels))
    assert found["ece_scaled"] == pytest.approx(ece(logits / t, labels, 10))
    bins = table[
        (table["model"] == "long")
        & (table["dataset"] == "sketch")
        & table["bin"].notna()
    ]
    assert list(bins["bin"]) == list(range(10))
    assert bins["n"].sum() == 100
    own = (p.max(1) >= 0.9) & (p.max(1) <= 1)
    assert bins["n"].iloc[-1] == own.sum()
    assert bins["accuracy"].iloc[-1] == pytest.approx(
        study.right("long", "sketch")[own].mean()
    )

    cell = row(analyses.short_table_of("calibration")(table), model="long")
    shifts = [
        ece(study.logits["long"][d].astype(float), study.labels[d], 10) for d in SHIFTS
    ]
    assert cell["shifts ece"] == f"{100 * np.mean(shifts):.1f}"
    assert cell["temperature"] == f"{t:.2f}"


# brittleness, low-shot, joint, members


@pytest.mark.parametrize("name", ["brittleness", "choosing-alpha", "frontier"])
def test_the_only_shift_is_named_and_not_called_a_mean(tables, name):
    several = analyses.for_people(name, tables[name], ["a", "b"])
    one = analyses.for_people(name, tables[name], ["sketch"])
    assert "mean of shifts" in several
    assert "sketch" not in several
    assert "sketch" in one
    assert "mean of shifts" not in one
    assert one["sketch"].tolist() == several["mean of shifts"].tolist()


def test_brittleness_ranks_runs_by_each_hyperparameter_that_differs(study, tables):
    table = tables["brittleness"]
    assert list(table["hyperparameter"].unique()) == ["shots", "lr", "epochs"]
    assert set(table["run"]) == set(RUNS)
    reference = [study.mean(run, "test") for run in RUNS]
    shifts = [study.mean(run, *SHIFTS) for run in RUNS]
    lr = [SETTINGS[run]["lr"] for run in RUNS]
    found = row(table, run="few", hyperparameter="lr")
    assert found["value"] == 2e-5
    assert found["held_out"] == pytest.approx(study.mean("few", "held-out"))
    assert found["rank_correlation_reference"] == pytest.approx(
        spearmanr(lr, reference).statistic
    )
    assert found["rank_correlation_shifts"] == pytest.approx(
        spearmanr(lr, shifts).statistic
    )
    assert found["alpha_half_shifts"] == pytest.approx(
        study.mean("few alpha=0.5", *SHIFTS)
    )
    assert np.isnan(row(table, run="long", hyperparameter="lr")["alpha_half_reference"])
    short = analyses.short_table_of("brittleness")(table).set_index("statistic")
    assert short["reference"].iloc[0] == f"{100 * np.ptp(reference):.1f}"
    mixed = [study.mean(f"{run} alpha=0.5", *SHIFTS) for run in ("base", "few")]
    assert short["mean of shifts"].iloc[2] == f"{100 * np.ptp(mixed):.1f}"
    swept = [study.mean(run, *SHIFTS) for run in ("base", "few")]
    assert short["mean of shifts"].iloc[1] == f"{100 * np.ptp(swept):.1f}"
    ranks = short.loc["rank correlation with lr"]
    assert ranks["reference"] == f"{spearmanr(lr, reference).statistic:+.2f}"


def test_low_shot_mixes_are_compared_with_both_ends(study, tables):
    table = tables["low-shot"]
    assert list(table["run"].unique()) == ["few", "base"]
    assert list(table["shots"].drop_duplicates().fillna(-1)) == [4, -1]
    models = {a: f"few alpha={a:g}" for a in ALPHAS}
    held_out = {a: study.mean(m, "held-out") for a, m in models.items()}
    near = max(held_out.values()) - 0.01
    wanted = {
        "half": 0.5,
        "held-out": max(ALPHAS, key=held_out.get),
        "within-point": min(a for a in ALPHAS if held_out[a] >= near),
    }
    for selector, alpha in wanted.items():
        for on, sets in PLACES.items():
            found = row(table, run="few", selector=selector, dataset=on)
            assert found["alpha"] == alpha
            means = {
                m: study.mean(m, *sets) for m in (models[alpha], "zero-shot", "few")
            }
            assert found[
                ["accuracy", "zero_shot", "target"]
            ].to_list() == pytest.approx(list(means.values()))
            better = max(("zero-shot", "few"), key=means.get)
            for what, other in {
                "zero_shot": "zero-shot",
                "target": "few",
                "better_end": better,
            }.items():
                ends = (
                    found[f"gain_over_{what}{end}"] for end in ("", "_low", "_high")
                )
                terms = [
                    [study.right(m, d) for d in sets] for m in (models[alpha], other)
                ]
                check_interval(*ends, [(1, terms[0]), (-1, terms[1])])
    cell = row(
        analyses.short_table_of("low-shot")(table),
        run="few",
        selector="half",
        dataset="reference",
    )
    assert (cell["shots"], cell["alpha"]) == ("4", "0.5")
    assert cell["accuracy"] == f"{100 * study.mean('few alpha=0.5', 'test'):.1f}"


def test_joint_training_is_compared_with_every_alpha(study, tables):
    table = tables["joint"]
    assert set(table["sweep"]) == {"base"}, "the sweep with shots is not compared"
    assert set(table["joint_run"]) == {"both"}
    assert set(table["second_dataset"]) == {"sketch"}
    assert len(table) == len(ALPHAS) * 4
    for on, sets in {"small": ["small"], "mean of shifts": SHIFTS}.items():
        found = row(table, alpha=0.75, dataset=on)
        mix, run = (
            [study.right(m, d) for d in sets] for m in ("base alpha=0.75", "both")
        )
        check_interval(
            found["difference"], found["low"], found["high"], [(1, mix), (-1, run)]
        )
        assert found["accuracy"] == pytest.approx(study.mean("base alpha=0.75", *sets))
        assert found["joint_accuracy"] == pytest.approx(study.mean("both", *sets))
    cell = row(analyses.short_table_of("joint")(table), dataset="test")
    assert cell["sweep"] == "base, alpha 0.5"
    assert cell["joint"] == f"{100 * study.mean('both', 'test'):.1f}"


def test_a_sweep_to_the_joint_run_itself_is_none_that_has_seen_no_shift(tmp_path):
    study = small_study(tmp_path, ["base", "both"], ["base", "both"])
    assert set(tabulate("joint", study.evidence())["sweep"]) == {"base"}


def test_the_run_on_all_images_beside_few_shots_has_seen_no_shift(tmp_path):
    runs = ["both", "few", "long"]
    table = tabulate("low-shot", small_study(tmp_path, runs, runs).evidence())
    assert list(table["run"].unique()) == ["few", "long"]


def test_members_of_soups_of_towers(study, tables):
    table = tables["members"]
    assert list(table["soup"]) == ["cross-away", "cross"], (
        "those that saw the task come last"
    )
    found = row(table, soup="cross")
    assert found["ingredients"] == "base + cars"
    assert found["ingredient_count"] == 2
    assert found["tasks"] == "own + cars"
    assert found["includes_own_task"]
    assert not row(table, soup="cross-away")["includes_own_task"]
    terms = [
        (1, [study.right("cross", "test")]),
        (-1, [study.right("zero-shot", "test")]),
    ]
    check_interval(found["gain_over_zero_shot"], found["low"], found["high"], terms)
    cell = row(analyses.short_table_of("members")(table), ingredients="base + cars")
    assert cell["own task among them"] == "yes"
    assert cell["accuracy"] == f"{100 * study.mean('cross', 'test'):.1f}"


# frontier


def exact(counts: dict[str, int]) -> Callable:
    """Logits by data set that are right on the first so many examples."""

    def logits(study):
        found = {}
        for d, labels in study.labels.items():
            answer = labels.copy()
            answer[counts.get(d, 0) :] = (
                labels[counts.get(d, 0) :] + 1
            ) % study.classes
            found[d] = 3 * np.eye(study.classes)[answer]
        return found

    return logits


def curve_study(
    folder, sweep: list[tuple[int, int]], singles: dict[str, tuple[int, int]]
) -> Study:
    """A sweep and other models, each by how many it has right: of 100 there, of 100 under shift."""
    study = Study(folder, dict.fromkeys(ROLES, 100))
    for i, (x, y) in enumerate(sweep):
        logits = exact({"test": x, "sketch": y, "small": y, "held-out": x})(study)
        study.add(f"base alpha={i}", "wise-ft", logits, "base", i / (len(sweep) - 1))
    for name, (x, y) in singles.items():
        logits = exact({"test": x, "sketch": y, "small": y, "held-out": x})(study)
        study.add(name, {"base": "end-to-end"}.get(name, "uniform"), logits)
    return study


def test_frontier_gap_on_between_beyond_and_below_the_curve(tmp_path):
    singles = {"on": (65, 60), "over": (75, 59), "beyond": (90, 52), "under": (40, 30)}
    singles["base"] = (80, 50)
    study = curve_study(tmp_path, [(50, 50), (60, 64), (70, 56), (80, 50)], singles)
    table = tabulate("frontier", study.evidence())
    found = table.set_index("model")
    # Half way from (60, 64) to (70, 56) lies (65, 60).
    assert found.loc["on", "gap_to_sweep"] == pytest.approx(0, abs=1e-12)
    assert not found.loc["on", "reference_above_sweep"]
    assert found.loc["on", "alpha"] == pytest.approx(0.5)
    assert found.loc["over", "gap_to_sweep"] == pytest.approx(0.06)
    assert not found.loc["over", "reference_above_sweep"]
    assert found.loc["beyond", "gap_to_sweep"] == pytest.approx(0.02)
    assert found.loc["beyond", "reference_above_sweep"]
    assert found.loc["under", "gap_to_sweep"] == pytest.approx(0.30 - 0.50)
    assert found.loc["base", "gap_to_sweep"] == pytest.approx(0)
    assert found.loc["base", "alpha"] == 1
    assert list(table["model"])[:2] == ["over", "beyond"]
    assert table["model"].iloc[-1] == "under"
    terms = [(1, "over"), (-0.5, "base alpha=2"), (-0.5, "base alpha=3")]
    terms = [(c, [study.right(m, d) for d in SHIFTS]) for c, m in terms]
    check_interval(*found.loc["over", ["gap_to_sweep", "low", "high"]], terms)
    short = analyses.short_table_of("frontier")(table).set_index("model")[
        "gap to the sweep of base"
    ]
    assert short["beyond"].startswith("+2.0 [")
    assert short["beyond"].endswith("] (beyond it)")
    assert short["over"].startswith("+6.0 [")
    assert "beyond" not in short["over"]


def test_frontier_takes_the_better_point_where_the_curve_has_an_accuracy_twice(
    tmp_path,
):
    study = curve_study(tmp_path, [(50, 50), (70, 60), (50, 70)], {"back": (60, 62)})
    found = row(tabulate("frontier", study.evidence(), {"sweep": "base"}), model="back")
    assert found["gap_to_sweep"] == pytest.approx(0.62 - 0.65)
    assert found["alpha"] == pytest.approx(0.75)


def test_frontier_of_a_curve_that_ends_level(tmp_path):
    study = curve_study(tmp_path, [(50, 50), (70, 60), (70, 66)], {"soup": (70, 66)})
    found = row(tabulate("frontier", study.evidence(), {"sweep": "base"}), model="soup")
    assert found["gap_to_sweep"] == pytest.approx(0, abs=1e-12)
    assert found["alpha"] == 1


def test_frontier_of_the_whole_study(study, tables):
    table = tables["frontier"]
    assert set(table["sweep"]) == {"base"}, (
        "the better of the two sweeps on held-out data"
    )
    assert set(table["model"]) == set(study.models) - {"gone", "cars"}
    assert (np.diff(table["gap_to_sweep"]) <= 1e-12).all(), "best on top"
    models = [f"base alpha={a:g}" for a in ALPHAS]
    x, y = ([study.mean(m, *sets) for m in models] for sets in (["test"], SHIFTS))
    for found in table.itertuples():
        at = study.mean(found.model, "test")
        assert found.reference_above_sweep == (at > max(x))
        lines = [
            np.interp(at, *zip(*sorted([(x[i], y[i]), (x[i + 1], y[i + 1])])))
            for i in range(4)
            if min(x[i : i + 2]) <= at <= max(x[i : i + 2])
        ]
        if lines:
            assert found.gap_to_sweep == pytest.approx(
                study.mean(found.model, *SHIFTS) - max(lines)
            )


# cost


def test_cost_adds_the_jobs_that_a_model_follows_from(study, tables):
    table = tables["cost"].set_index("model")
    assert set(table.index) == {"base", "few", "long", "uniform", "ensemble", "greedy"}
    assert table.loc[
        "base", ["job_seconds", "total_seconds", "memory_mib"]
    ].to_list() == [
        11,
        11,
        200,
    ]
    assert table.loc["few", "total_seconds"] == 4 + 11, "it starts from base"
    assert np.isnan(table.loc["few", "memory_mib"])
    assert table.loc["uniform", "total_seconds"] == 1 + 11 + 20
    assert table.loc["ensemble", "total_seconds"] == 2 + 4 + 11, "base counts once"
    assert np.isnan(table.loc["greedy", "total_seconds"]), (
        "the time of both is not known"
    )
    assert table.loc["uniform", "training_images"] == 1000 + 2000
    assert table.loc["few", "training_images"] == 4000 + 1000
    assert table["forward_passes"].to_dict() == {
        "base": 1,
        "few": 1,
        "long": 1,
        "uniform": 1,
        "greedy": 1,
        "ensemble": 2,
    }
    best = max(RUNS, key=lambda m: study.mean(m, "held-out"))
    gain = study.mean("uniform", *SHIFTS) - study.mean(best, *SHIFTS)
    assert table.loc["uniform", "gain_over_best_run_shifts"] == pytest.approx(gain)
    short = analyses.short_table_of("cost")(tables["cost"]).set_index("model")
    assert short.loc["uniform", "with ingredients, s"] == "32.0"
    assert short.loc["greedy", "with ingredients, s"] == ""
    assert short.loc["few", "memory, MiB"] == ""
    assert short.loc["uniform", "shifts, points"] == f"{100 * gain:+.1f}"
    assert short.loc["few", "images trained on"] == "5,000"


def test_cost_without_an_end_to_end_run_has_no_gain_to_show(tmp_path):
    study = small_study(tmp_path)
    study.add("linear", "linear-classifier", study.draw(*GOOD["linear"]))
    write_benchmark(tmp_path, "linear-1", ("5", "80"))
    table = tabulate("cost", study.evidence())
    assert table["gain_over_best_run_reference"].isna().all()
    assert analyses.short_table_of("cost")(table).loc[0, "reference, points"] == ""


# pairs


def test_pairs_mix_every_two_runs_in_half_and_a_step_to_each_side(study):
    recipes = study.recipes("pairs", {"alpha_step": 0.2})
    assert len(recipes) == 3 * 6
    for labels, recipe in recipes:
        shares = named(recipe)
        assert sum(shares.values()) == pytest.approx(1)
        alpha = float(labels["model"].split(" at ")[1])
        assert shares == pytest.approx(
            {labels["run"]: 1 - alpha, labels["other_run"]: alpha}
        )
    assert {labels["model"].split(" at ")[1] for labels, _ in recipes} == {
        "0.3",
        "0.5",
        "0.7",
    }
    few = pairs.sampled_pairs(RUNS, {"max_pairs": 2, "seed": 0})
    assert few == pairs.sampled_pairs(RUNS[::-1], {"max_pairs": 2, "seed": 0})
    assert len(set(few)) == 2
    every = list(combinations(RUNS, 2))
    assert set(few) <= set(every)
    assert pairs.sampled_pairs(RUNS, {"max_pairs": 6, "seed": 0}) == every
    expected = random.Random("pairs 3").sample(every, 2)
    assert pairs.sampled_pairs(RUNS, {"max_pairs": 2, "seed": 3}) == sorted(expected)
    assert study.recipes("pairs", runs=["base"]) == []


def test_pairs_by_hand(study, tables):
    table = tables["pairs"]
    assert len(table) == 6 * 3
    for one, other in combinations(RUNS, 2):
        u, v = VECTORS[one], VECTORS[other]
        angle = np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))
        own = table[(table["model"] == one) & (table["other_model"] == other)]
        assert list(own["dataset"]) == TESTS
        assert own["angle"].to_list() == pytest.approx([angle] * 3)
    found = row(table, model="base", other_model="long", dataset="small")
    labels = study.labels["small"]
    start, end = (study.logits[m]["small"].astype(float) for m in ("base", "long"))
    before, soup, after = (
        study.mixed({"base": 1 - a, "long": a}, "small").astype(float)
        for a in (0.4, 0.5, 0.6)
    )
    assert found["soup_accuracy"] == pytest.approx((soup.argmax(1) == labels).mean())
    assert found["ensemble_accuracy"] == pytest.approx(
        ((start + end).argmax(1) == labels).mean()
    )
    ends = (study.mean("base", "small") + study.mean("long", "small")) / 2
    assert found["interpolation_advantage"] == pytest.approx(
        found["soup_accuracy"] - ends
    )
    b, known = (
        found["inverse_temperature"],
        study.mixed({"base": 0.5, "long": 0.5}, "held-out").astype(float),
    )
    losses = [
        nll(x * known, study.labels["held-out"]) for x in np.geomspace(0.05, 20, 400)
    ]
    assert nll(b * known, study.labels["held-out"]) <= min(losses) + 1e-9
    assert found["soup_loss"] == pytest.approx(nll(b * soup, labels))
    assert found["ensemble_loss"] == pytest.approx(nll(b * (start + end) / 2, labels))
    assert found["loss_difference"] == pytest.approx(
        found["soup_loss"] - found["ensemble_loss"]
    )
    curvature = (
        nll(b * before, labels) + nll(b * after, labels) - 2 * nll(b * soup, labels)
    ) / 0.01
    assert found["curvature"] == pytest.approx(curvature, rel=1e-6)
    p, change = softmax(b * soup, axis=1), end - start
    spread = b**2 * ((p * change**2).sum(1) - (p * change).sum(1) ** 2).mean()
    assert found["variance"] == pytest.approx(spread)
    assert found["approximate_loss_difference"] == pytest.approx(
        (spread - curvature) / 8
    )

    cell = row(analyses.short_table_of("pairs")(table), dataset="reference")
    own = table[table["dataset"] == "test"]
    assert cell["pairs"] == 6
    points = 100 * (own["soup_accuracy"] - own["ensemble_accuracy"]).mean()
    assert cell["soup minus ensemble, points"] == f"{points:+.2f}"
    r = np.corrcoef(own["angle"], own["interpolation_advantage"])[0, 1]
    assert cell["angle and advantage, r"] == f"{r:.2f}"


def test_a_run_that_did_not_move_has_no_angle():
    found = pairs.cosines(
        products({"a": np.zeros(2), "b": np.ones(2), "c": -np.ones(2)})
    )
    assert found.keys() == {("b", "b"), ("b", "c"), ("c", "b"), ("c", "c")}
    assert found["b", "c"] == pytest.approx(-1)


# landscape


def test_the_plane_is_through_the_two_best_runs(study):
    best = sorted(RUNS, key=lambda m: (-study.mean(m, "held-out"), m))[:2]
    recipes = study.recipes("landscape", {"points_per_side": 4, "margin": 0.5})
    sides = sorted({*np.round(np.linspace(-0.5, 1.5, 4), 4), 0.0, 1.0})
    assert {
        (labels["coefficient"], labels["other_coefficient"]) for labels, _ in recipes
    } == {(s, t) for s in sides for t in sides if s + t <= 1.5 + 1e-9}
    for labels, recipe in recipes:
        assert [labels["run"], labels["other_run"]] == best
        s, t = labels["coefficient"], labels["other_coefficient"]
        parts = {"zero-shot": 1 - s - t, best[0]: s, best[1]: t}
        expected = {name: share for name, share in parts.items() if share}
        assert named(recipe) == pytest.approx(expected)
        assert sum(named(recipe).values()) == pytest.approx(1)
    given = study.recipes(
        "landscape", {"models": ["few", "base"], "points_per_side": 2}
    )
    assert (given[0][0]["run"], given[0][0]["other_run"]) == ("few", "base")
    assert study.recipes("landscape", runs=["base"]) == []


def test_distances_of_the_plane_are_those_of_the_updates(study, tables):
    table = tables["landscape"]
    one, other = table[["model", "other_model"]].iloc[0]
    u, v = VECTORS[one], VECTORS[other]
    at = {
        name: row(table, coefficient=s, other_coefficient=t)[["x", "y"]].to_numpy(float)
        for name, s, t in (("start", 0, 0), ("one", 1, 0), ("other", 0, 1))
    }
    length = np.linalg.norm(u)
    for a, b, distance in (
        ("start", "one", u),
        ("start", "other", v),
        ("one", "other", u - v),
    ):
        expected = np.linalg.norm(distance) / length
        assert np.linalg.norm(at[a] - at[b]) == pytest.approx(expected)
    far = row(table, coefficient=-0.25, other_coefficient=-0.25)
    place = far["coefficient"] * u + far["other_coefficient"] * v
    assert np.hypot(far["x"], far["y"]) == pytest.approx(np.linalg.norm(place) / length)


def test_loss_and_error_of_the_plane(study, tables):
    table = tables["landscape"]
    one, other = table[["model", "other_model"]].iloc[0]
    for found in (
        row(table, coefficient=0, other_coefficient=1),
        row(table, coefficient=0.25, other_coefficient=0.25),
        table.iloc[0],
    ):
        recipe = {
            "zero-shot": 1 - found.coefficient - found.other_coefficient,
            one: found.coefficient,
            other: found.other_coefficient,
        }
        logits = {d: study.mixed(recipe, d) for d in ["train", *TESTS]}
        error = {d: (logits[d].argmax(1) != study.labels[d]).mean() for d in TESTS}
        train = nll(logits["train"].astype(float), study.labels["train"])
        assert found["train_loss"] == pytest.approx(train, rel=1e-5)
        assert found["reference_error"] == pytest.approx(error["test"])
        assert found["shift_error"] == pytest.approx(
            (error["sketch"] + error["small"]) / 2
        )
    short = analyses.short_table_of("landscape")(table)
    assert list(short["point"])[:3] == ["zero-shot", one, other]
    assert (
        short["reference error"].iloc[0]
        == f"{100 - 100 * study.mean('zero-shot', 'test'):.1f}"
    )
    least = row(short, point="least shift error (oracle)")
    assert least["shift error"] == f"{100 * table['shift_error'].min():.1f}"


# growing


def test_growing_soups_are_of_the_first_k(study, tables):
    recipes = study.recipes("growing")
    assert [labels["model"] for labels, _ in recipes] == [
        f"{kind} of {k}" for k in (1, 2, 3, 4) for kind in ("uniform", "greedy")
    ]
    table = tables["growing"]
    for (labels, recipe), k, kind in zip(
        recipes, np.repeat([1, 2, 3, 4], 2), ["u", "g"] * 4
    ):
        members = RUNS[:k]
        if kind == "g":
            order = sorted(members, key=lambda m: (-study.held_out(uniform([m]))[0], m))
            members = []
            for name in order:
                k_with = study.held_out(uniform([*members, name]))[0]
                if not members or k_with >= study.held_out(uniform(members))[0]:
                    members.append(name)
        assert set(recipe) == {"rule", "ingredients"}
        assert recipe["rule"] == "linear"
        assert named(recipe) == pytest.approx(dict.fromkeys(members, 1 / len(members)))
        assert (
            labels["run_count"],
            labels["last_run"],
            labels["ingredient_count"],
        ) == (
            k,
            RUNS[k - 1],
            len(members),
        )
        method = "greedy soup" if kind == "g" else "uniform soup"
        found = row(table, run_count=k, method=method, dataset="mean of shifts")
        assert found["ingredient_count"] == len(members)
        shares = dict.fromkeys(members, 1 / len(members))
        check_scores(found, {d: study.mixed(shares, d) for d in SHIFTS}, study)
    some = growing.sizes(["a"] * 3, {"sizes": [1, 3, 5]})
    assert some == [1, 3], "as many as there are"


def uniform(names: list[str]) -> dict:
    return {"ingredients": {f"sha {name}": 1 / len(names) for name in names}}


def check_scores(found, logits: dict[str, np.ndarray], study: Study):
    scores = {d: x.astype(float) for d, x in logits.items()}
    parts = [(x.argmax(1) == study.labels[d]).mean() for d, x in scores.items()]
    assert found["accuracy"] == pytest.approx(np.mean(parts))
    parts = [ece(x, study.labels[d], 15) for d, x in scores.items()]
    assert found["ece"] == pytest.approx(np.mean(parts))
    assert found["nll"] == pytest.approx(
        np.mean([nll(x, study.labels[d]) for d, x in scores.items()])
    )


def test_growing_ensembles_and_best_single_models(study, tables):
    table = tables["growing"]
    assert list(table["run_count"].unique()) == [1, 2, 3, 4]
    assert len(table) == 4 * 4 * 2
    for k in (1, 3):
        for on, sets in PLACES.items():
            mean = {
                d: sum(study.logits[m][d].astype(float) for m in RUNS[:k]) / k
                for d in sets
            }
            check_scores(
                row(table, run_count=k, method="logit ensemble", dataset=on),
                mean,
                study,
            )
            best = max(RUNS[:k], key=lambda m: study.mean(m, "held-out"))
            found = row(table, run_count=k, method="best single", dataset=on)
            check_scores(found, {d: study.logits[best][d] for d in sets}, study)
            assert found["ingredient_count"] == 1
            assert found["n"] == sum(SIZES[d] for d in sets)
    short = analyses.short_table_of("growing")(table)
    assert set(short["run_count"]) == {1, 4}
    cell = row(short, run_count=1, method="best single", dataset="reference")
    assert cell["accuracy"] == f"{100 * study.mean('base', 'test'):.1f}"


def test_a_frontier_without_other_models_says_so(tmp_path):
    study = curve_study(tmp_path, [(50, 60), (70, 50)], {})
    with pytest.raises(NothingToShowError, match="no model outside the sweeps"):
        tabulate("frontier", study.evidence(), {"sweep": "base"})


# diagnosis


def findings(table: pd.DataFrame) -> str:
    return " ".join(analyses.short_table_of("diagnosis")(table)["conclusion"])


def diagnosed(
    study: Study, runs, geometry=None, recipes=None, **options
) -> pd.DataFrame:
    vectors = geometry or {name: VECTORS[name] for name in runs}
    evidence = study.evidence(
        mixes=study.mixes("diagnosis", options, runs),
        geometry=products(vectors),
        recipes=recipes,
    )
    return tabulate("diagnosis", evidence, options)


def test_diagnosis_mixes_each_two_and_all(study):
    recipes = {
        labels["model"]: (labels, named(recipe))
        for labels, recipe in study.recipes("diagnosis")
    }
    assert len(recipes) == 4 + 6 + 1
    assert recipes["alone few"] == (
        {"model": "alone few", "run": "few", "other_run": "few"},
        {"few": 1},
    )
    labels, shares = recipes["mean of base and long"]
    assert (labels["run"], labels["other_run"], shares) == (
        "base",
        "long",
        {"base": 0.5, "long": 0.5},
    )
    assert recipes["mean of all"][1] == dict.fromkeys(RUNS, 0.25)


def test_diagnosis_mixes_nothing_where_no_run_is_left(study):
    assert study.recipes("diagnosis", runs=[]) == []


def test_diagnosis_measures_by_hand(study, tables):
    table = tables["diagnosis"]
    norms = {name: np.linalg.norm(v) for name, v in VECTORS.items()}
    for name in RUNS:
        found = row(table, row_type="update_norm", model=name)["value"]
        assert found == pytest.approx(norms[name] / np.median(list(norms.values())))
        alone = row(table, row_type="accuracy", model=name)
        k = int(study.right(name, "held-out").sum())
        assert (alone["value"], alone["n"]) == (pytest.approx(k / 120), 120)
        ends = beta.ppf([0.025, 0.975], [k, k + 1], [121 - k, 120 - k])
        assert [alone["low"], alone["high"]] == pytest.approx(list(ends))
    for one, other in combinations(RUNS, 2):
        cosine = VECTORS[one] @ VECTORS[other] / norms[one] / norms[other]
        found = row(table, row_type="cosine", model=one, other_model=other)["value"]
        assert found == pytest.approx(cosine)
        found = row(table, row_type="barrier", model=one, other_model=other)
        mix = (
            study.mixed({one: 0.5, other: 0.5}, "held-out").argmax(1)
            == study.labels["held-out"]
        )
        ends = [study.right(m, "held-out") for m in (one, other)]
        terms = [(0.5, [ends[0]]), (0.5, [ends[1]]), (-1, [mix])]
        check_interval(*(found[c] / 100 for c in ("value", "low", "high")), terms)
    steps = table[table["row_type"] == "greedy_step"]
    assert list(steps["model"]) == ["long", "base", "both", "few"]
    assert list(steps["text"]) == ["accepted", "accepted", "rejected", "rejected"]
    assert steps["value"].to_list() == pytest.approx(
        [110 / 120, 112 / 120, 111 / 120, 0.5]
    )
    text = findings(table)
    assert "The greedy soup kept 2 of 4: long, base." in text
    assert "The runs have different initial weights (base, zero-shot)" in text
    assert (
        len(analyses.short_table_of("diagnosis")(table))
        == (table["row_type"] == "conclusion").sum()
    )


def test_the_finding_about_the_mean_of_all_is_the_paired_difference(study, tables):
    best = max(RUNS, key=lambda m: study.mean(m, "held-out"))
    mix = (
        study.mixed(dict.fromkeys(RUNS, 0.25), "held-out").argmax(1)
        == study.labels["held-out"]
    )
    d = 100 * (mix.mean() - study.mean(best, "held-out"))
    text = findings(tables["diagnosis"])
    assert f"the best ingredient ({best}) on held-out data: {d:+.1f} points [" in text


def test_a_soup_that_is_named_is_looked_at_alone(study):
    recipes = study.recipe_files
    table = diagnosed(study, RUNS, recipes=recipes, soup="uniform")
    assert list(table.loc[table["row_type"] == "accuracy", "model"]) == ["base", "long"]
    assert "All 2 runs have the same initial weights (zero-shot)" in findings(table)
    assert "greedy_step" not in set(table["row_type"]), "a uniform soup has no trace"


def test_an_ingredient_that_is_far_off_is_named(study):
    vectors = VECTORS | {"long": 40 * VECTORS["base"]}
    table = diagnosed(study, RUNS, vectors)
    norms = table[table["row_type"] == "update_norm"].set_index("model")["value"]
    assert norms["long"] > 3
    assert (norms.drop("long") < 3).all()
    found = row(table[table["row_type"] == "conclusion"], model="long")
    assert (
        f"long moved {norms['long']:.1f} times as far from its initial weights"
        in found["text"]
    )
    assert "No update is unusually long" not in findings(table)
    calm = findings(diagnosed(study, ["base", "both"]))
    assert "No update is unusually long (0.8 to 1.2 times the median)" in calm


def test_updates_that_point_away_from_each_other_are_named(study):
    opposed = {
        "base": np.array([1.0, 0]),
        "both": np.array([-1.0, 1]),
        "long": np.array([0, 1.0]),
    }
    text = findings(diagnosed(study, ["base", "both", "long"], opposed))
    assert (
        "The updates of base and both point away from each other (cosine -0.71)" in text
    )
    aligned = opposed | {"both": np.array([1.0, 1])}
    text = findings(diagnosed(study, ["base", "both", "long"], aligned))
    assert "cosines between 0.00 and 0.71" in text
    assert "away from each other" not in text


def test_an_ingredient_that_mixes_badly_and_is_bad_is_named(tmp_path):
    """The bad one is sure of wrong answers, so that every mean with it fails."""
    runs = ["base", "both", "long"]
    study = small_study(tmp_path, runs)
    bad = {d: 30 * np.eye(4)[(y + 1) % 4] for d, y in study.labels.items()}
    study.add("bad", "end-to-end", bad, settings={})
    vectors = {**{name: VECTORS[name] for name in runs}, "bad": np.ones(4)}
    table = diagnosed(study, [*runs, "bad"], vectors)
    about = table[(table["row_type"] == "conclusion") & (table["model"] == "bad")][
        "text"
    ].to_list()
    assert len(about) == 2
    assert "3 of 6 pairs have a barrier above 1 points" in about[0]
    assert "All these pairs contain bad: leave it out." in about[0]
    best = max(runs, key=lambda m: study.mean(m, "held-out"))
    gap = 100 * study.mean(best, "held-out")
    assert f"bad is {gap:.1f} points worse than {best} on held-out data" in about[1]
    assert "The mean of all 4 is worse than the best ingredient" in findings(table)
    quiet = diagnosed(study, runs, max_barrier=100.0)
    assert "No pair has a barrier above 100 points; the highest is" in findings(quiet)


def test_one_barrier_alone_is_blamed_on_neither_of_its_two(tmp_path):
    study = small_study(tmp_path, ["base"])
    study.add(
        "bent",
        "end-to-end",
        {d: -x for d, x in study.logits["base"].items()},
        settings={},
    )
    vectors = {"base": np.array([1.0, 0]), "bent": np.array([0.0, 1])}
    table = diagnosed(study, ["base", "bent"], vectors, max_barrier=0.0)
    found = table[table["text"].str.contains("barrier above 0 points; the highest")]
    assert list(found["model"]) == [""]


def test_the_trace_of_a_learned_soup_is_none_of_greedy_steps(study, tmp_path):
    recipe = {"rule": "linear", "ingredients": {}, "trace": [1.2, 1.1, 1.0]}
    path = tmp_path / "learned.json"
    write_sealed(path, recipe | {"ingredient_names": dict.fromkeys(RUNS, "sha")})
    table = diagnosed(study, RUNS, recipes={"a-learned": path, **study.recipe_files})
    assert "The greedy soup kept 2 of 4" in findings(table)


def test_the_trace_of_a_greedy_ensemble_is_none_of_a_soup(study, tmp_path):
    recipe = {"rule": "logit-ensemble", "ingredients": {}, "trace": TRACE}
    path = tmp_path / "ensemble.json"
    write_sealed(path, recipe | {"ingredient_names": dict.fromkeys(RUNS, "sha")})
    table = diagnosed(study, RUNS, recipes={"chosen": path})
    assert "greedy_step" not in set(table["row_type"])
    assert "The greedy soup" not in findings(table)


# The ends of what can happen


def test_one_class_only(tmp_path):
    """Everything is right, nothing differs, and no logit can be scaled."""
    study = small_study(tmp_path, ["base", "both", "few"], ["base", "few"], classes=1)
    evidence = study.evidence()
    table = tabulate("overrides", evidence)
    assert (table["disagreement"] == 0).all()
    assert table["target_margin"].isna().all()
    table = tabulate("calibration", evidence)
    whole = table[table["bin"].isna()]
    assert (whole["temperature"] == 1).all()
    assert (whole["ece"] == 0).all()
    assert (whole["nll"] == 0).all()
    assert (whole["accuracy"] == 1).all()
    table = tabulate("diversity", evidence)
    assert (table[["prediction_diversity", "kappa_complement", "divergence"]] == 0).all(
        axis=None
    )
    table = tabulate("choosing-alpha", evidence)
    assert (table.filter(like="regret") == 0).all(axis=None)
    for name in ("chords", "comparisons", "joint", "low-shot"):
        table = tabulate(name, evidence)
        assert len(analyses.short_table_of(name)(table)) > 0
        signed = table.filter(regex="^(distance|difference|gain_over_better_end)$")
        assert (signed == 0).all(axis=None)
        assert signed.size


def test_one_example_per_set(tmp_path):
    study = small_study(
        tmp_path,
        ["base", "both", "few"],
        ["base", "few"],
        sizes=dict.fromkeys(SIZES, 1),
    )
    evidence = study.evidence()
    for name in (
        "chords",
        "comparisons",
        "calibration",
        "diversity",
        "overrides",
        "low-shot",
    ):
        table = tabulate(name, evidence)
        n = table["n"].dropna()
        assert set(n) <= {0, 1, 2}
        assert len(analyses.short_table_of(name)(table)) > 0
    gain = row(
        tabulate("comparisons", evidence, {"pairs": [["base", "zero-shot"]]}),
        dataset="test",
    )
    assert gain["difference"] == study.mean("base", "test") - study.mean(
        "zero-shot", "test"
    )
    assert gain["low"] == gain["high"] == gain["difference"]
    assert gain["p"] == 1


def test_accuracies_of_0_and_1(tmp_path):
    study = Study(tmp_path)
    all_right = {d: len(labels) for d, labels in study.labels.items()}
    study.add("zero-shot", "zero-shot", exact({})(study))
    study.add("base", "end-to-end", exact(all_right)(study), settings=SETTINGS["base"])
    study.add("few", "end-to-end", exact({})(study), settings=SETTINGS["few"])
    study.sweep("base")
    study.sweep("few")
    evidence = study.evidence()
    found = row(tabulate("frontier", evidence), model="base")
    assert found["gap_to_sweep"] == 0
    assert found["low"] == found["high"] == 0
    assert not found["reference_above_sweep"]
    gains = tabulate("comparisons", evidence, {"pairs": [["base", "zero-shot"]]})
    assert (gains["difference"] == 1).all()
    assert (gains["low"] == 1).all()
    table = tabulate("low-shot", evidence)
    assert set(table["run"]) == {"few", "base"}
    assert (table.loc[table["run"] == "few", "gain_over_zero_shot"] == 0).all()
    alone = diagnosed(study, ["base", "few"])
    alone = alone[alone["row_type"] == "accuracy"].set_index("model")
    tail = 0.025 ** (1 / 120)
    assert alone.loc["base", ["value", "low", "high"]].to_list() == pytest.approx(
        [1, tail, 1]
    )
    assert alone.loc["few", ["value", "low", "high"]].to_list() == pytest.approx(
        [0, 0, 1 - tail]
    )


def test_a_run_that_diverged_is_in_no_table(study, tables):
    assert "gone" in study.models
    assert not study.evidence().has_results("gone")
    for name, table in tables.items():
        assert not (table.astype(str) == "gone").any(axis=None), name


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("calibration", {"models": ["base", "gone"]}),
        ("diversity", {"pairs": [["base", "gone"]]}),
    ],
)
def test_a_diverged_run_that_is_asked_for_is_named(name, options, study):
    with pytest.raises(NothingToShowError, match="gone"):
        tabulate(name, study.evidence(), options)


@pytest.mark.parametrize("name", ["growing", "landscape"])
def test_mixes_with_a_run_that_diverged(name, study):
    """Its digest is not among the models; the others are still mixed, or nothing is."""
    study.recipes(name, {"models": ["base", "gone"]}, runs=["base", "long"])


def test_modules_are_those_that_are_found_by_name():
    found = {
        "diagnosis": diagnosis,
        "growing": growing,
        "landscape": landscape,
        "pairs": pairs,
    }
    for name, module in found.items():
        assert analyses.load(name) is module.tabulate
        assert analyses.load(name, "mixes") is module.mixes
    assert [n for n in analyses.names() if analyses.evaluates(n)] == list(found)
    assert [n for n in analyses.names() if "geometry" in analyses.needs(n)] == [
        "diagnosis",
        "landscape",
        "pairs",
    ]
    assert [n for n in analyses.names() if "recipes" in analyses.needs(n)] == [
        "cost",
        "diagnosis",
    ]
