"""Analyses of data sets that are not scored by plain accuracy, or by videos."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import f1_score

from stockpot import analyses
from stockpot.datasets.dataset import Scoring
from stockpot.evaluation import store
from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.scored import score_answers
from stockpot.tables.evidence import NothingToShowError
from stockpot.tables.measurements import measure
from tests.support.synthetic_study import (
    ALPHAS,
    ROLES,
    RUNS,
    SETTINGS,
    SHIFTS,
    SIZES,
    UPDATES,
    SyntheticStudy,
    only_row,
    products,
    tabulate,
    write_benchmark,
)

pytestmark = pytest.mark.slow


# Of each data set's examples: a second accepted answer for a third, regions, videos of five.
SECOND = {
    d: [[i % 4, (i + 1) % 4][: 1 + (i % 3 == 0)] for i in range(n)]
    for d, n in SIZES.items()
}


GROUPS = {d: [i % 3 for i in range(n)] for d, n in SIZES.items()}


VIDEOS = {d: [i // 5 for i in range(n)] for d, n in SIZES.items()}


class ScoredStudy(SyntheticStudy):
    """A study whose data sets are scored in their own ways; its soups are nearly ensembles."""

    def __init__(self, folder, scorings: dict[str, Scoring]):
        super().__init__(folder)
        self.scorings = scorings
        # Labels as of SECOND, and of the images of one video alike.
        for dataset, labels in self.labels.items():
            videos = self.scoring(dataset).videos
            labels[:] = [(videos[i] if videos else i) % 4 for i in range(len(labels))]
            np.save(folder / f"{dataset}.npy", labels)
            self.soup_extra[dataset] *= 0
        self.add("zero-shot", "zero-shot", self.draw(1.0, 1.4))
        for place, run in enumerate(RUNS):
            logits = self.draw(1.5 + 0.3 * place, 1.2)
            self.add(run, "end-to-end", logits, settings=SETTINGS[run])
        self.sweep("base")
        self.sweep("few")

    def scoring(self, dataset: str) -> Scoring:
        return self.scorings.get(dataset, Scoring())

    def put(self, name, logits, dataset):
        scoring, labels = self.scoring(dataset), self.labels[dataset]
        key = store.store_key({"model": name}, dataset, "fp32")
        found = predictions(
            torch.tensor(logits),
            torch.tensor(labels),
            keep_logits=True,
            accepted=scoring.accepted,
            videos=scoring.videos,
        )
        self.store.put(key, found, {"model": name}, dataset)
        value = score_answers(
            scoring, labels, found.predicted.numpy(), found.correct.numpy()
        ).value
        return key, value * len(labels)

    def evidence(self, **more):
        cells = [{**c, "metric": self.scoring(c["dataset"]).metric} for c in self.cells]
        return super().evidence(
            measurements=measure(pd.DataFrame(cells).drop(columns="key"), ROLES, 0.95),
            scorings={
                name: scoring.non_default() for name, scoring in self.scorings.items()
            },
            **more,
        )


def analysed(study: ScoredStudy, name: str, options=None):
    """(table, notes) of one analysis."""
    mixes = study.mixes(name, options) if analyses.evaluates(name) else None
    evidence = study.evidence(mixes=mixes, geometry=products(UPDATES), recipes={})
    return tabulate(name, evidence, options), evidence.notes


def scored_by_accepted_answers(*names: str) -> dict[str, Scoring]:
    return {name: Scoring(accepted=SECOND[name]) for name in names}


METRICS = {
    "accepted": scored_by_accepted_answers("test", "sketch"),
    "mean class": {
        name: Scoring("mean-class", accepted=SECOND[name]) for name in ("test", "small")
    },
    "macro F1": {
        name: Scoring("macro-f1") for name in ("held-out", "test", "sketch", "small")
    },
    "worst group": {"small": Scoring("worst-group", groups=GROUPS["small"])},
}


@pytest.fixture(scope="module", params=METRICS)
def study(request, tmp_path_factory):
    return ScoredStudy(tmp_path_factory.mktemp("scored"), METRICS[request.param])


def own_metric(study: ScoredStudy, dataset: str, logits: np.ndarray) -> float:
    """By hand."""
    scoring, labels, answers = (
        study.scoring(dataset),
        study.labels[dataset],
        logits.argmax(1),
    )
    right = answers == labels
    if scoring.accepted:
        right = np.array(
            [a in accepted for a, accepted in zip(answers, scoring.accepted)]
        )
    if scoring.metric == "macro-f1":
        return f1_score(labels, answers, average="macro", labels=np.unique(labels))
    if scoring.metric == "mean-class":
        return np.mean([right[labels == c].mean() for c in range(4)])
    if scoring.metric == "worst-group":
        groups = np.array(scoring.groups)
        return min(right[groups == g].mean() for g in range(3))
    return right.mean()


def test_soups_and_ensembles_of_two_are_scored_alike(study):
    table, notes = analysed(study, "pairs")
    assert table["soup_accuracy"].tolist() == pytest.approx(
        table["ensemble_accuracy"].tolist()
    )
    for found in table.itertuples():
        ends = [
            study.logits[name][found.dataset].astype(float)
            for name in (found.model, found.other_model)
        ]
        assert found.soup_accuracy == pytest.approx(
            own_metric(study, found.dataset, (ends[0] + ends[1]) / 2)
        )
        mean = np.mean([own_metric(study, found.dataset, logits) for logits in ends])
        assert found.interpolation_advantage == pytest.approx(
            found.soup_accuracy - mean
        )
    others = any(scoring.metric != "accuracy" for scoring in study.scorings.values())
    assert any("the data set's own metric" in note for note in notes) == others


def test_growing_soups_and_ensembles_are_scored_alike(study):
    table, _ = analysed(study, "growing")
    for k in (1, 2, 3, 4):
        mean = {
            d: sum(study.logits[m][d].astype(float) for m in RUNS[:k]) / k
            for d in ("test", *SHIFTS)
        }
        for on, sets in (("reference", ["test"]), ("mean of shifts", SHIFTS)):
            expected = np.mean([own_metric(study, d, mean[d]) for d in sets])
            for method in ("uniform soup", "logit ensemble"):
                found = only_row(table, run_count=k, dataset=on, method=method)
                assert found["accuracy"] == pytest.approx(expected), (k, on, method)


OWN_METRIC = ["pairs", "growing", "choosing-alpha", "brittleness", "landscape", "cost"]


@pytest.mark.parametrize("name", OWN_METRIC)
def test_own_metrics_say_so(study, name):
    if name == "cost":
        write_benchmark(study.folder, "base-1", ("1", "2"))
    _, notes = analysed(study, name)
    tests = {d: s for d, s in study.scorings.items() if d in ("test", *SHIFTS)}
    others = [d for d, scoring in tests.items() if scoring.metric != "accuracy"]
    found = [
        note
        for note in notes
        if note.startswith("Here, accuracy means the data set's own metric")
    ]
    assert len(found) == bool(others)
    for note in found:
        assert all(
            f"{d} by {tests[d].metric.replace('-', ' ')}" in note for d in others
        )


@pytest.mark.parametrize(
    "name", ["comparisons", "chords", "low-shot", "joint", "frontier", "calibration"]
)
def test_plain_accuracies_say_so(study, name):
    table, notes = analysed(study, name)
    tests = {d: s for d, s in study.scorings.items() if d in ("test", *SHIFTS)}
    others = [d for d, scoring in tests.items() if scoring.metric != "accuracy"]
    assert len(notes) == bool(others)
    for note in notes:
        assert note.startswith("All accuracies in this table are plain accuracies")
        assert all(
            f"{d} by {tests[d].metric.replace('-', ' ')}" in note for d in others
        )
    if name == "frontier":
        right = {d: study.evidence().correct("long", d).mean() for d in SHIFTS}
        assert only_row(table, model="long")["shifts"] == pytest.approx(
            np.mean(list(right.values()))
        )


def test_a_frontier_goes_through_its_own_points(study):
    """Gap and place are by one metric: a model that is a point of the curve has no gap."""
    table, _ = analysed(study, "frontier", {"sweep": "base"})
    assert only_row(table, model="base")["gap_to_sweep"] == pytest.approx(0, abs=1e-9)


ESTIMATES = {"confidence", "agreement", "entropy"}


def test_only_plain_accuracies_are_estimated(study):
    table, notes = analysed(study, "choosing-alpha")
    kept = ("held-out", *SHIFTS)
    other = any(study.scoring(name).metric != "accuracy" for name in kept)
    assert (not ESTIMATES & set(table["selector"])) == other
    assert any("they estimate plain accuracy" in note for note in notes) == other
    chosen = only_row(table, selector="within-point", sweep="base")
    points = [f"base alpha={alpha:g}" for alpha in ALPHAS]
    held_out = [
        own_metric(study, "held-out", study.logits[p]["held-out"]) for p in points
    ]
    near = [
        a for a, value in zip(ALPHAS, held_out) if value >= max(held_out) - 0.01 - 1e-12
    ]
    assert chosen["alpha"] == near[0]


def test_one_standard_error_is_that_of_the_metric(tmp_path):
    study = ScoredStudy(tmp_path, METRICS["macro F1"])
    points = study.evidence().sweeps()["base"]
    sweep = study.evidence().held_out_sweep(points)
    rng, labels = np.random.default_rng(5), study.labels["held-out"]
    answers = study.logits["base alpha=0.5"]["held-out"].argmax(1)
    drawn = []
    for _ in range(400):
        rows = rng.integers(0, len(labels), len(labels))
        drawn.append(f1_score(labels[rows], answers[rows], average="macro"))
    assert only_row(sweep, alpha=0.5)["standard_error"] == pytest.approx(
        np.std(drawn), rel=0.15
    )
    assert "standard_error" not in ScoredStudy(tmp_path, {}).evidence().held_out_sweep(
        points
    )


# Videos, of which each model keeps the frame that it gets least right.


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    scorings = {"small": Scoring(videos=VIDEOS["small"])}
    return ScoredStudy(tmp_path_factory.mktemp("videos"), scorings)


def test_no_label_of_a_video_reaches_a_selector(videos):
    table, notes = analysed(videos, "choosing-alpha")
    assert not ESTIMATES & set(table["selector"])
    assert len(set(table["selector"])) == 7
    assert notes == [
        "No selector here uses estimates from unlabelled images: small: each model keeps the frame "
        "of a video that it gets least right, and only the label says which frame that is."
    ]


BY_IMAGE = ["overrides", "diversity", "calibration", "pairs", "growing"]


@pytest.mark.parametrize("name", BY_IMAGE)
def test_videos_are_left_out_where_answers_are_compared_image_by_image(videos, name):
    table, notes = analysed(videos, name)
    assert len(notes) == 1
    assert notes[0].startswith("Left out: small, because each model keeps")
    if name == "growing":
        assert set(table["dataset"]) == {"reference", "mean of shifts"}
        assert set(table.loc[table["dataset"] != "reference", "n"]) == {SIZES["sketch"]}
    else:
        assert set(table["dataset"]) == {"test", "sketch"}
    assert len(analyses.short_table_of(name)(table))


@pytest.mark.parametrize("name", BY_IMAGE)
@pytest.mark.parametrize("dataset", ["test", "held-out"])
def test_a_reference_of_videos_is_refused_there(tmp_path, name, dataset):
    study = ScoredStudy(tmp_path, {dataset: Scoring(videos=VIDEOS[dataset])})
    with pytest.raises(NothingToShowError, match=f"{dataset} is scored by videos"):
        analysed(study, name)


def test_all_shifts_of_videos_leave_the_reference(tmp_path):
    study = ScoredStudy(
        tmp_path, {name: Scoring(videos=VIDEOS[name]) for name in SHIFTS}
    )
    with pytest.raises(NothingToShowError, match="every shift is scored by videos"):
        analysed(study, "pairs")
    for name in set(BY_IMAGE) - {"pairs"}:
        table, _ = analysed(study, name)
        reference = "reference" if name == "growing" else "test"
        assert set(table["dataset"]) == {reference}
        assert len(analyses.short_table_of(name)(table))


def test_plain_studies_have_no_notes(tmp_path):
    study = ScoredStudy(tmp_path, {})
    for name in analyses.names():
        if name not in ("cost", "members", "diagnosis", "landscape"):
            assert analysed(study, name)[1] == [], name
