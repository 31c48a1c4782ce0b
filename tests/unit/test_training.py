"""Training: the schedule, crops, the resumable loop, the variants and what a run writes."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from stockpot.datasets import checked_images
from stockpot.datasets.dataset import read_dataset, spread_rows
from stockpot.models.card import CARD, read_card
from stockpot.models.classifier import WEIGHTS, Weights, model_digest
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser
from stockpot.runtime.digest import sha256_file
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.kept_files import LAST
from stockpot.training import loop, variants
from stockpot.training.augment import random_crop
from stockpot.training.images import few_shot, image_batches
from stockpot.training.loop import (
    Batches,
    DivergedError,
    count_correct,
    fit,
    parameter_groups,
)
from stockpot.training.run import run
from stockpot.training.schedule import warmup_cosine
from tests.support.short_runs import RUNS, run_spec
from tests.support.tensors import tensor_digest

pytestmark = pytest.mark.slow


def cosine_lr(step, base, warmup, steps):
    """The originals' schedule (mlfoundations/wise-ft, src/models/utils.py)."""
    if step < warmup:
        return base * (step + 1) / warmup
    e, es = step - warmup, steps - warmup
    return 0.5 * (1 + math.cos(math.pi * e / es)) * base


@given(st.integers(2, 500), st.integers(1, 100))
def test_schedule_is_the_originals(steps, warmup):
    warmup = min(warmup, steps - 1)
    factors = [warmup_cosine(step, steps, warmup) for step in range(steps)]
    expected = [cosine_lr(step, 1.0, warmup, steps) for step in range(steps)]
    assert factors == pytest.approx(expected, abs=1e-12)
    assert max(factors) == factors[warmup - 1] == 1.0
    assert min(factors) > 0
    assert factors[:warmup] == sorted(factors[:warmup])
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)


def test_schedule_in_numbers():
    factors = [warmup_cosine(step, 8, 4) for step in range(9)]
    half = math.sqrt(0.5)
    expected = [0.25, 0.5, 0.75, 1, 1, (1 + half) / 2, 0.5, (1 - half) / 2, 0]
    assert factors == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 3])
def test_schedule_of_nothing_but_warmup(steps):
    assert warmup_cosine(steps - 1, steps, steps) == 1.0
    assert math.isfinite(warmup_cosine(steps, steps, steps))


@pytest.fixture
def pictures():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(32, 3, 32, 32, generator=generator)


def cropped(pictures, smallest, side=32, seed=0):
    return random_crop(pictures, smallest, side, torch.Generator().manual_seed(seed))


def test_a_crop_of_everything_is_the_image(pictures):
    assert (cropped(pictures, 1.0) - pictures).abs().max() < 1e-5


@pytest.mark.parametrize("side", [32, 24, 40])
def test_crops_have_the_wanted_side_and_the_images_range(pictures, side):
    crops = cropped(pictures, 0.5, side)
    assert crops.shape == (32, 3, side, side)
    assert crops.dtype == torch.float32
    assert crops.min() >= pictures.min() - 1e-6
    assert crops.max() <= pictures.max() + 1e-6


def test_crops_follow_from_the_generator_and_differ_per_image(pictures):
    assert torch.equal(cropped(pictures, 0.5), cropped(pictures, 0.5))
    assert not torch.equal(cropped(pictures, 0.5), cropped(pictures, 0.5, seed=1))
    same = pictures[:1].expand(32, -1, -1, -1).contiguous()
    assert len({crop.numpy().tobytes() for crop in cropped(same, 0.5)}) == 32


def test_crops_are_squares_inside_the_image_of_the_wanted_area():
    """Measured on a ramp: each crop shows an interval of it, in x and in y."""
    ramp = (torch.arange(64) + 0.5) / 64
    images = torch.stack(
        [ramp.expand(64, 64), ramp.expand(64, 64).T, torch.zeros(64, 64)]
    )
    crops = cropped(images.expand(400, -1, -1, -1).contiguous(), 0.5, 64)
    x, y = crops[:, 0, 32, :], crops[:, 1, :, 32]
    # Away from the border, where bilinear interpolation of a ramp is exact.
    width, height = ((z[:, 60] - z[:, 3]) * 64 / 57 for z in (x, y))
    assert torch.allclose(width, height, atol=1e-3)
    area = width * height
    assert area.min() > 0.5 - 1e-3
    assert area.max() < 1 + 1e-3
    assert area.min() < 0.55
    assert area.max() > 0.95
    assert abs(area.mean() - 0.75) < 0.03
    left, right = x[:, 32] - width / 2, x[:, 32] + width / 2
    assert left.min() > -0.02
    assert right.max() < 1.02
    assert abs((x[:, 32] - 0.5).mean()) < 0.02, "no side is preferred"


