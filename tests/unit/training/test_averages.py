"""Averages along a run: their formulas, what is saved, and the soups made of them."""

import pytest
import torch

from stockpot.merging import methods
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults
from stockpot.training import loop
from stockpot.training.averages import AVERAGES, Averages, SavedAverages
from stockpot.training.run import run
from tests.support.short_runs import run_spec

pytestmark = pytest.mark.slow


DECAY = 0.9


STEPS = 7


class Walk:
    """A small model that takes random steps; the weights after each are kept in float64."""

    def __init__(self):
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
        self.start = self.weights()
        self.path = []

    def weights(self):
        state = self.model.state_dict()
        return {
            n: t.double().clone() for n, t in state.items() if t.is_floating_point()
        }

    def step(self):
        with torch.no_grad():
            for p in self.model.state_dict().values():
                if p.is_floating_point():
                    p += torch.randn(p.shape)
                else:
                    p += 1
        self.path.append(self.weights())


def walk_with_averages(decays=(DECAY,), swa=1.0):
    walk = Walk()
    averages = Averages(walk.model, list(decays), swa, STEPS)
    for _ in range(STEPS):
        walk.step()
        averages.update(walk.model)
    return walk, averages


def recursion(path, first):
    """mu_T of the recursion, from mu_0 = first."""
    mu = first
    for weights in path:
        mu = {name: DECAY * mu[name] + (1 - DECAY) * weights[name] for name in mu}
    return mu


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        assert torch.allclose(found[name].double(), expected[name], atol=1e-6), name


@pytest.fixture
def walk_and_context(tmp_path):
    """A walk, and a context over what it saved; the run's own weights are the last ones."""
    walk, averages = walk_with_averages(swa=0.5)
    averages.save(tmp_path)

    class Tensors(dict):
        @property
        def names(self):
            return sorted(self)

    last = Tensors(walk.model.state_dict())
    start = Tensors({n: walk.start.get(n, t).to(t.dtype) for n, t in last.items()})
    weights = {"start": start, "sha": last}

    def context(method, **given):
        spec = {
            "name": "x",
            "method": method,
            **defaults(methods.options(method)),
            **given,
        }
        return methods.Context(
            spec,
            None,
            "start",
            weights.__getitem__,
            averages=lambda sha: SavedAverages(tmp_path),
        )

    return walk, context


def merge_of_run(context, method, **given):
    return dict(methods.load(method)({"run": "sha"}, context(method, **given)))


def floats_of(tensors):
    return {name: t for name, t in tensors.items() if t.is_floating_point()}


def test_the_running_sum_is_the_recursion_from_zero():
    walk, averages = walk_with_averages()
    nothing = {name: torch.zeros_like(t) for name, t in walk.start.items()}
    assert_close(averages.sums[f"ema-{DECAY}"], recursion(walk.path, nothing))


@pytest.mark.parametrize(("decay", "swa"), [(0.9999, 1.0), (0.5, 0.0)])
def test_a_weight_that_never_moves_is_its_own_average_after_many_steps(
    decay, swa, tmp_path
):
    """In float32 the sum with decay 0.9999 is off by 1.6e-4 of the weight after these steps."""
    model = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(model.weight, 0.7)
    steps = 20_000
    averages = Averages(model, [decay], swa, steps)
    for _ in range(steps):
        averages.update(model)
    averages.save(tmp_path)
    found = SavedAverages(tmp_path)
    debiased = found.ema(decay, "weight") / (1 - decay**found.steps)
    assert debiased.dtype == torch.float32
    assert debiased.item() == pytest.approx(model.weight.item(), rel=2e-7)
    if swa < 1:
        assert found.swa("weight").item() == pytest.approx(
            model.weight.item(), rel=2e-7
        )


def test_the_debiased_average_weighs_the_steps_with_a_sum_of_one(walk_and_context):
    walk, context = walk_and_context
    shares = [
        (1 - DECAY) * DECAY ** (STEPS - 1 - t) / (1 - DECAY**STEPS)
        for t in range(STEPS)
    ]
    assert sum(shares) == pytest.approx(1)
    expected = {n: sum(s * w[n] for s, w in zip(shares, walk.path)) for n in walk.start}
    assert_close(floats_of(merge_of_run(context, "ema", decay=DECAY)), expected)


def test_the_biased_average_is_the_recursion_from_the_start(walk_and_context):
    walk, context = walk_and_context
    assert_close(
        floats_of(merge_of_run(context, "ema", decay=DECAY, biased=True)),
        recursion(walk.path, walk.start),
    )


def test_the_biased_average_is_wise_ft_of_the_debiased_one(walk_and_context):
    """WiSE-FT C.3.2: at alpha = 1 - b^T, exactly."""
    walk, context = walk_and_context
    alpha = 1 - DECAY**STEPS
    debiased = floats_of(merge_of_run(context, "ema", decay=DECAY))
    expected = {n: (1 - alpha) * walk.start[n] + alpha * debiased[n] for n in debiased}
    assert_close(
        floats_of(merge_of_run(context, "ema", decay=DECAY, biased=True)), expected
    )


def test_swa_is_the_mean_of_the_last_steps(walk_and_context):
    walk, context = walk_and_context
    last = walk.path[round(0.5 * STEPS) :]
    expected = {n: sum(w[n] for w in last) / len(last) for n in walk.start}
    assert_close(floats_of(merge_of_run(context, "swa")), expected)


