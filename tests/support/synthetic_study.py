"""A small study with made-up predictions, and what checks its tables.

Logits of mixes are those of a model nearly linear in its weights: the same sum of logits, and
something that grows with the spread of the coefficients, so that soups are no ensembles.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import log_softmax, softmax

from stockpot import analyses
from stockpot.evaluation import store
from stockpot.evaluation.predictions import predictions
from stockpot.runtime.registry import defaults
from stockpot.runtime.sealed import write_sealed
from stockpot.tables.evidence import Evidence
from stockpot.tables.measurements import measure

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


SHOWN_SETS = {"reference": ["test"], "mean of shifts": SHIFTS}


ALPHAS = [0.0, 0.25, 0.5, 0.75, 1.0]


RUNS = ["base", "both", "few", "long"]


UPDATES = {  # the updates of the runs
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
LOGIT_GAINS = {
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


class SyntheticStudy:
    """Labels by data set and logits by model and data set, in a store of predictions."""

    def __init__(self, folder, sizes=SIZES, classes=4):
        self.folder, self.classes, self.rng = folder, classes, np.random.default_rng(7)
        self.store = store.Store(folder / "store")
        self.labels = {d: self.rng.integers(0, classes, n) for d, n in sizes.items()}
        self.common = {d: self.rng.normal(size=(n, classes)) for d, n in sizes.items()}
        self.soup_extra = {
            d: self.rng.normal(size=(n, classes)) for d, n in sizes.items()
        }
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
            logits = (
                None if like else {d: self.mixed_logits(recipe, d) for d in self.labels}
            )
            self.add(f"{end} alpha={alpha:g}", "wise-ft", logits, end, alpha, like)

    def mixed_logits(self, recipe: dict[str, float], dataset: str) -> np.ndarray:
        """recipe: name -> coefficient."""
        linear = sum(
            c * self.logits[name][dataset].astype(float) for name, c in recipe.items()
        )
        spread = 1 - sum(c**2 for c in recipe.values())
        return (linear + spread * self.soup_extra[dataset]).astype("float32")

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
        is_correct = (
            self.mixed_logits(coefficients_by_name(recipe), "held-out").argmax(1)
            == self.labels["held-out"]
        )
        return int(is_correct.sum()), len(is_correct)

    def mixes(self, analysis, options=None, runs=tuple(RUNS)) -> dict:
        """The file that the job of the mixes writes."""
        roles, cells = ROLES | {"train": "train"}, []
        for labels, recipe in self.recipes(analysis, options, runs):
            for d, role in roles.items():
                if role in analyses.evaluates(analysis):
                    logits = self.mixed_logits(coefficients_by_name(recipe), d)
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

    def is_correct(self, model, dataset) -> np.ndarray:
        return self.logits[model][dataset].argmax(1) == self.labels[dataset]

    def mean_accuracy(self, model, *sets) -> float:
        return float(np.mean([self.is_correct(model, d).mean() for d in sets]))


def coefficients_by_name(recipe: dict) -> dict[str, float]:
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


def small_study(folder, runs=(), sweeps=(), sizes=SIZES, classes=4) -> SyntheticStudy:
    """A zero-shot model, end-to-end runs and sweeps to some of them."""
    found = SyntheticStudy(folder, sizes, classes)
    for name in ["zero-shot", *runs]:
        kind, settings = "end-to-end", {"settings": SETTINGS.get(name, {})}
        if name == "zero-shot":
            kind, settings = name, {}
        found.add(
            name,
            kind,
            found.draw(*LOGIT_GAINS.get(name, LOGIT_GAINS["base"])),
            **settings,
        )
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


def make_study(folder) -> SyntheticStudy:
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
            found.draw(*LOGIT_GAINS[name]),
            settings=settings,
            images=images,
        )
    settings = {"lr": 1e-3, "variant": "linear-classifier"}
    found.add(
        "linear",
        "linear-classifier",
        found.draw(*LOGIT_GAINS["linear"]),
        settings=settings,
    )
    soups = {
        "uniform": ("uniform", ["base", "long"]),
        "greedy": ("greedy", RUNS),
        "ensemble": ("logit-ensemble", ["base", "few"]),
        "cross": ("uniform", ["zero-shot", "base", "cars"]),
        "cross-away": ("uniform", ["zero-shot", "cars"]),
    }
    for name, (kind, ingredients) in soups.items():
        settings = {"towers_only": name.startswith("cross")}
        more = {"settings": settings, "ingredients": ingredients}
        found.add(name, kind, found.draw(*LOGIT_GAINS[name]), **more)
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
            "trace": GREEDY_TRACE,
            "method": "greedy",
        },
        "uniform": {
            "rule": "linear",
            "ingredients": {"sha long": 0.5, "sha base": 0.5},
        },
    }.items():
        found.recipe_files[name] = folder / f"{name}.json"
        write_sealed(found.recipe_files[name], recipe)
    found.geometry = products(UPDATES)
    return found


GREEDY_TRACE = [
    {"candidate": "long", "alone_k": 110, "soup_k": 110, "n": 120, "accepted": True},
    {"candidate": "base", "alone_k": 108, "soup_k": 112, "n": 120, "accepted": True},
    {"candidate": "both", "alone_k": 104, "soup_k": 111, "n": 120, "accepted": False},
    {"candidate": "few", "alone_k": 95, "soup_k": 60, "n": 120, "accepted": False},
]


OPTIONS = {
    "landscape": {"points_per_side": 4, "margin": 0.25},
    "calibration": {"bins": 10},
}


def make_tables(study: SyntheticStudy) -> dict[str, pd.DataFrame]:
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
def study_and_tables(once_value) -> tuple[SyntheticStudy, dict[str, pd.DataFrame]]:
    """The study and its tables, once for this file and that of the figures, and all workers."""

    def make(folder: Path) -> tuple[SyntheticStudy, dict[str, pd.DataFrame]]:
        study = make_study(folder)
        return study, make_tables(study)

    return once_value("unit-analyses", make)


def only_row(table: pd.DataFrame, **values) -> pd.Series:
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


NOTHING_TO_SHOW_TEXTS = {
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


def right_on_the_first(counts: dict[str, int]) -> Callable:
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


def diagnosis_table(
    study: SyntheticStudy, runs, updates=None, recipes=None, **options
) -> pd.DataFrame:
    vectors = updates or {name: UPDATES[name] for name in runs}
    evidence = study.evidence(
        mixes=study.mixes("diagnosis", options, runs),
        geometry=products(vectors),
        recipes=recipes,
    )
    return tabulate("diagnosis", evidence, options)
