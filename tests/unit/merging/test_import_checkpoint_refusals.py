"""Checkpoints of another kind, and numbers that are no weights, are refused by name."""

import pytest
import torch
from safetensors.torch import save_file

from stockpot.runtime.errors import StockpotError
from tests.support.adopted_checkpoints import OWN, adopt, edited_state, save_checkpoint

pytestmark = [pytest.mark.process, pytest.mark.slow]


VISUAL = "model.visual.transformer.resblocks"


WRONG = {
    "classes": (
        {f"{OWN}.weight": torch.zeros(7, 12), f"{OWN}.bias": torch.zeros(7)},
        r"its head\.weight is \[7, 12\], not \[5, 12\]; the study has 5 classes$",
    ),
    "features": (
        {"classification_head.weight": torch.zeros(5, 13)},
        r"its head\.weight is \[5, 13\], not \[5, 12\]",
    ),
    "a bias of its own": (
        {"classification_head.bias": torch.zeros(6)},
        r"weights \[5, 12\] and a bias \[6\]$",
    ),
    "wider": (
        {"model.visual.proj": torch.zeros(32, 64)},
        r"not of this architecture, visual\.proj is \[32, 64\], not \[32, 12\]$",
    ),
    "fewer layers": (
        {f"{VISUAL}.1.ln_1.weight": None},
        r"not of this architecture, visual\.\S+\.1\.ln_1\.weight is missing$",
    ),
    "more layers": (
        {f"{VISUAL}.2.ln_1.weight": torch.zeros(32)},
        r"not of this architecture, which has no 'visual\.\S+\.2\.ln_1\.weight'$",
    ),
    "something else": (
        {"model.decoder.weight": torch.zeros(3)},
        r"'model\.decoder\.weight' bel",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_model_of_another_kind_is_refused_in_a_line(
    tuned_soup, tiny_start, tmp_path, what
):
    changes, message = WRONG[what]
    torch.save(edited_state(tuned_soup, **changes), tmp_path / "file.pt")
    with pytest.raises(StockpotError, match=message) as error:
        adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")
    assert str(error.value).startswith(f"{tmp_path / 'file.pt'}: ")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "mine").exists()


def test_files_that_hold_no_tower_are_refused(tuned_soup, tiny_start, tmp_path):
    save_checkpoint(tuned_soup.classification_head, tmp_path / "head.pt")
    with pytest.raises(StockpotError, match=r"head\.pt: there is no image tower"):
        adopt(tmp_path / "head.pt", tiny_start, tmp_path / "mine")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(StockpotError, match=r"text\.pt: not a checkpoint"):
        adopt(tmp_path / "text.pt", tiny_start, tmp_path / "mine")
    with pytest.raises(StockpotError, match=r"gone\.pt: cannot be read"):
        adopt(tmp_path / "gone.pt", tiny_start, tmp_path / "mine")


FLOAT = "model.visual.proj"


def spoilt(soup, name, change) -> dict:
    state = edited_state(soup)
    state[name] = change(state[name])
    return state


def with_value(value):
    def change(tensor):
        tensor = tensor.clone()
        tensor.view(-1)[0] = value
        return tensor

    return change


SPOILT = {
    "NaN": (
        FLOAT,
        with_value(float("nan")),
        "'visual.proj' has numbers that are not finite",
    ),
    "infinity": (
        FLOAT,
        with_value(float("-inf")),
        "'visual.proj' has numbers that are not fin",
    ),
    "NaN in a bias": (
        f"{OWN}.bias",
        with_value(float("nan")),
        "'head.bias' has numbers that",
    ),
    "NaN in half": (
        FLOAT,
        lambda t: with_value(float("nan"))(t).half(),
        "are not finite",
    ),
    "overflow of float32": (
        FLOAT,
        lambda t: with_value(1e300)(t.double()),
        "1e\\+300, which",
    ),
    "overflow of bfloat16": (
        FLOAT,
        with_value(3.4e38),
        "3.4e\\+38, which float32 and bfloat16",
    ),
    "int64": (
        FLOAT,
        lambda t: t.long(),
        "'visual.proj' holds int64, where the model has float",
    ),
    "int8": (FLOAT, lambda t: t.to(torch.int8), "'visual.proj' holds int8"),
    "uint8": (FLOAT, lambda t: t.to(torch.uint8), "'visual.proj' holds uint8"),
    "bool": (FLOAT, lambda t: t > 0, "'visual.proj' holds bool"),
    "complex": (
        FLOAT,
        lambda t: t.to(torch.complex64),
        "'visual.proj' holds complex64",
    ),
    "float8": (
        FLOAT,
        lambda t: t.to(torch.float8_e4m3fn),
        "'visual.proj' holds float8_e4m3fn",
    ),
    "float8 of another kind": (
        FLOAT,
        lambda t: t.to(torch.float8_e5m2),
        "holds float8_e5m2",
    ),
    "whole numbers in a head": (
        f"{OWN}.weight",
        lambda t: t.int(),
        "'head.weight' holds int32",
    ),
}


@pytest.mark.parametrize("way", ["torch", "safetensors"])
@pytest.mark.parametrize("what", SPOILT)
def test_numbers_that_are_no_weights_are_refused_by_name(
    tuned_soup, tiny_start, tmp_path, what, way
):
    name, change, message = SPOILT[what]
    state, path = spoilt(tuned_soup, name, change), tmp_path / "file.pt"
    torch.save(state, path) if way == "torch" else save_file(state, path)
    with pytest.raises(StockpotError, match=rf"^{path}: .*{message}") as error:
        adopt(path, tiny_start, tmp_path / "mine")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) <= 500
    assert not (tmp_path / "mine").exists()
