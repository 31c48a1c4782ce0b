"""How answers become numbers: metrics, accepted answers, videos, merged classes, and the tables."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.special import expit
from sklearn.metrics import f1_score

from stockpot import metrics
from stockpot.datasets.dataset import Scoring, read_dataset, write_dataset
from stockpot.evaluation.engine import Engine
from stockpot.evaluation.evaluate_models import evaluate_models, score_predictions
from stockpot.evaluation.evaluator import Evaluator
from stockpot.evaluation.merge_context import FolderContext
from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.store import Store
from stockpot.merging.recipe import single, uniform
from stockpot.metrics import MetricInput, score
from stockpot.models.card import read_card as read_model_card
from stockpot.models.classifier import Weights
from stockpot.models.tower import Normaliser
from stockpot.runtime.errors import StockpotError
from stockpot.statistics.intervals import clopper_pearson, mean_interval, tail_quantiles
from stockpot.tables.class_subsets import subset_cells
from stockpot.tables.main_table import overview
from stockpot.tables.measurements import (
    measure,
    published_cells,
    read_table,
    robustness_table,
)
from stockpot.tables.uncounted_intervals import with_intervals

PLAIN = Scoring()
SPEC = {"precision": "fp32", "batch_size": 50, "store_logits": True}


def answers(labels, predicted, groups=None) -> MetricInput:
    labels, predicted = np.array(labels), np.array(predicted)
    return MetricInput(
        predicted, labels, labels == predicted, None if groups is None else groups
    )


def f1_of_sklearn(given: MetricInput) -> float:
    classes = np.unique(given.labels)
    return f1_score(
        given.labels, given.predicted, labels=classes, average="macro", zero_division=0
    )


# Macro F1.

AWKWARD = {
    "never predicted": ([0, 0, 1, 2], [0, 0, 0, 2]),
    "predicted but absent": ([0, 0, 1], [0, 2, 1]),
    "absent, and all wrong": ([0, 0], [1, 1]),
    "one class": ([3, 3, 3], [3, 3, 3]),
    "one example": ([2], [2]),
    "one wrong example": ([2], [0]),
    "a gap in the classes": ([0, 9, 9], [9, 9, 0]),
}


@pytest.mark.parametrize("case", AWKWARD)
def test_macro_f1_of_awkward_cases_is_sklearns(case):
    given = answers(*AWKWARD[case])
    assert score("macro-f1", given).value == pytest.approx(f1_of_sklearn(given))


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_of_random_answers_is_sklearns(seed):
    rng = np.random.default_rng(seed)
    labels = rng.choice(12, 200, p=rng.dirichlet(np.ones(12) / 2))
    given = answers(
        labels, np.where(rng.random(200) < 0.5, labels, rng.integers(0, 15, 200))
    )
    found = score("macro-f1", given)
    assert found.value == pytest.approx(f1_of_sklearn(given), abs=1e-12)
    assert found.n == 200
    assert found.k is None, "nothing is counted"


def test_macro_f1_by_hand():
    """Class 0: 2 right, 3 labelled, 2 said; class 1: 1, 1, 2. Class 2 is said and has no label."""
    given = answers([0, 0, 0, 1], [0, 0, 1, 1])
    assert score("macro-f1", given).value == pytest.approx((4 / 5 + 2 / 3) / 2)
    given = answers([0, 0, 0, 1], [0, 0, 2, 1])
    assert score("macro-f1", given).value == pytest.approx((4 / 5 + 1) / 2)


@pytest.mark.slow
def test_macro_f1_resampled_is_the_bootstrap_of_examples():
    rng = np.random.default_rng(0)
    labels = rng.choice(6, 120, p=[0.4, 0.3, 0.2, 0.05, 0.03, 0.02])
    given = answers(
        labels, np.where(rng.random(120) < 0.6, labels, rng.integers(0, 7, 120))
    )
    draws = []
    for _ in range(2000):
        rows = rng.integers(0, 120, 120)
        draws.append(
            score("macro-f1", answers(labels[rows], given.predicted[rows])).value
        )
    found = metrics.resampled("macro-f1", given, 4000)
    assert found.shape == (4000,)
    assert found.dtype == np.float64
    assert found.mean() == pytest.approx(np.mean(draws), abs=0.006)
    assert found.std() == pytest.approx(np.std(draws), rel=0.08)
    assert np.allclose(
        np.quantile(found, [0.05, 0.95]), np.quantile(draws, [0.05, 0.95]), atol=0.02
    )
    assert np.array_equal(found, metrics.resampled("macro-f1", given, 4000)), (
        "it repeats"
    )


@pytest.mark.parametrize(("predicted", "value"), [([1, 1, 4], 1), ([0, 0, 0], 0)])
def test_macro_f1_resampled_at_the_ends_has_no_width(predicted, value):
    assert (
        metrics.resampled("macro-f1", answers([1, 1, 4], predicted), 50) == value
    ).all()


# Accuracy and the worst group.


def test_accuracy_counts():
    given = replace(
        answers([0, 1, 2, 2], [0, 0, 0, 0]), correct=np.array([1, 0, 1, 1], bool)
    )
    assert score("accuracy", given) == (0.75, 4, 3), (
        "of what counts as right, not of the label"
    )


def grouped(*groups: tuple[int, int, int]) -> MetricInput:
    """(number of the group, right, of how many) each."""
    numbers = np.concatenate([np.full(n, group) for group, _, n in groups])
    right = np.concatenate([np.arange(n) < k for _, k, n in groups])
    zeros = np.zeros(len(right), int)
    return MetricInput(zeros, zeros, right, numbers)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([(0, 3, 4), (1, 1, 3), (2, 1, 2)], (1 / 3, 3, 1)),
        ([(0, 3, 4), (5, 5, 5)], (0.75, 4, 3)),  # 1 to 4 have no examples
        ([(2, 0, 2), (1, 0, 3), (0, 1, 1)], (0, 3, 0)),  # the first of equals
        ([(0, 2, 6), (1, 1, 3)], (1 / 3, 6, 2)),
        ([(4, 2, 2)], (1, 2, 2)),
    ],
)
def test_the_worst_group_is_the_one_with_the_lowest_accuracy(groups, expected):
    found = score("worst-group", grouped(*groups))
    assert found == pytest.approx(expected)
    assert isinstance(found.k, int)


def test_metrics_are_found_by_name():
    assert {"accuracy", "macro-f1", "worst-group"} <= set(metrics.names())
    with pytest.raises(
        StockpotError, match="^unknown metric 'f2'; there are accuracy, macro-f1"
    ):
        score("f2", answers([0], [0]))
    with pytest.raises(StockpotError, match="unknown metric 'f2'"):
        metrics.resampled("f2", answers([0], [0]))


IMAGES, LABELS = np.zeros((3, 4, 4, 3), np.uint8), np.array([0, 1, 0])


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (Scoring(groups=[0, 1]), "^own: 2 groups for 3 images$"),
        (Scoring(accepted=[[0]]), "^own: 1 accepted for 3 images$"),
        (Scoring(videos=[1]), "^own: 1 videos for 3 images$"),
        (Scoring("worst-group"), "^own: worst-group needs a group for every image$"),
        (Scoring("macro-f1", videos=[0, 0, 1]), "^own: videos are scored by accuracy"),
        (
            Scoring("worst-group", groups=[0, 1, 1], videos=[0, 0, 1]),
            "scored by accuracy",
        ),
    ],
)
def test_scoring_that_no_answer_can_be_given_to_is_refused(tmp_path, scoring, message):
    with pytest.raises(StockpotError, match=message):
        write_dataset(tmp_path / "own", "own", IMAGES, LABELS, ["a", "b"], {}, scoring)
    assert not (tmp_path / "own/dataset.json").exists()


def test_scoring_counts_in_the_fingerprint_and_comes_back(tmp_path):
    scorings = [
        Scoring(),
        Scoring("macro-f1"),
        Scoring(groups=[0, 1, 0]),
        Scoring(videos=[0, 1, 0]),
        Scoring(accepted=[[0], [1], [0, 1]]),
        Scoring(merges={"a": ["x", "y"]}),
    ]
    prints = set()
    for i, scoring in enumerate(scorings):
        write_dataset(tmp_path / str(i), "own", IMAGES, LABELS, ["a", "b"], {}, scoring)
        found = read_dataset(tmp_path / str(i))
        assert found.scoring == scoring
        prints.add(found.fingerprint)
    assert len(prints) == len(scorings)


# Predictions.


def random_logits(n=40, classes=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, classes, generator=generator), torch.arange(n) % classes


def test_any_accepted_class_is_right_and_the_loss_is_the_labels():
    logits, labels = random_logits()
    accepted = [[int(label), (int(label) + 1) % 5] for label in labels]
    plain, found = (
        predictions(logits, labels, keep_logits=True, accepted=sets)
        for sets in ((), accepted)
    )
    best = logits.argmax(1)
    assert torch.equal(found.correct, (best == labels) | (best == (labels + 1) % 5))
    assert found.k > plain.k
    assert torch.equal(found.loss, plain.loss)
    assert torch.equal(found.predicted, plain.predicted)
    none = predictions(logits, labels, keep_logits=True, accepted=[[] for _ in labels])
    assert none.k == 0, "where no class is accepted none is right"


# Frames of two videos: wrong beats right, whatever the loss; then the largest loss.
FRAMES = torch.tensor(
    [[5.0, 0, 0], [2.0, 0, 0], [0.1, 0, 0], [3.0, 0, 4.0], [0.0, 9.0, 0]]
)


@pytest.mark.parametrize(
    ("labels", "videos", "worst"),
    [
        ([0, 0, 0, 0, 0], [7, 7, 7, 7, 7], [4]),  # of wrong ones the largest loss
        ([0, 0, 0, 2, 1], [7, 7, 7, 7, 7], [2]),  # all right: the largest loss
        ([0, 0, 0, 2, 1], [1, 1, 0, 0, 0], [2, 1]),  # in the order of their numbers
        ([0, 0, 0, 2, 1], [1, 0, 1, 0, 1], [3, 2]),
        ([0, 0, 1, 2, 1], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ([0, 0, 1, 2, 1], [4, 3, 2, 1, 0], [4, 3, 2, 1, 0]),
    ],
)
def test_of_a_video_the_frame_counts_that_is_least_right(labels, videos, worst):
    found = predictions(FRAMES, torch.tensor(labels), keep_logits=True, videos=videos)
    frames = predictions(FRAMES, torch.tensor(labels), keep_logits=True)
    assert found.n == len(set(videos))
    for column in ("predicted", "correct", "confidence", "loss", "logits"):
        assert torch.equal(getattr(found, column), getattr(frames, column)[worst]), (
            column
        )
    assert (
        predictions(
            FRAMES, torch.tensor(labels), keep_logits=False, videos=videos
        ).logits
        is None
    )


def test_a_wrong_frame_with_a_small_loss_beats_a_right_one_with_a_larger():
    """As can be with accepted classes: the loss is of the label, the other class is right too."""
    logits, labels = torch.tensor([[4.0, 0, 0], [1.0, 0.9, 0]]), torch.tensor([1, 1])
    accepted = [[0, 1], [1]]
    found = predictions(
        logits, labels, keep_logits=True, accepted=accepted, videos=[0, 0]
    )
    assert found.n == 1
    assert not found.correct[0]
    assert torch.equal(found.logits[0], logits[1])
    frames = predictions(logits, labels, keep_logits=True, accepted=accepted)
    assert frames.correct.tolist() == [True, False]
    assert frames.loss[0] > frames.loss[1]


@pytest.mark.parametrize("seed", range(3))
def test_videos_are_right_where_all_of_their_frames_are(seed):
    logits, labels = random_logits(60, 3, seed)
    logits[torch.arange(60), labels] += 2.5
    videos = np.random.default_rng(seed).integers(10, 25, 60)
    frames = predictions(logits, labels, keep_logits=False)
    found = predictions(logits, labels, keep_logits=False, videos=videos.tolist())
    expected = [bool(frames.correct[videos == v].all()) for v in np.unique(videos)]
    assert found.correct.tolist() == expected
    assert 0 < found.k < found.n


# The engine.


@pytest.fixture(scope="module")
def folders(zero_shot, runs):
    return {"zero": zero_shot, **{name: runs[name] for name in ("a", "b")}}


@pytest.fixture(scope="module")
def shas(folders):
    return {name: read_model_card(folder).sha256 for name, folder in folders.items()}


@pytest.fixture(scope="module")
def test_set(world):
    return read_dataset(world["test"])


def logits_of(folder, data):
    weights = Weights(folder)
    return Engine({weights.card.sha256: weights}, "fp32").logits(
        single(weights.card.sha256), data
    )


def kept_as(data, folder, name, scoring, labels=None, classes=None):
    """The same images with other labels, classes or scoring, through the disk."""
    labels = data.labels if labels is None else labels
    write_dataset(
        folder, name, data.images, labels, classes or data.class_names, {}, scoring
    )
    return read_dataset(folder)


def test_a_merged_class_has_the_largest_logit_of_its_classes(
    zero_shot, test_set, tmp_path
):
    """Beside one that is not merged, in another order than the model's, with one class twice."""
    names = test_set.class_names
    merges = {"any": [names[9], names[0], names[4]], "odd": [names[4], names[2]]}
    classes = ["odd", names[7], "any"]
    labels = np.zeros(len(test_set), int)
    data = kept_as(
        test_set, tmp_path, "merged", Scoring(merges=merges), labels, classes
    )
    whole, found = (logits_of(zero_shot, given).numpy() for given in (test_set, data))
    columns = [[4, 2], [7], [9, 0, 4]]
    expected = np.stack([whole[:, places].max(1) for places in columns], 1)
    assert np.allclose(found, expected, atol=1e-5)
    assert found.shape == (len(test_set), 3)


