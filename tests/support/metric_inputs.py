"""What a metric is given, and macro F1 as scikit-learn computes it."""

import numpy as np
from sklearn.metrics import f1_score

from stockpot.metrics import MetricInput


def metric_input(labels, predicted, groups=None) -> MetricInput:
    labels, predicted = np.array(labels), np.array(predicted)
    return MetricInput(
        predicted, labels, labels == predicted, None if groups is None else groups
    )


def f1_of_sklearn(given: MetricInput) -> float:
    classes = np.unique(given.labels)
    return f1_score(
        given.labels, given.predicted, labels=classes, average="macro", zero_division=0
    )
