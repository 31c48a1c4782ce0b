"""Objects of other programs beside the tensors are left alone."""

import random
import sys
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pytest
import torch
from torch import nn

from stockpot.models.checkpoints.convert import as_classifier
from stockpot.models.checkpoints.read import read_tensors
from tests.support.checkpoint_files import Attributes, same_tensors, write_checkpoint


class Strange:
    """A class of some training program."""

    def __init__(self):
        self.path = Path("runs/ours")


class Ordered(OrderedDict):
    """As some programs' state dicts."""


class Colour(Enum):
    RED = 1


class Point(NamedTuple):
    x: float


class Slotted:
    __slots__ = ("a",)

    def __init__(self):
        self.a = 1


def strange_objects() -> dict:
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimizer.step()
    return {
        "path": Path("a/b"),
        "windows path": PureWindowsPath("a"),
        "namespace": Namespace(out=Path("a"), betas=(0.9, 0.98), lr=np.float64(0.1)),
        "simple namespace": SimpleNamespace(a=[1]),
        "array": np.arange(12.0).reshape(3, 4),
        "text array": np.array(["a", "bc"]),
        "object array": np.array([{"a": Path("x")}, None], dtype=object),
        "generator": np.random.default_rng(0),
        "python's state": random.Random(0).getstate(),
        "version": torch.torch_version.TorchVersion("2.1"),
        "attributes": Attributes(a=1, b=Attributes(c=Path("x"))),
        "defaultdict": defaultdict(list, a=[1]),
        "counter": Counter("abc"),
        "deque": deque([1, Path("a")], maxlen=3),
        "set": {1, 2},
        "frozen": frozenset([("a", ("b", "c"))]),
        "keys": {
            ("a", ("b", 1)): 1,
            None: 2,
            2.5: 3,
            True: 4,
            frozenset([1]): 5,
            1 << 70: 6,
        },
        "enum": Colour.RED,
        "enum keys": {Colour.RED: Path("a")},
        "tuple": Point(1.0),
        "object": Strange(),
        "slots": Slotted(),
        "class": Strange,
        "function": strange_objects,
        "date": datetime(2024, 1, 1, tzinfo=UTC),
        "decimal": Decimal("1.5"),
        "fraction": Fraction(1, 3),
        "id": UUID(int=7),
        "complex": 1 + 2j,
        "slice": slice(1, 2),
        "range": range(3),
        "bytes": b"abc" * 100,
        "bytearray": bytearray(b"abc"),
        "partial": partial(torch.optim.AdamW, lr=1e-3),
        "error": ValueError("x"),
        "optimizer state": optimizer.state_dict(),
        "optimizer": optimizer,
        "scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, 5
        ).state_dict(),
        "type": torch.float16,
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
        "random state": torch.get_rng_state(),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", ["zip", "legacy", "pickle"])
def test_strangers_beside_the_tensors_are_left_alone(tmp_path, way):
    path, expected = tmp_path / "a.pt", {"visual.proj": torch.randn(3, 2)}
    for what, stranger in strange_objects().items():
        for protocol in (2, 4):
            write_checkpoint(
                {"state_dict": expected, "other": stranger}, path, way, protocol
            )
            found = as_classifier(read_tensors(path), path)
            assert same_tensors(found, expected), what


@pytest.mark.parametrize("kind", [Attributes, Ordered, partial(defaultdict, None)])
def test_a_state_dict_of_any_kind_of_dict_is_read(tmp_path, kind):
    expected = {"visual.proj": torch.randn(3, 2), "head.weight": torch.randn(4, 2)}
    state = kind()
    state.update(expected)
    for way in ("zip", "legacy", "pickle"):
        write_checkpoint({"epoch": 3, "state_dict": state}, tmp_path / way, way, 4)
        found = read_tensors(tmp_path / way)
        assert same_tensors(
            found, {f"state_dict.{name}": t for name, t in expected.items()}
        )


def test_a_module_of_a_class_that_is_not_there_is_read(tmp_path):
    class Foreign(nn.Module):
        pass

    Foreign.__module__, Foreign.__qualname__ = "__main__", "Foreign"
    sys.modules["__main__"].Foreign = Foreign
    try:
        module = Foreign()
        module.visual = nn.Linear(2, 3)
        module.hook = Path("a")
        write_checkpoint(module, tmp_path / "a.pt", "pickle", 4)
    finally:
        del sys.modules["__main__"].Foreign
    assert same_tensors(read_tensors(tmp_path / "a.pt"), module.state_dict())