def test_merges_count_where_the_class_list_is_the_models(zero_shot, test_set, tmp_path):
    names = test_set.class_names
    merges = {names[0]: names[:2], names[1]: [names[0]]}
    data = kept_as(test_set, tmp_path, "merged", Scoring(merges=merges))
    whole, found = (logits_of(zero_shot, given).numpy() for given in (test_set, data))
    expected = np.column_stack([whole[:, :2].max(1), whole[:, 0], whole[:, 2:]])
    assert np.allclose(found, expected, atol=1e-5)


def test_classes_in_another_order_are_those_columns(zero_shot, test_set, tmp_path):
    data = kept_as(
        test_set, tmp_path, "back", Scoring(), classes=test_set.class_names[::-1]
    )
    whole, found = (logits_of(zero_shot, given) for given in (test_set, data))
    assert torch.allclose(found, whole.flip(1), atol=1e-5)


def test_a_merged_class_that_the_model_lacks_is_named(zero_shot, test_set, tmp_path):
    merges = {test_set.class_names[3]: [test_set.class_names[3], "teapot"]}
    data = kept_as(test_set, tmp_path, "odd", Scoring(merges=merges))
    with pytest.raises(
        StockpotError, match=r"^odd: its class 'teapot' is not among .* 16 classes"
    ):
        logits_of(zero_shot, data)


