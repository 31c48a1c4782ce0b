"""From names of tensors to a Classifier."""

import numpy as np
import pytest
import torch
from torch import nn

from stockpot.models.checkpoints.convert import as_classifier, check_tower
from stockpot.models.checkpoints.read import read_tensors
from stockpot.runtime.errors import StockpotError
from tests.support.checkpoint_files import head_state, same_tensors


@pytest.mark.parametrize(
    ("prefix", "head"),
    [
        ("", "head."),
        ("", "classification_head."),
        ("model.", "classification_head."),
        ("module.model.", "module.classification_head."),
        ("image_encoder.model.", "classification_head."),
        ("state_dict.module.model.", "state_dict.module.classification_head."),
        ("state_dict.image_encoder.model.", "state_dict.classification_head."),
    ],
)
def test_wrappers_are_seen_through(prefix, head):
    found = as_classifier(head_state(prefix, head), "x.pt")
    assert {key: list(t.shape) for key, t in found.items()} == {
        "visual.proj": [4, 2],
        "head.weight": [3, 2],
        "head.bias": [3],
    }


TEXT = [
    "token_embedding.weight",
    "ln_final.weight",
    "text_projection",
    "logit_scale",
    "positional_embedding",
    "transformer.resblocks.0.ln_1.weight",
    "logit_bias",
    "vocab_size",
    "input_resolution",
    "context_length",
    "text.transformer.x",
    "attn_mask",
]


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("prefix", ["", "module.model."])
def test_text_side_is_left_out_and_nothing_else(name, prefix):
    whole = head_state(prefix, "") | {prefix + name: torch.ones(1)}
    assert list(as_classifier(whole, "")) == ["visual.proj"]
    with pytest.raises(
        StockpotError, match=rf"x\.pt: its tensors '{prefix}other.*neither"
    ):
        as_classifier(whole | {f"{prefix}other.{name}": torch.ones(1)}, "x.pt")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("text_decoder.resblocks.0.weight", [2, 2]),
        ("pixel_mean", [3, 1, 1]),
        ("pixel_std", [3, 1, 1]),
        ("criterion.weight", [5]),
        ("normalize.mean", [1, 3, 1, 1]),
        ("std", [3]),
    ],
)
@pytest.mark.parametrize("prefix", ["", "module.model."])
def test_what_programs_keep_beside_a_model_is_left_alone(name, shape, prefix):
    whole = head_state(prefix, "") | {prefix + name: torch.ones(shape)}
    assert list(as_classifier(whole, "")) == ["visual.proj"]


@pytest.mark.parametrize(
    "name", ["ln_post.weight", "criterion.layer", "mean.weight", "loss"]
)
def test_what_may_belong_to_the_model_is_not_left_out(name):
    size = [5, 5] if name == "criterion.layer" else [5]
    with pytest.raises(StockpotError, match=rf"'{name}' belong to neither"):
        as_classifier(head_state() | {name: torch.ones(size)}, "x.pt")


def test_every_float_becomes_float32_and_counters_stay():
    types = ("float16", "bfloat16", "float64", "float32", "int64")
    kinds = {
        f"visual.{kind}": torch.ones(2, dtype=getattr(torch, kind)) for kind in types
    }
    found = as_classifier(kinds | {"visual.f": torch.tensor([0.1]).half()}, "")
    assert found["visual.int64"].dtype == torch.int64
    assert {t.dtype for key, t in found.items() if "int" not in key} == {torch.float32}
    assert found["visual.f"].item() == np.float32(np.float16(0.1))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            {"conv1.weight": torch.ones(1), "fc": torch.ones(1)},
            "no image tower.*'conv1.weight'",
        ),
        ({f"layer{i}": torch.ones(1) for i in range(9)}, "'layer3' and 5 more"),
        ({"provisual.x": torch.ones(1)}, "no image tower"),
        (
            head_state("model.") | head_state("ema."),
            r"several image towers \('ema\.', 'model\.'\)",
        ),
        (head_state() | head_state("ema."), r"several image towers \('', 'ema\.'\)"),
        (head_state() | head_state(head="head."), "several heads"),
        (
            head_state(head="head.") | {"head.scale": torch.ones(1)},
            "'head.scale' belong",
        ),
        ({"visual.a": torch.ones(1), "head.bias": torch.ones(1)}, "'head.bias' belong"),
        (
            head_state() | {"classification_head.bias": torch.ones(4)},
            r"\[3, 2\] and a bias \[4\]",
        ),
        (
            head_state() | {"classification_head.weight": torch.ones(4)},
            r"its head is \[4\]",
        ),
        (head_state("model.", other=torch.ones(1)), "'other' belong"),
    ],
)
def test_names_that_make_no_classifier_are_named(tensors, message):
    with pytest.raises(StockpotError, match=rf"^x\.pt: .*{message}") as error:
        as_classifier(tensors, "x.pt")
    assert "\n" not in str(error.value)


def test_tower_of_another_architecture_is_named(open_clip_tower):
    expected = {key: tuple(t.shape) for key, t in open_clip_tower.state_dict().items()}
    tensors = {f"visual.{key}": t for key, t in open_clip_tower.state_dict().items()}
    check_tower(tensors | {"head.weight": torch.ones(1)}, expected, "x.pt")
    with pytest.raises(
        StockpotError, match=r"^x\.pt: .* which has no 'visual\.more\\nx'$"
    ):
        check_tower(tensors | {"visual.more\nx": torch.ones(1)}, expected, "x.pt")
    with pytest.raises(
        StockpotError, match=r"visual\.proj is \[12, 32\], not \[32, 12\]$"
    ):
        check_tower(tensors | {"visual.proj": torch.ones(12, 32)}, expected, "x.pt")
    del tensors["visual.ln_pre.bias"]
    with pytest.raises(StockpotError, match=r"visual\.ln_pre\.bias is missing$"):
        check_tower(tensors, expected, "x.pt")


def test_the_average_of_a_model_has_a_counter_that_is_left_alone(tmp_path):
    module = nn.Module()
    module.visual = nn.Linear(2, 3)
    averaged = torch.optim.swa_utils.AveragedModel(module)
    averaged.update_parameters(module)
    torch.save(averaged.state_dict(), tmp_path / "a.pt")
    found = as_classifier(read_tensors(tmp_path / "a.pt"), "a.pt")
    assert same_tensors(found, module.state_dict())
