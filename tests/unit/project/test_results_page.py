"""What docs/results/README.md says follows from the tables beside it."""

import pandas as pd
import pytest

from tests.support.paths import ROOT

FOLDER = ROOT / "docs/results"


TEXT = " ".join((ROOT / "docs/results/README.md").read_text().split())


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv")


@pytest.mark.parametrize(
    ("selector", "sentence"),
    [
        (
            "within-point",
            "regret of {0:.2f} on the objects study (at worst 1.1), {1:.2f} on the",
        ),
        (
            "agreement",
            "Agreement-on-the-line has a regret of {0:.2f} on the objects study and "
            "{1:.2f} on the other tasks",
        ),
        ("confidence", "Average thresholded confidence has {0:.2f} and {1:.2f}"),
    ],
)
def test_what_each_rule_misses(selector, sentence):
    found = table("choosing-alpha")
    found = found[found["selector"] == selector]
    objects = found["sweep"].str.startswith("objects/") | found["sweep"].str.startswith(
        "evidence/"
    )
    means = [
        100 * found.loc[kind, "regret_both"].mean() for kind in (objects, ~objects)
    ]
    assert sentence.format(*means) in TEXT


def test_which_rule_misses_least_over_all_sweeps():
    means = 100 * table("choosing-alpha").groupby("selector")["regret_both"].mean()
    said = "{:.3f} over all 29 sweeps; the one-point rule has {:.3f}"
    assert said.format(means["agreement"], means["within-point"]) in TEXT


def test_soups_of_seeds_and_of_the_search():
    runs = table("brittleness").drop_duplicates("run").set_index("run")["shifts"]
    mean = f"({100 * runs.mean():.1f} %)"
    assert f"3.2 points below the mean of its eight runs {mean}" in TEXT
    assert 100 * (runs.mean() - runs["base"]) == pytest.approx(3.2, abs=0.05)
    search, seeds = table("growing"), table("growing-seeds")

    def at(found, method, k):
        row = found[
            (found["method"] == method)
            & (found["run_count"] == k)
            & (found["dataset"] != "reference")
        ]
        return 100 * row["accuracy"].iloc[0]

    soup = at(search, "uniform soup", 8)
    assert (
        f"gains {soup - 100 * runs['base']:.1f} points over the same first run" in TEXT
    )
    over_mean = soup - 100 * runs.mean()
    assert f"the soup gains {over_mean:.1f} points over the mean" in TEXT
    first = at(seeds, "uniform soup", 1)
    gains = [
        at(seeds, method, 8) - first for method in ("uniform soup", "logit ensemble")
    ]
    assert (
        f"they gain {gains[0]:.1f} and {gains[1]:.1f} points over the first run" in TEXT
    )
    single = [at(seeds, "best single", k) for k in range(1, 9)]
    assert f"has {min(single):.1f} to {max(single):.1f} %" in TEXT


def test_what_is_said_of_confidences():
    found = table("calibration")
    found = found[found["bin"].isna()]
    found["over"] = 100 * (found["confidence"] - found["accuracy"])
    shifts = found[found["dataset"] != "reference"].groupby("model")
    over, ece, scaled = (shifts[name].mean() for name in ("over", "ece", "ece_scaled"))
    runs = ["base", "linear", *(f"search-0{i}" for i in range(7))]
    assert (over[runs] > 0).all()
    assert sorted(over[runs].round(1))[:2] == [0.4, 0.4]
    for dataset in ("v2", "renditions"):
        own = found[found["dataset"] == dataset].set_index("model")["over"][runs]
        assert set(own.index[own < 0]) == {f"search-0{i}" for i in (1, 2, 5, 6)} | {
            "linear"
        }
    assert f"makes {(scaled > ece).sum()} of {len(ece)} models *worse*" in TEXT
    reference = 100 * found.loc[found["dataset"] == "reference", "ece_scaled"]
    assert (
        "gives every model a calibration error of "
        f"{reference.min():.1f} to {reference.max():.1f} points on the reference"
    ) in TEXT


def test_what_is_said_of_chords():
    found = table("chords")
    worst = found.groupby(["sweep", "dataset"])["distance"].min()
    best = found.groupby(["sweep", "dataset"])["gain_over_better_end_low"].max()
    assert f"{(worst > 0).sum()} of its {len(worst)} cases lie above the chord" in TEXT
    assert f"and {(best > 0).sum()} are better than both end models" in TEXT