def test_images_stored_larger_are_seen_resized(zero_shot, test_set, tmp_path):
    """As torchvision resizes them; Pillow's rounding to whole numbers is not far."""
    from stockpot.models.third_party import transforms

    large = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((48, 48), Image.BILINEAR))
            for image in test_set.images
        ]
    )
    write_dataset(
        tmp_path / "large", "large", large, test_set.labels, test_set.class_names, {}
    )
    found = logits_of(zero_shot, read_dataset(tmp_path / "large"))
    weights = Weights(zero_shot)
    engine = Engine({weights.card.sha256: weights}, "fp32")
    resize = transforms.Resize(32, transforms.InterpolationMode.BICUBIC, antialias=True)
    with torch.no_grad():
        pixels = resize(
            Normaliser(weights.card.mean, weights.card.std)(torch.from_numpy(large))
        )
        engine.logits(single(weights.card.sha256), test_set)
        expected = engine.model.head(engine.model.features(pixels))
    assert torch.allclose(found, expected, atol=1e-4)
    small = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((32, 32), Image.BICUBIC))
            for image in large
        ]
    )
    write_dataset(
        tmp_path / "small", "small", small, test_set.labels, test_set.class_names, {}
    )
    near = logits_of(zero_shot, read_dataset(tmp_path / "small"))
    assert (found - near).abs().max() < 0.1 * found.std()