def test_batches_crop_in_training_alone(world, zero_shot):
    data, card = read_dataset(world["train"]), read_card(zero_shot)
    batches = image_batches(data, card, 0.5, "cpu", limit=10)
    assert len(batches) == 10
    assert batches.labels.tolist() == data.labels[:10].tolist()
    plain = Normaliser(card.mean, card.std)(torch.from_numpy(data.images[:10].copy()))
    assert torch.equal(batches.prepare(batches.inputs, None), plain)
    generator = torch.Generator().manual_seed(0)
    assert not torch.equal(batches.prepare(batches.inputs, generator), plain)
    whole = image_batches(data, card, 1, "cpu")
    assert len(whole) == len(data)
    assert torch.equal(whole.prepare(whole.inputs[:10], generator), plain)


@pytest.mark.parametrize("wanted", ["limit", "shots"])
def test_only_the_images_that_are_taken_are_read(world, zero_shot, monkeypatch, wanted):
    data, card = read_dataset(world["train"]), read_card(zero_shot)
    if wanted == "limit":
        given = {"limit": 10}
        rows = spread_rows(data.labels, 10)
    else:
        given = {"spec": {"shots": 2, "shots_seed": 0}}
        rows = few_shot(data, 2, 0).numpy()
    digest_of, checked = checked_images.image_digest, []

    def count(image):
        checked.append(1)
        return digest_of(image)

    monkeypatch.setattr(checked_images, "image_digest", count)
    batches = image_batches(data, card, 1, "cpu", **given)
    assert len(checked) == len(rows) < len(data)
    whole = image_batches(data, card, 1, "cpu")
    assert torch.equal(batches.inputs, whole.inputs[rows])
    assert torch.equal(batches.labels, whole.labels[rows])


def test_labels_are_places_in_the_models_class_list(world, zero_shot):
    """A held-out set may list its classes in another order, or only some of them."""
    data, card = read_dataset(world["held-out"]), read_card(zero_shot)
    wanted = [data.class_names[label] for label in data.labels]
    turned = replace(
        data,
        class_names=data.class_names[::-1],
        labels=len(data.class_names) - 1 - data.labels,
    )
    places = image_batches(turned, card, 1, "cpu").labels
    assert [card.class_names[place] for place in places] == wanted
    foreign = replace(data, class_names=["zebra", *data.class_names[1:]])
    with pytest.raises(
        StockpotError, match=r"held-out: its class 'zebra' is not among .* 16"
    ):
        image_batches(foreign, card, 1, "cpu")


def test_training_does_not_write_into_the_data_set(world, zero_shot):
    before = read_dataset(world["train"]).images[:].tobytes()
    batches = image_batches(
        read_dataset(world["train"]), read_card(zero_shot), 1, "cpu"
    )
    batches.inputs += 1
    assert read_dataset(world["train"]).images[:].tobytes() == before


SPEC = {
    "epochs": 3,
    "batch_size": 16,
    "lr": 0.05,
    "weight_decay": 0.1,
    "warmup": 0.1,
    "grad_clip_norm": 1.0,
    "label_smoothing": 0.0,
    "seed": 5,
}


def noisy(x, generator):
    return (
        x if generator is None else x + 0.1 * torch.rand(x.shape, generator=generator)
    )


def problem(n=80, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=generator)
    return Batches(x, x[:, :3].argmax(1), noisy)


def small_model():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(6, 16),
        torch.nn.BatchNorm1d(16),
        torch.nn.ReLU(),
        torch.nn.Linear(16, 3),
    )


def fitted(tmp_path, model=None, held_out=None, **changes):
    model = model or small_model()
    history = fit(
        model, problem(), held_out or problem(40, 1), {**SPEC, **changes}, tmp_path
    )
    return tensor_digest(model.state_dict()), history, model


