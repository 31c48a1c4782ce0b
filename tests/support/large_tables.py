"""Tables of studies as large, as long-named or as small as users have them, with made-up numbers.

Figures are drawn from these: 72 runs on nine test sets, names of 40 characters, a study with one
shift, and one without baselines.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from stockpot.tables.measurements import measure, robustness_table

SHIFTS = [
    "imagenet-v2",
    "renditions-of-objects",
    "sketch",
    "objectnet-with-a-long-name",
    "adversarial",
    "video-frames",
    "night",
    "fog",
]
COLUMNS = ["model", "kind", "sweep", "alpha", "dataset", "n", "k", "classes"]
SOUPS = {"uniform": "uniform", "greedy": "greedy", "ensemble": "logit-ensemble"}


def run_names(runs: int, long: bool = False) -> list[str]:
    """model-1, model-2, … or names of 40 characters."""
    tail = "-with-strong-augmentation-and-mixup" if long else ""
    return [f"model-{number}{tail}" for number in range(1, runs + 1)]


def cells(runs=72, shifts=8, baselines=0, long=False, n=4000, seed=0) -> pd.DataFrame:
    """Raw cells: zero-shot model, runs of which a few diverged, soups, and two sweeps."""
    rng = np.random.default_rng(seed)
    sets = ["held-out", "imagenet", *SHIFTS[:shifts]]
    offsets = np.concatenate([[0.01, 0.0], rng.uniform(-0.2, 0.1, shifts)])
    rows = []

    def model(name, kind, here, there, sweep="", alpha=np.nan):
        accuracies = np.array([here, here] + [there] * shifts) + offsets
        accuracies = np.clip(accuracies + rng.normal(0, 0.004, len(sets)), 0.02, 0.99)
        for dataset, accuracy in zip(sets, accuracies):
            k = round(accuracy * n)
            rows.append([name, kind, sweep, alpha, dataset, n, k, 18])

    model("zero-shot", "zero-shot", 0.66, 0.55)
    for number, name in enumerate(run_names(runs, long)):
        lost = 0.35 * rng.random() if number % 12 == 5 else 0
        model(name, "end-to-end", 0.76 + 0.04 * rng.random() - lost, 0.5 - lost / 2)
    for name, kind in SOUPS.items():
        model(name, kind, 0.81, 0.53)
    for end in ("greedy", run_names(runs, long)[0]):
        for alpha in np.linspace(0, 1, 11):
            bow = 0.03 * alpha * (1 - alpha)
            model(
                f"{end} alpha={alpha:g}",
                "wise-ft",
                0.66 + 0.14 * alpha + bow,
                0.55 - 0.04 * alpha + bow,
                end,
                alpha,
            )
    for number in range(baselines):
        model(
            f"standard-{number}",
            "from-scratch",
            0.2 + 0.6 * number / baselines,
            0.1 + 0.4 * number / baselines,
        )
    return pd.DataFrame(rows, columns=COLUMNS).assign(precision="fp32")


def study_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables that figures of the whole study draw."""
    sets = list(table["dataset"].drop_duplicates())
    roles = {"held-out": "held-out", "imagenet": "reference"}
    roles |= {name: "shift" for name in sets if name not in roles}
    measurements = measure(table, roles, 0.95)
    fits, rho = robustness_table(measurements, "logit", 0.95)
    return {"measurements": measurements, "fits": fits, "robustness": rho}


