"""Does accuracy along the way lie above the straight line between the ends?

Observations 1 and 2 of WiSE-FT (section 5.2): every mix is at least as good as the ends mixed in
proportion; some mix is better than both ends.
"""

import pandas as pd

from ..statistics.paired import paired_mean
from ..tables.evidence import Evidence, Nothing
from . import Analysis

ANALYSIS = Analysis()


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per sweep, place and inner alpha.

    distance, low, high: above the chord, with its paired interval; over_ends: above the better
    end, with over_low and over_high.
    """
    evidence.note_plain()
    places, rows = evidence.sets, []
    for curve, points in evidence.curves().items():
        inner = points[(points["alpha"] > 0) & (points["alpha"] < 1)]
        ends = [points.loc[points["alpha"] == end, "model"] for end in (0, 1)]
        if inner.empty or ends[0].empty or ends[1].empty:
            continue
        start, end = (e.iloc[0] for e in ends)
        for place, sets in places.items():
            right = {m: [evidence.correct(m, d) for d in sets] for m in points["model"]}
            accuracy = {
                m: sum(a.mean() for a in arrays) / len(sets)
                for m, arrays in right.items()
            }
            better = max(start, end, key=accuracy.get)
            for alpha, model in zip(inner["alpha"], inner["model"]):
                terms = [(1, model), (alpha - 1, start), (-alpha, end)]
                above = paired_mean(
                    [(c, right[m]) for c, m in terms], evidence.confidence
                )
                over = paired_mean(
                    [(1, right[model]), (-1, right[better])], evidence.confidence
                )
                rows.append(
                    {
                        "curve": curve,
                        "on": place,
                        "alpha": alpha,
                        "accuracy": accuracy[model],
                        "distance": above.value,
                        "low": above.low,
                        "high": above.high,
                        "over_ends": over.value,
                        "over_low": over.low,
                        "over_high": over.high,
                        "n": sum(map(len, right[model])),
                    }
                )
    if not rows:
        raise Nothing("a chord needs a sweep with alpha 0, alpha 1 and one between")
    return pd.DataFrame(rows)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Per sweep and place: the least distance above the chord, and the best alpha (oracle)."""
    rows = []
    for (curve, place), group in table.groupby(["curve", "on"], sort=False):
        least, best = (
            group.loc[group["distance"].idxmin()],
            group.loc[group["over_ends"].idxmax()],
        )
        rows.append(
            {
                "sweep": curve,
                "on": place,
                "least above the chord (oracle)": _points(
                    least, "distance", "low", "high"
                ),
                "best over both ends (oracle)": _points(
                    best, "over_ends", "over_low", "over_high"
                ),
            }
        )
    return pd.DataFrame(rows)


def _points(row: pd.Series, value: str, low: str, high: str) -> str:
    numbers = f"{100 * row[value]:+.1f} [{100 * row[low]:+.1f}, {100 * row[high]:+.1f}]"
    return f"{numbers} at alpha {row['alpha']:g}"