def test_fit_learns_and_counts(tmp_path):
    _, history, model = fitted(tmp_path, epochs=15)
    assert [row["epoch"] for row in history] == list(range(1, 16))
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    held_out = problem(40, 1)
    with torch.no_grad():
        right = int((model(held_out.inputs).argmax(1) == held_out.labels).sum())
    assert history[-1]["held_out_k"] == right > 25
    assert history[-1]["held_out_n"] == 40
    assert not model.training
    json.dumps(history, allow_nan=False)


def test_the_loss_of_an_epoch_is_the_mean_over_its_examples(tmp_path):
    """With no step taken to speak of; the last batch is a short one."""
    model = torch.nn.Linear(6, 3)
    data = problem()
    data.prepare = lambda x, generator: x
    spec = {**SPEC, "epochs": 1, "lr": 1e-12, "batch_size": 33, "label_smoothing": 0.1}
    history = fit(model, data, problem(40, 1), spec, tmp_path)
    expected = torch.nn.functional.cross_entropy(
        model(data.inputs), data.labels, label_smoothing=0.1
    )
    assert history[0]["loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    first, again, other = (
        fitted(tmp_path / str(i), seed=seed)[0] for i, seed in enumerate((5, 5, 6))
    )
    assert first == again != other


def test_fit_does_not_depend_on_the_global_seed(tmp_path):
    digests = []
    for seed in (1, 2):
        model = small_model()
        torch.manual_seed(seed)
        np.random.seed(seed)
        digests.append(fitted(tmp_path / str(seed), model)[0])
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.04},
        {"weight_decay": 0.2},
        {"warmup": 0.5},
        {"grad_clip_norm": 0.01},
        {"batch_size": 20},
        {"label_smoothing": 0.1},
        {"epochs": 2},
    ],
)
def test_every_hyperparameter_matters(tmp_path, change):
    assert fitted(tmp_path / "a", **change)[0] != fitted(tmp_path / "b")[0]


def test_the_rate_follows_the_schedule_over_all_epochs(tmp_path, monkeypatch):
    rates, step = [], torch.optim.AdamW.step

    def logged(self, *arguments):
        rates.append({group["lr"] for group in self.param_groups})
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", logged)
    fitted(tmp_path, epochs=3, batch_size=32, warmup=0.4)
    # 80 examples: 3 steps an epoch, 9 in all, 4 of them with a rising rate.
    assert rates == [{SPEC["lr"] * warmup_cosine(step, 9, 4)} for step in range(9)]


def test_every_example_is_seen_once_in_every_epoch(tmp_path):
    seen = []
    data = Batches(torch.arange(80.0)[:, None].expand(80, 6), problem().labels, None)

    def prepare(x, generator):
        if generator is not None:
            seen.extend(x[:, 0].int().tolist())
        return x

    data.prepare = prepare
    fit(
        small_model(),
        data,
        problem(40, 1),
        {**SPEC, "epochs": 2, "batch_size": 32},
        tmp_path,
    )
    assert sorted(seen[:80]) == sorted(seen[80:]) == list(range(80))
    assert seen[:80] != seen[80:] != list(range(80))


def test_weight_decay_is_for_matrices():
    groups = parameter_groups(small_model(), 0.3)
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
    assert {p.ndim for p in groups[0]["params"]} == {2}
    assert {p.ndim for p in groups[1]["params"]} == {1}
    assert sum(len(group["params"]) for group in groups) == 6
    model = small_model()
    model[0].weight.requires_grad_(False)
    assert sum(len(group["params"]) for group in parameter_groups(model, 0.3)) == 5


def test_gradients_are_clipped_by_their_global_norm(tmp_path, monkeypatch):
    norms = []
    plain = torch.nn.utils.clip_grad_norm_

    def logged(parameters, bound):
        parameters = list(parameters)
        plain(parameters, bound)
        norms.append(torch.stack([p.grad.norm() for p in parameters]).norm().item())

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", logged)
    fitted(tmp_path, grad_clip_norm=0.01)
    assert norms
    assert max(norms) <= 0.01 * (1 + 1e-5)


class Stop(BaseException):
    """The machine goes down."""


