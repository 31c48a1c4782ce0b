"""Choosing alpha without a test label: the question that both papers leave open.

A curve is a data frame with one row per alpha, rising, and these columns, as far as they are
known: ``alpha``; ``held_out``, the accuracy there, and ``n``, its examples; ``error``, its standard
error where it is no share of right answers (as macro F1); ``corrupted``, the accuracy on corrupted
held-out images; ``thresholded``, ``agreement`` and ``entropy``, estimates from unlabelled images
of the shifts. A selector looks at nothing else.
"""

import numpy as np
import pandas as pd

RECOMMENDED = "within-point"  # among those that need the held-out set alone


def half(curve: pd.DataFrame) -> float:
    """0.5, as the paper recommends without knowledge of the domain (WiSE-FT, section 4)."""
    return _nearest(curve, 0.5)


def held_out(curve: pd.DataFrame) -> float:
    """Best on the held-out set; the smallest of equals."""
    return _best(curve, curve["held_out"])


def within_error(curve: pd.DataFrame) -> float:
    """Nearest to zero-shot among those within one standard error of the best held-out accuracy.

    The one-standard-error rule (Breiman et al. 1984): the robust end is the simpler model.
    """
    best = curve["held_out"].max()
    if "error" in curve:
        error = curve.loc[curve["held_out"].idxmax(), "error"]
    else:
        error = np.sqrt(best * (1 - best) / curve["n"].iloc[0])
    return float(curve.loc[curve["held_out"] >= best - error, "alpha"].min())


def within_point(curve: pd.DataFrame) -> float:
    """Nearest to zero-shot among those within one point of the best held-out accuracy."""
    near = curve["held_out"] >= curve["held_out"].max() - 0.01 - 1e-12
    return float(curve.loc[near, "alpha"].min())


def corruptions(curve: pd.DataFrame) -> float:
    """Best on the mean of the held-out set and its corrupted images."""
    return _best(curve, curve["held_out"] + curve["corrupted"])


def confidence(curve: pd.DataFrame) -> float:
    """Best mean of the held-out accuracy and that estimated under shift by confidence.

    Average thresholded confidence (Garg et al. 2022); see ``estimates.thresholded``.
    """
    return _best(curve, curve["held_out"] + curve["thresholded"])


def agreement(curve: pd.DataFrame) -> float:
    """Best mean of the held-out accuracy and that estimated under shift by agreement.

    Agreement-on-the-line (Baek et al. 2022); see ``estimates.on_the_line``.
    """
    return _best(curve, curve["held_out"] + curve["agreement"])


def entropy(curve: pd.DataFrame) -> float:
    """Least entropy of the predictions on images of the shifts; the smallest of equals."""
    return _best(curve, -curve["entropy"])


def oracle_shifts(curve: pd.DataFrame) -> float:
    """Best mean of the shifts, seen: what no selector may do."""
    return _best(curve, curve["shifts"])


def oracle_both(curve: pd.DataFrame) -> float:
    """Best mean of the reference and the mean of the shifts, seen."""
    return _best(curve, curve["reference"] + curve["shifts"])


# name -> (function, columns that it needs, what it is called in tables)
SELECTORS = {
    "half": (half, set(), "fixed 0.5"),
    "held-out": (held_out, {"held_out"}, "best held-out"),
    "within-error": (within_error, {"held_out", "n"}, "within one error of the best held-out"),
    "within-point": (within_point, {"held_out"}, "within one point of the best held-out"),
    "corruptions": (corruptions, {"held_out", "corrupted"}, "held-out and corruptions"),
    "confidence": (confidence, {"held_out", "thresholded"}, "thresholded confidence"),
    "agreement": (agreement, {"held_out", "agreement"}, "agreement on the line"),
    "entropy": (entropy, {"entropy"}, "least entropy"),
    "oracle-shifts": (oracle_shifts, {"shifts"}, "best under shift (oracle)"),
    "oracle-both": (oracle_both, {"reference", "shifts"}, "best on both (oracle)"),
}
ORACLES = [name for name in SELECTORS if name.startswith("oracle")]


def usable(curve: pd.DataFrame) -> list[str]:
    """Selectors for which the curve has the columns, without a missing number."""
    there = {column for column in curve if curve[column].notna().all()}
    return [name for name, (_, needed, _) in SELECTORS.items() if needed <= there]


def choose(name: str, curve: pd.DataFrame) -> float:
    """The alpha that a selector chooses. ValueError for an unknown one, or a column it lacks."""
    if name not in SELECTORS:
        raise ValueError(f"unknown selector {name!r}; there are {', '.join(SELECTORS)}")
    if name not in usable(curve):
        raise ValueError(f"{name} needs {', '.join(sorted(SELECTORS[name][1]))}")
    return SELECTORS[name][0](curve.sort_values("alpha", ignore_index=True))


def compared(curve: pd.DataFrame) -> pd.DataFrame:
    """A row per usable selector: what its alpha gives, and what it misses.

    The curve also has ``reference`` and ``shifts``, accuracies on the test sets. Columns: selector,
    label, alpha, reference, shifts, both (their mean), regret_reference, regret_shifts,
    regret_both: the best of the curve on that column minus what the selector gets, as fractions.
    With "fixed 0.5", these are table 3 of WiSE-FT.
    """
    curve = curve.assign(both=(curve["reference"] + curve["shifts"]) / 2)
    rows = []
    for name in usable(curve):
        alpha = choose(name, curve)
        got = curve[curve["alpha"] == alpha].iloc[0]
        columns = ("reference", "shifts", "both")
        rows.append(
            {"selector": name, "label": SELECTORS[name][2], "alpha": alpha}
            | {column: got[column] for column in columns}
            | {f"regret_{column}": curve[column].max() - got[column] for column in columns}
        )
    return pd.DataFrame(rows)


def _best(curve: pd.DataFrame, score: pd.Series) -> float:
    """The alpha of the best score; the smallest of equals (up to rounding)."""
    return float(curve.loc[score >= score.max() - 1e-12, "alpha"].min())


def _nearest(curve: pd.DataFrame, alpha: float) -> float:
    return float(curve.loc[(curve["alpha"] - alpha).abs().idxmin(), "alpha"])
