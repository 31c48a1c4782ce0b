"""The Classifier file: bit for bit, and refused where it is broken."""

import json
import re
import shutil
from dataclasses import asdict

import pytest
import torch
from safetensors import safe_open

from stockpot.models.card import CARD, Card, read_card
from stockpot.models.classifier import TOWER, Weights, model_digest, write_classifier
from stockpot.models.classifier import WEIGHTS as FILE
from stockpot.models.load import load_classifier
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.kept_files import LAST
from stockpot.runtime.sealed import read_sealed, write_sealed
from tests.support.tensors import tensor_digest


def card_with(**changes) -> Card:
    settings = {
        "name": "x",
        "kind": "test",
        "architecture": {"library": "timm", "name": "y"},
        "class_names": ["a", "b"],
        "normalise": False,
        "mean": [0.5, 0.25, 0.125],
        "std": [0.5, 0.5, 0.5],
        "image_size": 8,
        "spec": {"lr": 1.0e-4, "of": ["ä", None]},
        "history": [{"epoch": 1, "loss": 0.1}],
    }
    return Card(**{**settings, **changes})


@pytest.fixture
def odd_tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        "visual.b": torch.randn(3, 2, generator=generator),
        "visual.a": torch.tensor([0.0, -0.0, torch.inf, torch.nan, 1e-45]),
        "visual.half": torch.randn(2, 2, generator=generator).bfloat16(),
        "visual.steps": torch.tensor(7),
        "head.weight": torch.randn(2, 4, generator=generator).T,
        "head.bias": torch.randn(2, generator=generator),
    }