def stopping_after(epochs):
    """A held-out set on which evaluation dies in the epoch after ``epochs``."""
    data = problem(40, 1)
    calls = []

    def prepare(x, generator):
        calls.append(1)
        if len(calls) > epochs:
            raise Stop
        return x

    data.prepare = prepare
    return data


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_an_interrupted_fit_ends_with_the_same_bytes(tmp_path, epochs):
    expected, history, _ = fitted(tmp_path / "whole")
    with pytest.raises(Stop):
        fitted(tmp_path / "parts", held_out=stopping_after(epochs))
    torch.manual_seed(99)
    digest, resumed, model = fitted(tmp_path / "parts")
    assert digest == expected
    assert resumed == history
    assert not model.training


def test_a_fit_interrupted_twice_ends_with_the_same_bytes(tmp_path):
    expected, history, _ = fitted(tmp_path / "whole")
    for _ in range(2):
        with pytest.raises(Stop):
            fitted(tmp_path / "parts", held_out=stopping_after(1))
    assert fitted(tmp_path / "parts")[:2] == (expected, history)


def test_a_finished_fit_does_not_go_on(tmp_path):
    expected, history, _ = fitted(tmp_path)
    assert fitted(tmp_path, held_out=stopping_after(0))[:2] == (expected, history)


def test_a_resumed_fit_does_not_repeat_epochs(tmp_path):
    with pytest.raises(Stop):
        fitted(tmp_path, held_out=stopping_after(2))
    last = stopping_after(1)  # one more epoch is evaluated, a second one would stop it
    _, history, _ = fitted(tmp_path, held_out=last)
    assert len(history) == 3


def test_correct_counts_in_batches():
    data, model = problem(50), torch.nn.Linear(6, 3)
    with torch.no_grad():
        expected = int((model(data.inputs).argmax(1) == data.labels).sum())
    model.train()
    assert {count_correct(model, data, "cpu", size) for size in (1, 7, 50, 500)} == {
        expected
    }
    assert not model.training


def test_an_input_that_is_no_number_diverges(tmp_path):
    data = problem()
    data.inputs[37] = torch.nan
    with pytest.raises(DivergedError, match="the loss became nan in epoch 1, step"):
        fit(torch.nn.Linear(6, 3), data, problem(40, 1), SPEC, tmp_path)


def test_an_enormous_learning_rate_diverges(tmp_path):
    with pytest.raises(DivergedError, match="in epoch"):
        fitted(tmp_path, model=torch.nn.Linear(6, 3), lr=1e37)


class LostGradient(torch.autograd.Function):
    """The identity, whose gradient overflows."""

    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        return gradient * torch.inf


class Overflowing(torch.nn.Linear):
    def forward(self, x):
        return LostGradient.apply(super().forward(x))


@pytest.mark.parametrize("epochs", [1, 2])
def test_weights_lost_in_the_last_step_diverge(tmp_path, epochs):
    """One step an epoch: after the last one no loss is computed that could tell."""
    spec = {**SPEC, "epochs": epochs, "batch_size": 80}
    with pytest.raises(DivergedError):
        fit(Overflowing(6, 3), problem(), problem(40, 1), spec, tmp_path)


def test_variants_are_found_by_their_files():
    assert variants.names() == [
        "end-to-end",
        "from-scratch",
        "linear-classifier",
        "linear-search",
    ]
    with pytest.raises(StockpotError) as error:
        variants.load("lora")
    for word in ("training variant", "'lora'", *variants.names()):
        assert word in str(error.value)


def test_an_unknown_variant_writes_nothing(world, zero_shot, tmp_path):
    with pytest.raises(StockpotError, match="'lora'"):
        run(
            {"name": "x", "variant": "lora"},
            world["train"],
            world["held-out"],
            zero_shot,
            tmp_path / "out",
            "code",
        )
    assert not (tmp_path / "out").exists()


def train(world, zero_shot, folder, name="a", code="code", **changes):
    """One run as the workflow does it; the card."""
    spec = {**run_spec(name), **changes}
    start = None if spec["variant"] == "from-scratch" else zero_shot
    run(spec, world["train"], world["held-out"], start, folder, code)
    return read_card(folder)


@pytest.mark.parametrize("name", RUNS)
def test_the_card_of_a_run(runs, zero_shot, world, name):
    card, start = read_card(runs[name]), read_card(zero_shot)
    assert card.name == name
    assert card.kind == RUNS[name].get("variant", "end-to-end")
    assert card.spec == run_spec(name)
    assert card.status == "ok"
    assert card.class_names == read_dataset(world["train"]).class_names
    assert len(card.history) == card.spec["epochs"]
    assert {row["held_out_n"] for row in card.history} == {64}
    assert card.start == ("" if name == "scratch" else start.sha256)
    if name != "scratch":
        same = ("architecture", "normalise", "mean", "std", "image_size")
        assert [getattr(card, key) for key in same] == [
            getattr(start, key) for key in same
        ]


