"""A run: its card, its bytes, how it resumes, and what it writes when it diverges."""

import pytest
import torch
from safetensors import safe_open

from stockpot.datasets.dataset import read_dataset
from stockpot.models.card import CARD, read_card
from stockpot.models.classifier import WEIGHTS, Weights, model_digest
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser
from stockpot.runtime.digest import sha256_file
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.kept_files import LAST
from stockpot.training import loop
from stockpot.training.run import run
from tests.support.short_runs import RUNS, run_spec
from tests.support.small_training import MachineDown, train_run
from tests.support.tensors import tensor_digest

pytestmark = pytest.mark.slow


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
    card = train_run(world, zero_shot, out, name)
    assert card == read_card(runs[name])
    assert (out / CARD).read_bytes() == (runs[name] / CARD).read_bytes()
    for tensor in Weights(runs[name]).names:
        assert torch.equal(Weights(runs[name])[tensor], Weights(out)[tensor])


def test_another_seed_gives_other_weights(runs, world, zero_shot, tmp_path):
    card = train_run(world, zero_shot, tmp_path / "out", "a", seed=77)
    assert card.sha256 != read_card(runs["a"]).sha256


@pytest.fixture
def interrupted_run(world, zero_shot, tmp_path, monkeypatch):
    """A run of two epochs that dies while it evaluates the second one; its folder."""

    def start(name):
        plain, calls = loop.count_correct, []

        def dying(*arguments, **named):
            calls.append(1)
            if len(calls) == 2:
                raise MachineDown
            return plain(*arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "count_correct", dying)
            with pytest.raises(MachineDown):
                train_run(world, zero_shot, tmp_path / "parts", name, epochs=2)
        assert list((tmp_path / "parts").rglob("state.pt"))
        assert not list((tmp_path / "parts").rglob("classifier.*"))
        return tmp_path / "parts"

    return start


def count_evaluations(monkeypatch) -> list:
    """Grows by one with every epoch that is trained from here on."""
    plain, calls = loop.count_correct, []
    monkeypatch.setattr(
        loop, "count_correct", lambda *a, **k: calls.append(1) or plain(*a, **k)
    )
    return calls


@pytest.mark.parametrize("name", ["a", "linear", "scratch"])
def test_an_interrupted_run_writes_the_same_classifier(
    interrupted_run, world, zero_shot, tmp_path, monkeypatch, name
):
    expected = train_run(world, zero_shot, tmp_path / "whole", name, epochs=2)
    folder, epochs = interrupted_run(name), count_evaluations(monkeypatch)
    assert train_run(world, zero_shot, folder, name, epochs=2) == expected
    assert len(epochs) == 1, "the first epoch is not trained again"
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted([WEIGHTS, CARD, LAST]), (
        "the state of a finished run is removed"
    )


@pytest.mark.parametrize("what", ["code", "train", "held-out", "start"])
def test_a_run_does_not_resume_what_is_another_run_by_now(
    interrupted_run, world, zero_shot, runs, monkeypatch, what
):
    folder, epochs = interrupted_run("a"), count_evaluations(monkeypatch)
    changes, start = {}, zero_shot
    if what == "code":
        changes = {"code": "other code"}
    elif what == "start":
        start = runs["b"]
    else:
        world = {**world, what: world["test"]}
    card = train_run(world, start, folder, "a", epochs=2, **changes)
    assert len(epochs) == len(card.history) == 2, "from the first epoch on"


def test_the_start_of_a_run_is_not_changed(world, zero_shot, tmp_path):
    before = {file: sha256_file(zero_shot / file) for file in (WEIGHTS, CARD)}
    first, card = load_classifier(zero_shot)
    for name in ("a", "linear"):
        train_run(world, zero_shot, tmp_path / name, name)
    assert {file: sha256_file(zero_shot / file) for file in (WEIGHTS, CARD)} == before
    second, _ = load_classifier(zero_shot)
    assert tensor_digest(first.state_dict()) == tensor_digest(second.state_dict())
    assert model_digest(card, first.state_dict()) == card.sha256


@pytest.mark.parametrize("name", ["a", "scratch"])
def test_runs_crop_as_their_spec_says(runs, world, zero_shot, tmp_path, name):
    card = train_run(world, zero_shot, tmp_path / "out", name, min_crop_area=1)
    assert card.sha256 != read_card(runs[name]).sha256


def poison_inputs(monkeypatch):
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
        poison_inputs(monkeypatch)
    card = train_run(world, zero_shot, tmp_path / "out", name, **changes)
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


@pytest.mark.parametrize("name", ["a", "linear"])
def test_a_random_head_follows_from_its_seed_alone(world, zero_shot, tmp_path, name):
    """With a rate of next to nothing, what is written is the head that training began with."""
    still = {"initial_head": "random", "lr": 1e-30, "weight_decay": 0.0}
    for folder, changes in (
        ("one", {}),
        ("two", {"seed": 9}),
        ("three", {"head_seed": 1}),
    ):
        train_run(world, zero_shot, tmp_path / folder, name, **still, **changes)
    one, two, three = (
        Weights(tmp_path / f)["head.weight"] for f in ("one", "two", "three")
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
    assert one.abs().max() <= 1 / one.shape[1] ** 0.5


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
        train_run(world, zero_shot, tmp_path / n, **change).sha256 for n in ("1", "2")
    )
    assert first == again != read_card(runs["a"]).sha256


def test_a_run_whose_start_diverged_is_a_diverged_run(world, zero_shot, tmp_path):
    hot = train_run(world, zero_shot, tmp_path / "hot", lr=1e37, epochs=2)
    card = train_run(world, tmp_path / "hot", tmp_path / "next", "b")
    assert hot.status.startswith("diverged")
    assert card.status.startswith("diverged (its start, a, diverged (the loss became")


def test_runs_from_different_random_heads_have_different_starts(
    world, zero_shot, tmp_path
):
    starts = [
        train_run(
            world, zero_shot, tmp_path / str(i), initial_head="random", head_seed=seed
        ).start
        for i, seed in enumerate((0, 0, 1))
    ]
    assert starts[0] == starts[1] != starts[2]
    assert read_card(zero_shot).sha256 not in starts