# The evaluator and what it tells.


@pytest.fixture(scope="module")
def videos(test_set, tmp_path_factory):
    """The test set as videos of four frames."""
    numbers = [7 - i // 8 for i in range(len(test_set))]
    folder = tmp_path_factory.mktemp("videos")
    return kept_as(test_set, folder / "videos", "videos", Scoring(videos=numbers))


def evaluator_of(folders, root, **changes) -> Evaluator:
    return Evaluator(Store(root), list(folders.values()), {**SPEC, **changes})


@pytest.mark.slow
def test_an_ensemble_of_videos_mixes_frames(folders, shas, videos, test_set, tmp_path):
    """Of each member the store has another frame."""
    evaluator = evaluator_of(folders, tmp_path)
    alone = [evaluator.predictions(single(shas[name]), videos)[1] for name in folders]
    assert {one.n for one in alone} == {8}
    recipe = uniform(list(shas.values()), rule="logit-ensemble")
    _, found = evaluator_of(folders, tmp_path).predictions(recipe, videos)
    mean = torch.stack(
        [logits_of(folder, test_set) for folder in folders.values()]
    ).mean(0)
    labels = torch.from_numpy(test_set.labels)
    expected = predictions(mean, labels, keep_logits=True, videos=videos.scoring.videos)
    assert torch.allclose(found.logits, expected.logits, atol=1e-4)
    assert torch.equal(found.correct, expected.correct)
    wrong = torch.stack([one.logits for one in alone]).mean(0)
    assert not torch.allclose(found.logits, wrong, atol=1e-2), (
        "not of the members' worst frames"
    )


def test_accepted_classes_reach_the_store(zero_shot, shas, folders, test_set, tmp_path):
    logits = logits_of(zero_shot, test_set)
    second = logits.topk(2).indices[:, 1].tolist()
    data = kept_as(
        test_set, tmp_path / "real", "real", Scoring(accepted=[[c] for c in second])
    )
    _, found = evaluator_of(folders, tmp_path / "store").predictions(
        single(shas["zero"]), data
    )
    assert found.k == 0
    first = logits.argmax(1).tolist()
    data = kept_as(
        test_set, tmp_path / "all", "real", Scoring(accepted=[[c] for c in first])
    )
    _, found = evaluator_of(folders, tmp_path / "store").predictions(
        single(shas["zero"]), data
    )
    assert found.k == len(test_set)


def family(folder, sets, root):
    """Cells of one model on these data sets."""
    member = {"name": "zero-shot", "kind": "zero-shot", "end": "zero"}
    evaluate_models(
        {**SPEC, "members": [member], "alphas": []},
        None,
        {"zero": folder},
        [folder],
        sets,
        Store(root / "store"),
        root / "out.json",
    )
    return json.loads((root / "out.json").read_text())["cells"]


@pytest.fixture(scope="module")
def scorings(test_set):
    groups = [i % 3 for i in range(len(test_set))]
    return {
        "plain": Scoring(),
        "f1": Scoring("macro-f1"),
        "groups": Scoring("worst-group", groups=groups),
        "videos": Scoring(videos=[i // 8 for i in range(len(test_set))]),
    }


@pytest.fixture(scope="module")
def scored_sets(test_set, scorings, tmp_path_factory):
    """The test set, scored in every way."""
    root = tmp_path_factory.mktemp("scored")
    for name, scoring in scorings.items():
        kept_as(test_set, root / name, name, scoring)
    return {name: root / name for name in scorings}


@pytest.fixture(scope="module")
def cells(zero_shot, scored_sets, tmp_path_factory):
    root = tmp_path_factory.mktemp("cells")
    return root, pd.DataFrame(family(zero_shot, list(scored_sets.values()), root))


def test_cells_tell_metric_value_n_and_k(cells, zero_shot, test_set):
    found = cells[1].set_index("dataset")
    right = logits_of(zero_shot, test_set).argmax(1).numpy() == test_set.labels
    predicted, n = logits_of(zero_shot, test_set).argmax(1).numpy(), len(test_set)
    assert found["metric"].to_dict() == {
        "plain": "accuracy",
        "f1": "macro-f1",
        "groups": "worst-group",
        "videos": "accuracy",
    }
    assert found.loc["plain", ["value", "n", "k"]].tolist() == [
        right.mean(),
        n,
        right.sum(),
    ]
    assert found.loc["f1", "value"] == pytest.approx(
        f1_of_sklearn(answers(test_set.labels, predicted))
    )
    assert found.loc["f1", "n"] == n
    assert np.isnan(found.loc["f1", "k"])
    groups = [right[i::3] for i in range(3)]
    worst = min(groups, key=np.mean)
    expected = [worst.mean(), len(worst), worst.sum()]
    assert found.loc["groups", ["value", "n", "k"]].tolist() == pytest.approx(expected)
    whole = right.reshape(8, 8).all(1)
    assert found.loc["videos", ["value", "n", "k"]].tolist() == [
        whole.mean(),
        8,
        whole.sum(),
    ]


@pytest.mark.parametrize("name", ["plain", "f1", "groups", "videos"])
def test_what_is_selected_by_is_the_data_sets_metric(
    name, scored_sets, zero_shot, tmp_path
):
    data = read_dataset(scored_sets[name])
    context = FolderContext(SPEC, [zero_shot], data, [], tmp_path)
    sha = read_model_card(zero_shot).sha256
    found = score_predictions(
        data,
        Evaluator(Store(tmp_path), [zero_shot], SPEC).predictions(single(sha), data)[1],
    )
    k, n = context.held_out(single(sha))
    assert k / n == pytest.approx(found["value"])
    if data.scoring.metric == "accuracy":
        assert (k, n) == (found["k"], found["n"])
        assert isinstance(k, int)


# From cells to tables.


def test_intervals_of_what_counts_nothing_come_from_the_store(
    cells, scored_sets, test_set
):
    root, table = cells
    found = with_intervals(
        table, list(scored_sets.values()), root / "store", tail_quantiles(0.9)
    )
    found = found.set_index("dataset")
    assert found.drop("f1")[["low", "high"]].isna().all(axis=None)
    low, value, high = found.loc["f1", ["low", "value", "high"]]
    assert 0 < low < value < high < 1
    entry = Store(root / "store").get(found.loc["f1", "key"])
    given = answers(test_set.labels, entry.predicted.numpy())
    expected = np.quantile(metrics.resampled("macro-f1", given), [0.05, 0.95])
    assert [low, high] == pytest.approx(expected.tolist())
    counted = with_intervals(
        table[table["dataset"] != "f1"], [], root / "store", tail_quantiles(0.9)
    )
    assert counted[["low", "high"]].isna().all(axis=None), (
        "no data set is opened for these"
    )


ROLES = {"val": "held-out", "ref": "reference", "acc": "shift", "f1": "shift"}
N = 400


def row(model, kind, dataset, value, n=N, **more):
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


@pytest.fixture
def mixed_cells():
    rows = []
    for i, x in enumerate((-0.5, 0.0, 0.5, 1.0)):
        for dataset, place in (
            ("ref", x),
            ("acc", 0.8 * x - 0.3),
            ("f1", 0.7 * x - 0.9),
        ):
            rows.append(row(f"scratch-{i}", "from-scratch", dataset, expit(place)))
    for dataset, value in (("ref", 0.7), ("acc", 0.65), ("f1", 0.5)):
        rows.append(row("zero-shot", "zero-shot", dataset, value))
        rows.append(row("run", "end-to-end", dataset, value + 0.1))
    return pd.DataFrame(rows)


def test_counts_get_clopper_pearson_and_the_others_their_bootstrap(mixed_cells):
    found = measure(mixed_cells, ROLES, 0.9).set_index(["model", "dataset"]).loc["run"]
    low, high = clopper_pearson(0.75 * N, N, 0.9)
    assert found.loc["acc", ["low", "high"]].tolist() == [low, high]
    assert found.loc["acc", "interval_type"] == "Clopper-Pearson"
    assert found.loc["f1", ["value", "low", "high"]].tolist() == pytest.approx(
        [0.6, 0.54, 0.66]
    )
    assert found.loc["f1", "interval_type"] == "bootstrap"
    assert pd.isna(found.loc["f1", "k"])
    assert found["metric"].to_dict() == {
        "ref": "accuracy",
        "acc": "accuracy",
        "f1": "macro-f1",
        "shifts": "mean",
    }


def test_a_study_where_nothing_is_counted_can_be_measured(mixed_cells):
    """Then JSON has null alone under k."""
    rows = mixed_cells[mixed_cells["dataset"] == "f1"].to_dict("records")
    table = pd.DataFrame(
        [{**r, "k": None, "dataset": d} for r in rows for d in ("ref", "f1")]
    )
    found = measure(table, {"ref": "reference", "f1": "shift"}, 0.95)
    assert (found["interval_type"] == "bootstrap").all()
    assert found["k"].isna().all()
    assert set(found["metric"]) == {"macro-f1", "mean"}
    mean = found[(found["dataset"] == "shifts") & (found["model"] == "run")].iloc[0]
    assert [mean["low"], mean["high"]] == pytest.approx([0.54, 0.66]), (
        "the mean of one shift"
    )


PUBLISHED = [
    (f"net-{i}", dataset, 0.4 + 0.1 * i)
    for i in range(3)
    for dataset in ("ref", "acc", "f1")
]


def test_published_numbers_have_no_interval_and_the_metric_of_their_data_set(
    mixed_cells,
):
    table = pd.concat([mixed_cells, published_cells(PUBLISHED)], ignore_index=True)
    found = measure(table, ROLES, 0.95)
    found = found[found["model"].str.startswith("net-")]
    assert len(found) == 12
    assert (found["interval_type"] == "not known").all()
    assert found[["low", "high", "n", "k"]].isna().all(axis=None)
    assert found.groupby("dataset")["metric"].unique().str.join(" ").to_dict() == {
        "acc": "accuracy",
        "f1": "macro-f1",
        "ref": "accuracy",
        "shifts": "mean",
    }
    assert found[found["dataset"] == "shifts"]["value"].tolist() == pytest.approx(
        [0.4, 0.5, 0.6]
    )


def equivalent(half, value=0.6, confidence=0.95):
    from scipy.stats import norm

    return value * (1 - value) * (norm.ppf(tail_quantiles(confidence)[1]) / half) ** 2


def test_the_mean_of_mixed_metrics_has_the_width_of_both(mixed_cells):
    found = (
        measure(mixed_cells, ROLES, 0.95).set_index(["model", "dataset"]).loc["run", :]
    )
    mean = found.loc["shifts"]
    assert mean["value"] == pytest.approx((0.75 + 0.6) / 2)
    assert (mean["interval_type"], mean["n"]) == ("stratified bootstrap", 2 * N)
    n = np.array([N, round(equivalent(0.06))])
    low, high = mean_interval(np.array([0.75, 0.6]) * n, n, 0.95)
    assert [mean["low"], mean["high"]] == pytest.approx([low, high], abs=0.002)
    rng = np.random.default_rng(0)
    sampled = (
        rng.binomial(N, 0.75, 40_000) / N + rng.normal(0.6, 0.06 / 1.96, 40_000)
    ) / 2
    expected = np.quantile(sampled, tail_quantiles(0.95))
    assert [mean["low"], mean["high"]] == pytest.approx(expected.tolist(), abs=0.006)


def test_a_mean_that_lacks_an_n_has_no_interval(mixed_cells):
    table = mixed_cells.copy()
    gone = (table["model"] == "run") & (table["dataset"] == "acc")
    table.loc[gone, ["n", "k"]] = np.nan
    found = measure(table, ROLES, 0.95).set_index(["model", "dataset"]).loc["run"]
    assert (
        found.loc["acc", "interval_type"]
        == found.loc["shifts", "interval_type"]
        == "not known"
    )
    assert pd.isna(found.loc["shifts", "low"])
    assert pd.isna(found.loc["shifts", "n"])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_bootstrap_without_width_counts_its_examples(mixed_cells, value):
    """F1 of 0 or 1 in every resampling tells of no equivalent n."""
    table = mixed_cells.copy()
    table.loc[table["dataset"] == "f1", ["value", "low", "high"]] = value
    found = measure(table, ROLES, 0.95)
    mean = found[(found["dataset"] == "shifts") & (found["model"] == "run")].iloc[0]
    low, high = mean_interval([0.75 * N, value * N], [N, N])
    assert (mean["low"], mean["high"]) == (low, high)
    _, rho = robustness_table(found[found["dataset"] != "shifts"], "linear", 0.95)
    assert rho.loc[rho["dataset"] == "f1", ["low", "high"]].notna().all(axis=None)


@pytest.mark.parametrize("half", [0.03, 0.1])
def test_effective_robustness_on_a_bootstrapped_set_is_as_wide_as_its_interval(half):
    """Simulated: on a line that is known well, F1 varies as its own interval says."""
    rows = []
    for i, x in enumerate(np.linspace(-1, 1.5, 12)):
        for dataset in ("ref", "f1"):
            rows.append(row(f"s{i}", "from-scratch", dataset, expit(x), n=10**6))
    rows += [row("run", "end-to-end", "ref", 0.7, n=10**6)]
    rows += [row("run", "end-to-end", "f1", 0.6, n=10**6, half=half)]
    roles = {"ref": "reference", "f1": "shift"}
    found = measure(pd.DataFrame(rows), roles, 0.95)
    _, rho = robustness_table(found, "logit", 0.95)
    got = rho[(rho["model"] == "run") & (rho["dataset"] == "f1")].iloc[0]
    assert got["effective_robustness"] == pytest.approx(-0.1, abs=0.002)
    sampled = np.random.default_rng(1).normal(0.6 - 0.7, half / 1.96, 50_000)
    low, high = np.quantile(sampled, tail_quantiles(0.95))
    assert got["high"] - got["low"] == pytest.approx(high - low, rel=0.06)
    assert [got["low"], got["high"]] == pytest.approx([low, high], abs=0.01)
    mean = rho[(rho["model"] == "run") & (rho["dataset"] == "shifts")].iloc[0]
    assert (mean["low"], mean["high"]) == (got["low"], got["high"]), (
        "the mean of one shift"
    )


# The overview.


def right(model, dataset):
    """Answers of that accuracy; asked for F1 there is none."""
    assert dataset != "f1", "a test of counts on what counts nothing"
    value = {"zero-shot": {"ref": 0.7, "acc": 0.65}, "run": {"ref": 0.8, "acc": 0.75}}
    return np.arange(N) < round(value[model][dataset] * N)


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_the_overview_names_the_metric_and_gives_no_bold_there(
    mixed_cells, tmp_path, published, stored
):
    extra = [published_cells(PUBLISHED)] * published
    found = measure(pd.concat([mixed_cells, *extra], ignore_index=True), ROLES, 0.95)
    if stored:
        found.to_csv(tmp_path / "m.csv", index=False)
        found = read_table(tmp_path / "m.csv")
    table = overview(found, right)
    assert table.columns.tolist() == [
        "model",
        "kind",
        "ref",
        "acc",
        "f1 (macro f1)",
        "mean of shifts",
    ]
    assert table["model"].tolist() == ["zero-shot", "run"]
    assert table.loc[1, "ref"].startswith("**80.0")
    assert table.loc[1, "acc"].startswith("**75.0")
    assert table.loc[1, "f1 (macro f1)"] == "60.0 ± 6.0"
    assert "*" not in "".join([*table["f1 (macro f1)"], *table["mean of shifts"]])


def test_the_worst_group_is_named_without_bold(mixed_cells):
    table = mixed_cells.assign(
        metric=mixed_cells["metric"].where(
            mixed_cells["dataset"] != "acc", "worst-group"
        )
    )
    found = overview(measure(table, ROLES, 0.95), right)
    assert "acc (worst group)" in found
    assert "*" not in "".join(found["acc (worst group)"])


# The reference restricted to the classes of a shift.


@pytest.fixture
def restricted(tmp_path):
    """A function: scoring of reference and shift -> the restricted cell; and what it is made of."""
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 4, 90), torch.tensor(rng.normal(size=(90, 4)))
    logits[torch.arange(90), torch.tensor(labels)] += 1
    images, names = np.zeros((90, 4, 4, 3), np.uint8), list("pqrs")

    def make(reference=PLAIN, classes=("r", "p"), shift=PLAIN):
        write_dataset(tmp_path / "ref", "ref", images, labels, names, {}, reference)
        write_dataset(
            tmp_path / "a", "a", images, labels % len(classes), list(classes), {}, shift
        )
        made = predictions(
            logits,
            torch.tensor(labels),
            keep_logits=True,
            accepted=reference.accepted,
            videos=reference.videos,
        )
        Store(tmp_path / "store").put("key1", made, {}, "")
        table = pd.DataFrame(
            [
                {
                    "model": "m",
                    "kind": "zero-shot",
                    "sweep": "",
                    "alpha": None,
                    "precision": "fp32",
                    "dataset": d,
                    "key": "key1",
                    "n": 90,
                    "k": None,
                    "classes": 4,
                    "metric": "macro-f1",
                    "value": 0.5,
                }
                for d in ("ref", "a")
            ]
        )
        roles, folders = (
            {"ref": "reference", "a": "shift"},
            [tmp_path / "ref", tmp_path / "a"],
        )
        return subset_cells(
            table, roles, folders, tmp_path / "store", tail_quantiles(0.9)
        )

    rows = np.isin(labels, [0, 2])
    predicted = np.where(logits[:, 0] >= logits[:, 2], 0, 2)[rows]
    return make, rows, labels[rows], predicted


def test_a_subset_has_the_metric_of_the_reference(restricted):
    make, rows, labels, predicted = restricted
    found = make(Scoring("macro-f1")).iloc[0]
    given = answers(labels, predicted)
    assert found["metric"] == "macro-f1"
    assert found["k"] is None
    assert found["n"] == rows.sum()
    assert found["value"] == pytest.approx(f1_of_sklearn(given))
    expected = np.quantile(metrics.resampled("macro-f1", given), [0.05, 0.95])
    assert [found["low"], found["high"]] == pytest.approx(expected.tolist())


def test_a_subset_of_the_worst_group_and_of_accepted_classes(restricted):
    make, rows, labels, predicted = restricted
    groups = np.arange(90) % 3
    found = make(Scoring("worst-group", groups=groups.tolist())).iloc[0]
    shares = [(predicted == labels)[groups[rows] == g].mean() for g in range(3)]
    assert found["metric"] == "worst-group"
    assert found["value"] == pytest.approx(min(shares))
    found = make(Scoring(accepted=[[0] for _ in range(90)])).iloc[0]
    assert (found["metric"], found["k"]) == ("accuracy", (predicted == 0).sum())


def test_a_subset_and_its_shift_are_measured_and_drawn_together(restricted):
    make, *_ = restricted
    cells = make(Scoring("macro-f1"))
    name = "ref (a classes)"
    roles = {"ref": "reference", "a": "shift", name: "subset"}
    shift = [row("m", "zero-shot", "f1", 0.4) | {"dataset": d} for d in ("ref", "a")]
    found = measure(
        pd.concat([pd.DataFrame(shift), cells], ignore_index=True), roles, 0.9
    )
    got = found[found["dataset"] == name].iloc[0]
    assert got["interval_type"] == "bootstrap"
    assert got["low"] < got["value"] < got["high"]


def test_merged_classes_of_a_shift_are_those_that_stand_for_them(restricted):
    """As ObjectNet's: its own names are none of the reference's."""
    make, rows, labels, predicted = restricted
    merges = Scoring(merges={"x": ["p"], "y": ["r"]})
    found = make(classes=("x", "y"), shift=merges).iloc[0]
    assert (found["n"], found["classes"]) == (rows.sum(), 2)
    assert found["k"] == (predicted == labels).sum()
    both = Scoring(merges={"x": ["p", "q"], "y": ["s", "r"]})
    assert make(classes=("x", "y"), shift=both).empty, "no class is missing"


def test_a_reference_of_videos_cannot_be_restricted(restricted):
    make, *_ = restricted
    videos = [i // 9 for i in range(90)]
    with pytest.raises(StockpotError, match="class_subset: ref is scored by videos"):
        make(Scoring(videos=videos))
    assert make(Scoring(videos=videos), classes=list("pqrs")).empty