@pytest.mark.parametrize("name", RUNS)
def test_the_card_counts_the_held_out_set_as_the_written_model_does(runs, world, name):
    model, card = load_classifier(runs[name])
    data = read_dataset(world["held-out"])
    with torch.no_grad():
        logits = model(
            Normaliser(card.mean, card.std)(torch.from_numpy(data.images.copy()))
        )
    right = int((logits.argmax(1).numpy() == data.labels).sum())
    assert card.history[-1]["held_out_k"] == right


@pytest.mark.parametrize("name", RUNS)
def test_a_run_again_gives_the_same_weights_and_card(
    runs, world, zero_shot, tmp_path, name
):
    out = (
        tmp_path / runs[name].parent.name / runs[name].name
    )  # as a card says where it belongs
    card = train(world, zero_shot, out, name)
    assert card == read_card(runs[name])
    assert (out / CARD).read_bytes() == (runs[name] / CARD).read_bytes()
    for tensor in Weights(runs[name]).names:
        assert torch.equal(Weights(runs[name])[tensor], Weights(out)[tensor])


def test_another_seed_gives_other_weights(runs, world, zero_shot, tmp_path):
    card = train(world, zero_shot, tmp_path / "out", "a", seed=77)
    assert card.sha256 != read_card(runs["a"]).sha256


@pytest.fixture
def interrupted(world, zero_shot, tmp_path, monkeypatch):
    """A run of two epochs that dies while it evaluates the second one; its folder."""

    def start(name):
        plain, calls = loop.count_correct, []

        def dying(*arguments, **named):
            calls.append(1)
            if len(calls) == 2:
                raise Stop
            return plain(*arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "count_correct", dying)
            with pytest.raises(Stop):
                train(world, zero_shot, tmp_path / "parts", name, epochs=2)
        assert list((tmp_path / "parts").rglob("state.pt"))
        assert not list((tmp_path / "parts").rglob("classifier.*"))
        return tmp_path / "parts"

    return start


def evaluations(monkeypatch) -> list:
    """Grows by one with every epoch that is trained from here on."""
    plain, calls = loop.count_correct, []
    monkeypatch.setattr(
        loop, "count_correct", lambda *a, **k: calls.append(1) or plain(*a, **k)
    )
    return calls


@pytest.mark.parametrize("name", ["a", "linear", "scratch"])
def test_an_interrupted_run_writes_the_same_classifier(
    interrupted, world, zero_shot, tmp_path, monkeypatch, name
):
    expected = train(world, zero_shot, tmp_path / "whole", name, epochs=2)
    folder, epochs = interrupted(name), evaluations(monkeypatch)
    assert train(world, zero_shot, folder, name, epochs=2) == expected
    assert len(epochs) == 1, "the first epoch is not trained again"
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted([WEIGHTS, CARD, LAST]), (
        "the state of a finished run is removed"
    )


@pytest.mark.parametrize("what", ["code", "train", "held-out", "start"])
def test_a_run_does_not_resume_what_is_another_run_by_now(
    interrupted, world, zero_shot, runs, monkeypatch, what
):
    folder, epochs = interrupted("a"), evaluations(monkeypatch)
    changes, start = {}, zero_shot
    if what == "code":
        changes = {"code": "other code"}
    elif what == "start":
        start = runs["b"]
    else:
        world = {**world, what: world["test"]}
    card = train(world, start, folder, "a", epochs=2, **changes)
    assert len(epochs) == len(card.history) == 2, "from the first epoch on"


def test_the_start_of_a_run_is_not_changed(world, zero_shot, tmp_path):
    before = {file: sha256_file(zero_shot / file) for file in (WEIGHTS, CARD)}
    first, card = load_classifier(zero_shot)
    for name in ("a", "linear"):
        train(world, zero_shot, tmp_path / name, name)
    assert {file: sha256_file(zero_shot / file) for file in (WEIGHTS, CARD)} == before
    second, _ = load_classifier(zero_shot)
    assert tensor_digest(first.state_dict()) == tensor_digest(second.state_dict())
    assert model_digest(card, first.state_dict()) == card.sha256


