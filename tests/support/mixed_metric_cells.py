"""Cells of a study whose data sets have different metrics."""

import numpy as np

MIXED_METRIC_ROLES = {
    "val": "held-out",
    "ref": "reference",
    "acc": "shift",
    "f1": "shift",
}


EXAMPLES = 400


def measured_cell(model, kind, dataset, value, n=EXAMPLES, **more):
    """A cell; f1 counts nothing."""
    made = {
        "model": model,
        "kind": kind,
        "sweep": "",
        "alpha": None,
        "dataset": dataset,
        "n": n,
        "classes": 10,
        "precision": "fp32",
    }
    if dataset == "f1":
        half = more.pop("half", 0.06)
        made |= {
            "metric": "macro-f1",
            "value": value,
            "low": value - half,
            "high": value + half,
        }
    else:
        made |= {
            "metric": "accuracy",
            "k": round(value * n),
            "value": round(value * n) / n,
        }
    return {**made, **more}


PUBLISHED_ACCURACIES = [
    (f"net-{i}", dataset, 0.4 + 0.1 * i)
    for i in range(3)
    for dataset in ("ref", "acc", "f1")
]


def answered_right(model, dataset):
    """Answers of that accuracy; asked for F1 there is none."""
    assert dataset != "f1", "a test of counts on what counts nothing"
    value = {"zero-shot": {"ref": 0.7, "acc": 0.65}, "run": {"ref": 0.8, "acc": 0.75}}
    return np.arange(EXAMPLES) < round(value[model][dataset] * EXAMPLES)
