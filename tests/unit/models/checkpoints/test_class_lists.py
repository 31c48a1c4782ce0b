"""The classes that a file says."""

import json
from argparse import Namespace

import pytest
import torch
from safetensors.torch import save_file

from stockpot.models.checkpoints.read import read_checkpoint
from tests.support.checkpoint_files import Attributes, head_state

NAMES = ["b", "a", "c"]


SAYING = {
    "a list": {"classes": NAMES},
    "a tuple": {"class_names": tuple(NAMES)},
    "to index": {"class_to_idx": {"a": 1, "b": 0, "c": 2}},
    "from index": {"idx_to_class": {0: "b", 1: "a", 2: "c"}},
    "from index as text": {"id2label": {"0": "b", "1": "a", "2": "c"}},
    "below": {"hyper_parameters": Attributes(classes=NAMES)},
    "in a namespace": {"args": Namespace(class_names=NAMES)},
}


@pytest.mark.parametrize("what", SAYING)
def test_a_list_of_classes_is_read(tmp_path, what):
    torch.save({"state_dict": head_state(), **SAYING[what]}, tmp_path / "a.pt")
    (names,) = read_checkpoint(tmp_path / "a.pt").class_lists.values()
    assert names == NAMES


@pytest.mark.parametrize("said", [["a"], [1, 2, 3], "abc", {"a": 5}, None, ["a", "a"]])
def test_what_is_no_list_of_classes_is_none(tmp_path, said):
    torch.save(
        {"state_dict": head_state(), "classes": said, "class_to_idx": said},
        tmp_path / "a.pt",
    )
    assert read_checkpoint(tmp_path / "a.pt").class_lists == {}


def test_all_lists_of_classes_are_read(tmp_path):
    said = {
        "classes": ["a\u0308", "b"],
        "args": {"class_to_idx": {"b": 0, "\u00e4": 1}},
    }
    torch.save({"state_dict": head_state(), **said}, tmp_path / "a.pt")
    lists = read_checkpoint(tmp_path / "a.pt").class_lists
    assert lists == {"classes": ["\u00e4", "b"], "args.class_to_idx": ["b", "\u00e4"]}


def test_safetensors_say_their_classes_in_a_card_or_a_list(tmp_path):
    for metadata in (
        {"card": json.dumps({"class_names": NAMES})},
        {"classes": json.dumps(NAMES)},
    ):
        save_file(head_state(), tmp_path / "a", metadata)
        assert list(read_checkpoint(tmp_path / "a").class_lists.values()) == [NAMES]
    for metadata in ({"card": "["}, {"classes": "a, b"}, {"format": "pt"}, None):
        save_file(head_state(), tmp_path / "a", metadata)
        assert read_checkpoint(tmp_path / "a").class_lists == {}