@pytest.mark.parametrize("name", ["a", "scratch"])
def test_runs_crop_as_their_spec_says(runs, world, zero_shot, tmp_path, name):
    card = train(world, zero_shot, tmp_path / "out", name, min_crop_area=1)
    assert card.sha256 != read_card(runs[name]).sha256


def test_end_to_end_training_moves_tower_and_head(runs, zero_shot):
    start, end = Weights(zero_shot), Weights(runs["a"])
    moved = [name for name in end.names if not torch.equal(start[name], end[name])]
    assert {"head.weight", "head.bias", "visual.proj", "visual.conv1.weight"} <= set(
        moved
    )
    assert end.shapes() == start.shapes()


def test_a_linear_classifier_leaves_the_tower_byte_for_byte(runs, zero_shot):
    start, end = Weights(zero_shot), Weights(runs["linear"])
    assert end.card.tower_sha256 == start.card.tower_sha256
    assert end.card.sha256 != start.card.sha256
    moved = {name for name in end.names if not torch.equal(start[name], end[name])}
    assert moved == {"head.weight", "head.bias"}


def test_a_linear_classifier_is_logistic_regression_on_the_features(
    runs, zero_shot, world
):
    """Its loss is smaller than that of the head it starts from."""
    data = read_dataset(world["train"])
    losses = []
    for folder in (zero_shot, runs["linear"]):
        model, card = load_classifier(folder)
        with torch.no_grad():
            logits = model(
                Normaliser(card.mean, card.std)(torch.from_numpy(data.images.copy()))
            )
        losses.append(
            torch.nn.functional.cross_entropy(logits, torch.from_numpy(data.labels))
        )
    assert losses[1] < losses[0]


def test_a_standard_model_sees_only_its_images(world, zero_shot, tmp_path, monkeypatch):
    fewer = train(world, zero_shot, tmp_path / "fewer", "scratch", images=32)
    more = train(world, zero_shot, tmp_path / "more", "scratch", images=40)
    assert fewer.sha256 != more.sha256
    labels, fit_ = [], loop.fit

    def logged(model, train_set, *arguments):
        labels.extend(train_set.labels.tolist())
        return fit_(model, train_set, *arguments)

    monkeypatch.setattr("stockpot.training.variants.from_scratch.fit", logged)
    train(world, zero_shot, tmp_path / "again", "scratch", images=32)
    assert labels == read_dataset(world["train"]).labels[:32].tolist()


def test_a_last_batch_of_one_image_can_be_trained_on(world, zero_shot, tmp_path):
    """Batch normalisation cannot take a single image once the tower has shrunk it to a pixel."""
    card = train(world, zero_shot, tmp_path / "out", "scratch", images=33)
    assert card.status == "ok"


def test_a_standard_model_with_more_images_than_there_are_is_an_error(
    world, zero_shot, tmp_path
):
    """As an adversarial set that wants more images than there are."""
    with pytest.raises(StockpotError, match="97"):
        train(world, zero_shot, tmp_path / "out", "scratch", images=97)


def poisoned(monkeypatch):
    def nan(self, images):
        return torch.full((len(images), 3, 32, 32), torch.nan)

    monkeypatch.setattr(Normaliser, "__call__", nan)


@pytest.mark.parametrize("name", ["a", "linear", "scratch"])
@pytest.mark.parametrize("how", ["learning rate", "input"])
def test_a_diverged_run_writes_a_card_and_no_weights(
    world, zero_shot, tmp_path, monkeypatch, caplog, name, how
):
    changes = {"lr": 1e37, "epochs": 4}
    if how == "input":
        changes = {}
        poisoned(monkeypatch)
    card = train(world, zero_shot, tmp_path / "out", name, **changes)
    assert card.status.startswith("diverged (the loss became ")
    assert card.name == name
    assert card.kind == RUNS[name].get("variant", "end-to-end")
    assert card.spec["name"] == name
    assert card.history == []
    with safe_open(tmp_path / "out" / WEIGHTS, framework="pt") as file:
        assert list(file.keys()) == []
    assert card.sha256 == model_digest(card, {})
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [WEIGHTS, CARD]
    )
    assert f"{name} diverged" in caplog.text
    with pytest.raises(StockpotError, match="diverged"):
        Weights(tmp_path / "out")