def raw_bytes(tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def test_classifiers_round_trip_bit_by_bit(odd_tensors, tmp_path):
    card = write_classifier(tmp_path, card_with(), odd_tensors)
    weights = Weights(tmp_path)
    assert weights.names == sorted(odd_tensors)
    for name, tensor in odd_tensors.items():
        assert weights[name].dtype == tensor.dtype
        assert weights[name].shape == tensor.shape
        assert raw_bytes(weights[name]) == raw_bytes(tensor)
        shape, _ = weights.shapes()[name]
        assert shape == list(tensor.shape)
    assert weights.card == card == read_card(tmp_path)
    assert {**asdict(card), "sha256": "", "tower_sha256": ""} == asdict(card_with())


def test_the_weights_file_describes_itself(odd_tensors, tmp_path):
    """Everything on the card but the training history is in the file's own metadata."""
    card = write_classifier(tmp_path, card_with(), odd_tensors)
    with safe_open(tmp_path / FILE, framework="pt") as file:
        metadata = file.metadata()
    assert set(metadata) == {"card"}
    found = json.loads(metadata["card"])
    assert found == {
        key: value for key, value in asdict(card).items() if key != "history"
    }


def test_digests_of_the_card_cover_what_they_say(odd_tensors, tmp_path):
    card = write_classifier(tmp_path, card_with(), odd_tensors)
    assert card.sha256 == model_digest(card, odd_tensors) != tensor_digest(odd_tensors)
    tower = {
        name: tensor for name, tensor in odd_tensors.items() if name.startswith(TOWER)
    }
    assert card.tower_sha256 == tensor_digest(tower)
    odd_tensors["head.bias"] = odd_tensors["head.bias"] + 1
    other = write_classifier(tmp_path / "other", card_with(), odd_tensors)
    assert other.sha256 != card.sha256
    assert other.tower_sha256 == card.tower_sha256


def test_writing_copies_and_leaves_the_tensors_alone(odd_tensors, tmp_path):
    shared = torch.zeros(4)
    odd_tensors |= {"head.weight": shared.view(2, 2), "head.bias": shared[:2]}
    write_classifier(tmp_path, card_with(), odd_tensors)
    shared += 1
    assert torch.equal(Weights(tmp_path)["head.bias"], torch.zeros(2))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([FILE, CARD, LAST])


def test_tensor_digest_does_not_see_the_order(odd_tensors):
    assert tensor_digest(dict(reversed(odd_tensors.items()))) == tensor_digest(
        odd_tensors
    )
    strided = {**odd_tensors, "visual.b": odd_tensors["visual.b"].T.contiguous().T}
    assert tensor_digest(strided) == tensor_digest(odd_tensors)


def with_bit_flipped(tensor, bit):
    data = tensor.contiguous().clone()
    data.reshape(-1).view(torch.uint8)[bit // 8] ^= 1 << (bit % 8)
    return data


@pytest.mark.parametrize(
    "change",
    {
        "lowest bit": lambda t: {**t, "visual.b": with_bit_flipped(t["visual.b"], 0)},
        "last bit": lambda t: {
            **t,
            "visual.b": with_bit_flipped(t["visual.b"], 3 * 2 * 32 - 1),
        },
        "sign of zero": lambda t: {
            **t,
            "visual.a": with_bit_flipped(t["visual.a"], 31),
        },
        "counter": lambda t: {**t, "visual.steps": t["visual.steps"] + 1},
        "name": lambda t: {
            ("visual.c" if n == "visual.b" else n): v for n, v in t.items()
        },
        "order in a tensor": lambda t: {**t, "head.bias": t["head.bias"].flip(0)},
        "type of the same bytes": lambda t: {
            **t,
            "visual.b": t["visual.b"].view(torch.int32),
        },
        "precision": lambda t: {**t, "visual.b": t["visual.b"].double()},
        "shape": lambda t: {**t, "visual.b": t["visual.b"].reshape(2, 3)},
        "one more axis": lambda t: {**t, "visual.b": t["visual.b"][None]},
        "one more": lambda t: {**t, "visual.z": torch.zeros(0)},
        "one less": lambda t: {n: v for n, v in t.items() if n != "head.bias"},
    }.items(),
    ids=lambda item: item[0],
)
def test_tensor_digest_sees_everything_else(odd_tensors, change):
    assert tensor_digest(change[1](odd_tensors)) != tensor_digest(odd_tensors)


def refusal_of(folder, file):
    with pytest.raises(StockpotError, match=re.escape(str(folder / file))) as error:
        Weights(folder)
    return str(error.value)


@pytest.mark.parametrize("where", [0.3, 0.7, 1.0])
def test_a_corrupted_byte_is_found(zero_shot_copy, where):
    path = zero_shot_copy / FILE
    data = bytearray(path.read_bytes())
    data[int(where * (len(data) - 1))] ^= 0x10
    path.write_bytes(data)
    refusal_of(zero_shot_copy, FILE)
    with pytest.raises(StockpotError):
        load_classifier(zero_shot_copy)


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.999])
def test_a_truncated_file_is_named(zero_shot_copy, keep):
    path = zero_shot_copy / FILE
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    refusal_of(zero_shot_copy, FILE)


def test_a_missing_weights_file_is_named(zero_shot_copy):
    (zero_shot_copy / FILE).unlink()
    refusal_of(zero_shot_copy, FILE)


def test_weights_of_another_classifier_are_found(zero_shot_copy, runs):
    shutil.copy(runs["a"] / FILE, zero_shot_copy / FILE)
    assert CARD in refusal_of(zero_shot_copy, FILE)


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"name": 1}', '"card"'])
def test_a_broken_card_is_named(zero_shot_copy, text):
    path = zero_shot_copy / CARD
    path.unlink() if text is None else path.write_text(text)
    refusal_of(zero_shot_copy, CARD)


def test_a_card_with_an_unknown_key_is_named(zero_shot_copy):
    path = zero_shot_copy / CARD
    write_sealed(path, {**read_sealed(path), "colour": "red"})
    assert "colour" in refusal_of(zero_shot_copy, CARD)


def test_a_diverged_run_has_no_weights(tmp_path):
    status = "diverged (the loss became nan in epoch 1, step 2)"
    write_classifier(tmp_path, card_with(name="hot", status=status), {})
    message = refusal_of(tmp_path, FILE)
    assert "hot" in message
    assert status in message
    with pytest.raises(StockpotError, match="hot"):
        load_classifier(tmp_path)