def comparisons(runs=72, long=False, seed=0) -> pd.DataFrame:
    """Every model against the best run and the zero-shot model."""
    rng = np.random.default_rng(seed)
    names = [*run_names(runs, long), *SOUPS]
    rows = []
    for against in (names[0], "zero-shot"):
        for name in names:
            if name == against:
                continue
            for place in ("imagenet", "sketch", "mean of shifts"):
                d = rng.normal(0, 0.02)
                p = min(1.0, 10 ** (-100 * abs(d)))
                rows.append(
                    [name, against, place, d, d - 0.01, d + 0.01, p, min(1, 9 * p)]
                )
    columns = [
        "model",
        "against",
        "dataset",
        "difference",
        "low",
        "high",
        "p",
        "p_corrected",
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(test="exact McNemar", n=4000, confidence=0.95)


def cost(runs=72, long=False, seed=0) -> pd.DataFrame:
    """Seconds and gains of runs, soups and an ensemble."""
    rng = np.random.default_rng(seed)
    rows = []
    for name in run_names(runs, long):
        seconds = float(rng.uniform(9_000, 20_000))
        gain = -float(rng.uniform(0, 0.03))
        rows.append([name, "end-to-end", seconds, seconds, 1, gain, gain * 2])
    for name, kind in SOUPS.items():
        passes = runs if kind == "logit-ensemble" else 1
        rows.append([name, kind, 60.0, 12_000.0 * runs, passes, 0.01, 0.02])
    columns = [
        "model",
        "kind",
        "job_seconds",
        "total_seconds",
        "forward_passes",
        "gain_over_best_run_reference",
        "gain_over_best_run_shifts",
    ]
    return pd.DataFrame(rows, columns=columns).assign(
        memory_mib=500.0, training_images=10_000
    )


def diagnosis(runs=72, long=False, barriers=200, seed=0) -> pd.DataFrame:
    """Lengths, cosines, some of the barriers, and a greedy trace."""
    rng = np.random.default_rng(seed)
    names = sorted(run_names(runs, long))
    rows = [["update_norm", name, "", rng.uniform(0.5, 2)] for name in names]
    pairs = list(combinations(names, 2))
    rows += [["cosine", one, other, rng.uniform(-0.1, 0.8)] for one, other in pairs]
    rows += [["accuracy", name, "", rng.uniform(0.7, 0.8)] for name in names]
    chosen = rng.permutation(len(pairs))[:barriers]
    rows += [["barrier", *pairs[i], rng.normal(0, 2)] for i in sorted(chosen)]
    rows += [["greedy_step", name, "", rng.uniform(0.78, 0.82)] for name in names]
    table = pd.DataFrame(rows, columns=["row_type", "model", "other_model", "value"])
    text = [
        "accepted" if what == "greedy_step" and rng.random() < 0.1 else ""
        for what in table["row_type"]
    ]
    table["text"] = np.where(
        (table["row_type"] == "greedy_step") & (np.array(text) == ""), "rejected", text
    )
    return table.assign(low=table["value"] - 0.01, high=table["value"] + 0.01, n=4000)


def diversity(shifts=8, seed=0) -> pd.DataFrame:
    """Four measures of pairs in three groups."""
    rng = np.random.default_rng(seed)
    groups = [
        "zero-shot and fine-tuned",
        "two fine-tuned",
        "linear classifier and fine-tuned",
    ]
    rows = []
    for level, group in enumerate(groups):
        for dataset in ["imagenet", *SHIFTS[:shifts]]:
            for pair in range(40):
                measures = np.abs(rng.normal(0.1 + 0.05 * level, 0.02, 4))
                rows.append([dataset, group, f"a{pair}", f"b{pair}", *measures])
    columns = [
        "dataset",
        "pair_type",
        "model",
        "other_model",
        "prediction_diversity",
        "kappa_complement",
        "divergence",
        "cka_complement",
    ]
    return pd.DataFrame(rows, columns=columns)


def calibration(runs=72, shifts=8, long=False, seed=0) -> pd.DataFrame:
    """Errors, and ten bins of reliability, of every model on every set."""
    rng = np.random.default_rng(seed)
    rows = []
    for name in ["zero-shot", *run_names(runs, long), *SOUPS]:
        for dataset in ["imagenet", *SHIFTS[:shifts]]:
            error = rng.uniform(0.01, 0.2)
            rows.append([name, dataset, np.nan, error, error / 2, 4000, np.nan, np.nan])
            if name in ("zero-shot", "greedy", "ensemble", "uniform"):
                for number in range(10):
                    confidence = 0.05 + number / 10
                    rows.append(
                        [
                            name,
                            dataset,
                            number,
                            np.nan,
                            np.nan,
                            400,
                            confidence,
                            confidence * 0.9,
                        ]
                    )
    columns = [
        "model",
        "dataset",
        "bin",
        "ece",
        "ece_scaled",
        "n",
        "confidence",
        "accuracy",
    ]
    return pd.DataFrame(rows, columns=columns)


def frontier(runs=72, long=False, seed=0) -> pd.DataFrame:
    """Gaps to one sweep."""
    rng = np.random.default_rng(seed)
    names = [*run_names(runs, long), *SOUPS]
    gaps = np.sort(rng.normal(0, 0.02, len(names)))[::-1]
    table = pd.DataFrame(
        {"model": names, "gap_to_sweep": gaps, "low": gaps - 0.01, "high": gaps + 0.01}
    )
    return table.assign(
        sweep=names[0],
        reference_above_sweep=False,
        reference_below_sweep=False,
        kind="end-to-end",
    )