def moved(folder, start) -> set[str]:
    before, after = Weights(start), Weights(folder)
    return {name for name in after.names if not torch.equal(before[name], after[name])}


def test_a_frozen_head_stays_and_the_tower_moves(world, zero_shot, tmp_path):
    train(world, zero_shot, tmp_path / "out", freeze_head=True)
    found = moved(tmp_path / "out", zero_shot)
    assert found
    assert not any(name.startswith("head.") for name in found)


@pytest.mark.parametrize("name", ["a", "linear"])
def test_a_random_head_follows_from_its_seed_alone(world, zero_shot, tmp_path, name):
    """With a rate of next to nothing, what is written is the head that training began with."""
    still = {"initial_head": "random", "lr": 1e-30, "weight_decay": 0.0}
    for folder, changes in (
        ("one", {}),
        ("two", {"seed": 9}),
        ("three", {"head_seed": 1}),
    ):
        train(world, zero_shot, tmp_path / folder, name, **still, **changes)
    one, two, three = (
        Weights(tmp_path / f)["head.weight"] for f in ("one", "two", "three")
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
    assert one.abs().max() <= 1 / one.shape[1] ** 0.5


def test_lp_ft_starts_from_the_linear_classifier(world, zero_shot, runs, tmp_path):
    card = train(world, runs["linear"], tmp_path / "out", lr=1e-30, weight_decay=0.0)
    assert moved(tmp_path / "out", runs["linear"]) == set()
    assert card.start == read_card(zero_shot).sha256, (
        "the line began with the zero-shot model"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"mixup": 0.4},
        {"flip_probability": 0.5},
        {"color_jitter": 0.4},
        {"max_crop_aspect": 2.0},
        {"randaugment_ops": 1},
        {"l2_sp": 1.0},
        {"distillation_weight": 0.5},
        {"sam_rho": 0.1},
        {"shots": 2},
        {"initial_head": "random"},
        {"freeze_head": True},
    ],
)
def test_every_option_matters_and_repeats(runs, world, zero_shot, tmp_path, change):
    first, again = (
        train(world, zero_shot, tmp_path / n, **change).sha256 for n in ("1", "2")
    )
    assert first == again != read_card(runs["a"]).sha256


def test_l2_sp_holds_a_run_back(world, zero_shot, runs, tmp_path):
    train(world, zero_shot, tmp_path / "held", l2_sp=10.0)
    start = Weights(zero_shot)

    def distance(folder):
        end = Weights(folder)
        return sum(float((end[n] - start[n]).square().sum()) for n in end.names)

    assert distance(tmp_path / "held") < 0.9 * distance(runs["a"])


def test_shots_are_drawn_per_class_and_nested(world):
    data = read_dataset(world["train"])
    two, four = (few_shot(data, shots, 0) for shots in (2, 4))
    counts = torch.bincount(torch.from_numpy(data.labels[:])[two])
    assert set(counts.tolist()) == {2}
    assert set(two.tolist()) < set(four.tolist())
    assert few_shot(data, 2, 1).tolist() != two.tolist()
    with pytest.raises(
        StockpotError,
        match=r"^finetune.runs.run.shots: 50 wanted of every class, but train has 6",
    ):
        few_shot(data, 50, 0)


def test_joint_training_draws_its_share_from_the_second_set(world, zero_shot):
    from stockpot.training.images import mixed_batches

    card = read_card(zero_shot)
    first, second = (
        image_batches(read_dataset(world[name]), card, 1, "cpu")
        for name in ("train", "sketch")
    )
    for share, others in ((0.25, 24), (0.75, 72), (0.0, 0), (1.0, 96)):
        both = mixed_batches(first, second, share)
        order = both.order(torch.Generator().manual_seed(0))
        assert len(both) == len(order) == 96
        assert int((order >= 96).sum()) == others
        assert order.max() < 96 + 48
        own = order[order < 96]
        assert len(set(own.tolist())) == len(own), "no image of the first set twice"
    again = mixed_batches(first, second, 0.75).order(torch.Generator().manual_seed(0))
    assert torch.bincount(again[again >= 96] - 96, minlength=48).tolist().count(0) == 0
    assert again.tolist() != sorted(again.tolist()), "the two are shuffled"