@pytest.mark.parametrize(("swa", "last"), [(0.0, 7), (0.9, 1), (0.99, 1)])
def test_the_mean_of_the_last_steps_has_at_least_one(swa, last):
    walk, averages = walk_with_averages(decays=(), swa=swa)
    expected = {n: sum(w[n] for w in walk.path[-last:]) / last for n in walk.start}
    assert_close(averages.sums["swa"], expected)


@pytest.mark.parametrize(("method", "given"), [("ema", {"decay": DECAY}), ("swa", {})])
def test_several_runs_give_the_mean_of_their_averages(
    walk_and_context, tmp_path, method, given
):
    _, context = walk_and_context
    _, averages = walk_with_averages(swa=0.5)
    scaled = {
        k: {n: 3 * t for n, t in sums.items()} for k, sums in averages.sums.items()
    }
    averages.sums = scaled
    averages.save(tmp_path / "other")
    both = context(method, **given)
    alone = dict(methods.load(method)({"run": "sha"}, both))
    folders = {"sha": tmp_path, "sha-2": tmp_path / "other"}
    weights = both.weights
    both.weights = lambda sha: weights("start" if sha == "start" else "sha")
    both.averages = lambda sha: SavedAverages(folders[sha])
    found = floats_of(
        dict(methods.load(method)({"run": "sha", "other": "sha-2"}, both))
    )
    assert_close(found, {name: 2 * alone[name].double() for name in found})


def test_averages_without_heads_are_the_towers_alone(averaged_run):
    found = SavedAverages(averaged_run, heads=False)
    assert found.ema(0.5, "head.weight") is None
    assert found.swa("head.bias") is None
    assert found.ema(0.5, "visual.proj") is not None


def test_counters_are_those_of_the_run(walk_and_context):
    _, context = walk_and_context
    for method, given in (("ema", {"decay": DECAY}), ("swa", {})):
        counter = merge_of_run(context, method, **given)["1.num_batches_tracked"]
        assert counter.dtype == torch.int64
        assert counter == STEPS


def test_an_average_that_was_not_saved_is_an_error(walk_and_context):
    _, context = walk_and_context
    with pytest.raises(StockpotError, match="saved no average of decay 0.5"):
        merge_of_run(context, "ema", decay=0.5)


@pytest.fixture(scope="module")
def averaged_run(world, zero_shot, tmp_path_factory):
    """A run that saves averages."""
    folder = tmp_path_factory.mktemp("averaged")
    spec = {**run_spec("a"), "epochs": 2, "ema_decays": [0.5, 0.9], "swa_start": 0.5}
    run(
        spec,
        world["train"],
        world["held-out"],
        zero_shot,
        folder,
        "code",
        averages=True,
    )
    return folder


def test_a_run_saves_its_averages_and_is_otherwise_the_same(
    averaged_run, world, zero_shot, tmp_path, monkeypatch
):
    spec = {**run_spec("a"), "epochs": 2}
    run(spec, world["train"], world["held-out"], zero_shot, tmp_path, "code")
    assert read_card(tmp_path).sha256 == read_card(averaged_run).sha256
    assert not (tmp_path / AVERAGES).exists()
    found, weights = SavedAverages(averaged_run), Weights(averaged_run)
    assert found.steps == 2 * 3
    for name in weights.names:
        for tensor in (found.ema(0.5, name), found.ema(0.9, name), found.swa(name)):
            assert tensor.shape == weights[name].shape
    head = "head.weight"
    debiased = [found.ema(b, head) / (1 - b**found.steps) for b in (0.5, 0.9)]
    ends = Weights(zero_shot)[head], weights[head]
    from_start, from_end = (
        [float((mean - end).norm()) for mean in debiased] for end in ends
    )
    assert from_end[0] < from_end[1], "0.5 forgets sooner"
    assert from_start[0] > from_start[1], "0.5 forgets sooner"


def test_averages_of_an_interrupted_run_are_the_same(
    averaged_run, world, zero_shot, tmp_path, monkeypatch
):
    plain, calls = loop.count_correct, []

    def dying(*arguments, **named):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return plain(*arguments, **named)

    spec = {**run_spec("a"), "epochs": 2, "ema_decays": [0.5, 0.9], "swa_start": 0.5}
    folder = (
        tmp_path / averaged_run.parent.name / averaged_run.name
    )  # as the file says where it belongs
    arguments = (spec, world["train"], world["held-out"], zero_shot, folder, "code")
    monkeypatch.setattr(loop, "count_correct", dying)
    with pytest.raises(KeyboardInterrupt):
        run(*arguments, averages=True)
    run(*arguments, averages=True)
    assert (folder / AVERAGES).read_bytes() == (averaged_run / AVERAGES).read_bytes()


def test_a_diverged_run_saves_an_empty_file(world, zero_shot, tmp_path):
    spec = {**run_spec("a"), "lr": 1e37, "epochs": 2, "ema_decays": [0.5]}
    run(
        spec,
        world["train"],
        world["held-out"],
        zero_shot,
        tmp_path,
        "code",
        averages=True,
    )
    assert read_card(tmp_path).status.startswith("diverged")
    with pytest.raises(StockpotError, match="saved no average of decay 0.5"):
        SavedAverages(tmp_path).ema(0.5, "head.weight")