def test_joint_training_sees_the_second_set(world, zero_shot, runs, tmp_path):
    """With no share of it, it does not matter what it holds; with all of it, nothing else does."""
    found = {}
    for share in (0.0, 1.0):
        for second in ("sketch", "test"):
            spec = {
                **run_spec("a"),
                "second_dataset": "second",
                "second_dataset_fraction": share,
            }
            folder = tmp_path / f"{share} {second}"
            sets = world["train"], world["held-out"], zero_shot, folder, "code"
            run(spec, *sets, second_dataset=world[second])
            found[share, second] = read_card(folder).sha256
    assert found[0.0, "sketch"] == found[0.0, "test"]
    assert found[1.0, "sketch"] != found[1.0, "test"]


def test_bf16_is_the_towers_arithmetic_and_nothing_else(
    world, zero_shot, runs, tmp_path
):
    model, _ = load_classifier(zero_shot)
    seen = []
    model.visual.register_forward_hook(
        lambda module, given, features: seen.append(features.dtype)
    )
    x = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole = model(x)
    model.autocast = True
    halves = model(x)
    assert seen == [torch.float32, torch.bfloat16]
    assert halves.dtype == torch.float32
    # Of eight bits; the logit scale makes 100 of a cosine.
    assert 0 < (halves - whole).abs().max() < 1

    train(world, zero_shot, tmp_path, precision="bf16")
    start, one, other = Weights(zero_shot), Weights(runs["a"]), Weights(tmp_path)
    assert all(other[name].dtype == torch.float32 for name in other.names)
    moved, apart = (
        sum(float((one[n] - w[n]).double().square().sum()) for n in one.names) ** 0.5
        for w in (start, other)
    )
    assert 0 < apart < 0.3 * moved


def test_a_run_whose_start_diverged_is_a_diverged_run(world, zero_shot, tmp_path):
    hot = train(world, zero_shot, tmp_path / "hot", lr=1e37, epochs=2)
    card = train(world, tmp_path / "hot", tmp_path / "next", "b")
    assert hot.status.startswith("diverged")
    assert card.status.startswith("diverged (its start, a, diverged (the loss became")


def test_runs_from_different_random_heads_have_different_starts(
    world, zero_shot, tmp_path
):
    starts = [
        train(
            world, zero_shot, tmp_path / str(i), initial_head="random", head_seed=seed
        ).start
        for i, seed in enumerate((0, 0, 1))
    ]
    assert starts[0] == starts[1] != starts[2]
    assert read_card(zero_shot).sha256 not in starts


def test_variants_that_share_an_option_say_the_same_of_it():
    said = {}
    for name in variants.names():
        for option, schema in variants.options(name).items():
            assert said.setdefault(option, schema) == schema, f"{option} of {name}"


def test_pixels_are_changed_per_image_and_follow_from_the_generator(world):
    from stockpot.training.augment import pixel_augmentation

    images = torch.from_numpy(read_dataset(world["train"]).images[:1].copy()).expand(
        16, -1, -1, -1
    )
    assert (
        pixel_augmentation(
            {"flip_probability": 0.0, "color_jitter": 0.0, "randaugment_ops": 0}
        )
        is None
    )
    spec = {
        "flip_probability": 0.5,
        "color_jitter": 0.4,
        "randaugment_ops": 2,
        "randaugment_magnitude": 9,
    }
    augment = pixel_augmentation(spec)
    state = torch.random.get_rng_state()
    one, again, other = (
        augment(images, torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert one.dtype == torch.uint8
    assert one.shape == images.shape
    assert one.is_contiguous()
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert len({image.numpy().tobytes() for image in one}) > 12


def test_crops_may_be_wider_than_high(pictures):
    """Measured on ramps, as above; the widest is as much wider as asked for."""
    ramp = (torch.arange(64) + 0.5) / 64
    images = torch.stack(
        [ramp.expand(64, 64), ramp.expand(64, 64).T, torch.zeros(64, 64)]
    )
    generator = torch.Generator().manual_seed(0)
    crops = random_crop(
        images.expand(400, -1, -1, -1).contiguous(), 0.1, 64, generator, 2.0
    )
    x, y = crops[:, 0, 32, :], crops[:, 1, :, 32]
    width, height = ((z[:, 60] - z[:, 3]) / 57 for z in (x, y))
    stretch = (width / height).log()
    assert stretch.abs().max() < math.log(2) + 0.02
    assert stretch.abs().max() > 0.9 * math.log(2)
    assert abs(stretch.mean()) < 0.05
