"""Checkpoints of other programs: their tensors, their names, and files that would do harm."""

import io
import json
import os
import pickle
import random
import struct
import sys
import zipfile
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
from safetensors.torch import save_file
from torch import nn

from stockpot.models.checkpoints import pickles, read
from stockpot.models.checkpoints.convert import as_classifier, check_tower
from stockpot.models.checkpoints.read import read_checkpoint, read_tensors
from stockpot.models.tower import build_tower
from stockpot.runtime.errors import StockpotError
from tests.support import third_party_checkpoints as foreign
from tests.support.interpreter import python

PROTOCOLS = [2, 3, 4, 5]


@pytest.fixture(autouse=True)
def in_this_process(request, monkeypatch):
    """Thousands of files are read here without a child process each; see ``bounded`` below."""
    if "in_a_child" not in request.keywords:
        monkeypatch.setattr(read, "bounded", lambda function, path: function(path))


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return foreign.ImageClassifier()


@pytest.fixture(scope="module")
def soup():
    torch.manual_seed(1)
    return foreign.ModelWrapper()


@pytest.fixture
def tower():
    return build_tower({"library": "open_clip", "config": foreign.CONFIG}).eval()


def same(found, expected) -> bool:
    return list(found) == list(expected) and all(
        found[name].dtype == expected[name].dtype
        and torch.equal(found[name], expected[name])
        for name in expected
    )


def write(content, path, way, protocol=2) -> None:
    with foreign.installed(), open(path, "wb") as file:
        if way == "pickle":
            pickle.dump(content, file, protocol)
        else:
            torch.save(
                content,
                file,
                pickle_protocol=protocol,
                _use_new_zipfile_serialization=way == "zip",
            )


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("way", ["pickle", "zip", "legacy"])
def test_whole_module_gives_its_state_dict_without_its_classes(
    classifier, tmp_path, way, protocol
):
    path = tmp_path / "finetuned.pt"
    write(classifier, path, way, protocol)
    assert same(read_tensors(path), classifier.state_dict())
    assert not {"src", "clip"} & set(sys.modules)
    with pytest.raises(ModuleNotFoundError), open(path, "rb") as file:
        pickle.load(file) if way == "pickle" else torch.load(file, weights_only=False)


@pytest.mark.parametrize("way", ["pickle", "soup", "parallel"])
def test_tower_loads_into_open_clips_and_gives_the_sources_features(
    classifier, soup, tower, tmp_path, way
):
    source, path = (classifier if way == "pickle" else soup), tmp_path / "model.pt"
    if way == "pickle":
        write(source, path, "pickle", 4)
    else:
        prefix = "module." if way == "parallel" else ""
        torch.save({prefix + key: t for key, t in source.state_dict().items()}, path)
    tensors = as_classifier(read_tensors(path), path)
    check_tower(tensors, {key: t.shape for key, t in tower.state_dict().items()}, path)
    visual = {
        key.removeprefix("visual."): t for key, t in tensors.items() if "visual." in key
    }
    tower.load_state_dict(visual, strict=True)
    images = torch.randn(3, 3, foreign.SIDE, foreign.SIDE)
    with torch.no_grad():
        assert (tower(images) - source.eval().features(images)).abs().max() < 1e-6
    assert torch.equal(tensors["head.weight"], source.classification_head.weight)
    assert torch.equal(tensors["head.bias"], source.classification_head.bias)
    assert len(tensors) == len(visual) + 2


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dict_of_torch_save(soup, tmp_path, zipped):
    path = tmp_path / "model_0.pt"
    torch.save(soup.state_dict(), path, _use_new_zipfile_serialization=zipped)
    assert same(read_tensors(path), torch.load(path, weights_only=True))


@pytest.mark.slow
def test_state_dict_of_pickle_and_within_a_training_run(soup, tmp_path):
    optimizer = torch.optim.AdamW(soup.parameters())
    sum(parameter.sum() for parameter in soup.parameters()).backward()
    optimizer.step()
    saved = {
        "epoch": 3,
        "state_dict": soup.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(saved, tmp_path / "run.pt")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(soup.state_dict()))
    expected = as_classifier(soup.state_dict(), "")
    run = read_tensors(tmp_path / "run.pt")
    assert any(key.startswith("optimizer.state.0.exp_avg") for key in run)
    assert same(as_classifier(run, ""), expected)
    assert same(as_classifier(read_tensors(tmp_path / "plain.pkl"), ""), expected)


def test_encoder_without_head_and_head_without_encoder(classifier, tmp_path):
    write(classifier.image_encoder, tmp_path / "encoder.pt", "pickle", 4)
    tensors = as_classifier(read_tensors(tmp_path / "encoder.pt"), "")
    assert tensors
    assert all(key.startswith("visual.") for key in tensors)
    write(classifier.classification_head, tmp_path / "head.pt", "pickle", 4)
    with pytest.raises(
        StockpotError, match=r"head\.pt: there is no image tower .*'weight', 'bias'"
    ):
        as_classifier(read_tensors(tmp_path / "head.pt"), tmp_path / "head.pt")


def test_safetensors_of_our_own_come_back(tmp_path, classifier):
    tensors = {"visual.proj": torch.randn(3, 2), "head.weight": torch.randn(4, 2)}
    save_file(tensors, tmp_path / "classifier.bin")
    assert same(
        dict(sorted(read_tensors(tmp_path / "classifier.bin").items())),
        dict(sorted(tensors.items())),
    )
    found = as_classifier(read_tensors(tmp_path / "classifier.bin"), "")
    assert torch.equal(found["head.bias"], torch.zeros(4))


@pytest.mark.parametrize("half", [True, False])
def test_torchscript_archive_is_read_without_torchscript(
    tmp_path, tower, half, monkeypatch
):
    torch.manual_seed(2)
    source = foreign.CLIP().eval()
    source.register_buffer("input_resolution", torch.tensor(foreign.SIDE))
    image = torch.randn(2, 3, foreign.SIDE, foreign.SIDE)
    with torch.no_grad():
        traced, features = torch.jit.trace(source, image), source(image)
        if half:
            traced.half()
        traced.save(tmp_path / "ViT.pt")
    expected = traced.state_dict()
    monkeypatch.setattr(torch.jit, "load", None)
    found = read_tensors(tmp_path / "ViT.pt")
    assert set(expected) <= set(found)
    assert same({key: found[key] for key in expected}, dict(expected))
    assert found["visual.proj"].dtype == (torch.half if half else torch.float)
    tensors = as_classifier(found, "")
    assert {t.dtype for t in tensors.values()} == {torch.float32}
    tower.load_state_dict(
        {key.removeprefix("visual."): t for key, t in tensors.items()}
    )
    with torch.no_grad():
        assert (tower(image) - features).abs().max() < (0.05 if half else 1e-5)


def test_scripted_module_with_typed_attributes(tmp_path):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.sizes, self.scales, self.flags = [1, 2], [0.5], {"a": True}
            self.conv = nn.Conv2d(1, 2, 3, padding_mode="circular", padding=1)
            self.norm = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU())

        def forward(self, x):
            return self.norm(self.conv(x)) * self.scales[0] * self.sizes[0]

    module = torch.jit.script(Odd())
    module.save(tmp_path / "odd.pt")
    assert same(
        dict(sorted(read_tensors(tmp_path / "odd.pt").items())),
        dict(sorted(module.state_dict().items())),
    )


def assorted() -> dict:
    base = torch.arange(24.0)
    kinds = [
        "float64",
        "float32",
        "float16",
        "bfloat16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
    ]
    return {
        "view": base[4:16].view(3, 4),
        "transposed": base.view(4, 6).T,
        "strided": base[1::5],
        "again": base,
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 7),
        "bool": torch.tensor([True, False, True]),
        "odd": torch.tensor([1, 2, 3], dtype=torch.int8),
        "special": torch.tensor([float("nan"), float("inf"), -0.0]),
        "parameter": nn.Parameter(torch.ones(2, 2)),
        "nested": {
            "deep": {7: torch.ones(1)},
            "other": [torch.ones(3)],
            "text": "x",
            "n": None,
        },
        "type": torch.float16,
        **{kind: torch.arange(3).to(getattr(torch, kind)) for kind in kinds},
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("way", ["pickle", "zip", "legacy"])
def test_tensors_of_every_kind_and_layout(tmp_path, way, protocol):
    path, saved = tmp_path / "all.pt", assorted()
    write(saved, path, way, protocol)
    found = read_tensors(path)
    expected = {name: t for name, t in saved.items() if isinstance(t, torch.Tensor)}
    expected["nested.deep.7"] = saved["nested"]["deep"][7]
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert found[name].shape == tensor.shape, name
        assert torch.equal(found[name].nan_to_num(), tensor.detach().nan_to_num()), name
        assert not found[name].requires_grad
    assert found["transposed"].stride() == saved["transposed"].stride()
    if way != "pickle":  # a pickle repeats the storage for each of its views
        assert found["view"].data_ptr() == found["again"].data_ptr() + 16


def test_changing_what_was_read_does_not_change_the_file(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.zeros(1000)}, path)
    before = path.read_bytes()
    read_tensors(path)["a"].fill_(1)
    assert path.read_bytes() == before
    assert not read_tensors(path)["a"].any()


def test_buffers_that_a_state_dict_leaves_out_are_left_out(tmp_path):
    module = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2, bias=False))
    module.register_buffer("mask", torch.ones(3), persistent=False)
    for way, protocol in (("pickle", 4), ("zip", 2)):
        write(module, tmp_path / way, way, protocol)
        assert same(read_tensors(tmp_path / way), module.state_dict())


def state(prefix="", head="classification_head.", features=2, classes=3, **more):
    found = {f"{prefix}visual.proj": torch.ones(4, features)}
    if head:
        found |= {
            f"{head}weight": torch.ones(classes, features),
            f"{head}bias": torch.ones(classes),
        }
    return found | more


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
    found = as_classifier(state(prefix, head), "x.pt")
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
    whole = state(prefix, "") | {prefix + name: torch.ones(1)}
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
    whole = state(prefix, "") | {prefix + name: torch.ones(shape)}
    assert list(as_classifier(whole, "")) == ["visual.proj"]


@pytest.mark.parametrize(
    "name", ["ln_post.weight", "criterion.layer", "mean.weight", "loss"]
)
def test_what_may_belong_to_the_model_is_not_left_out(name):
    size = [5, 5] if name == "criterion.layer" else [5]
    with pytest.raises(StockpotError, match=rf"'{name}' belong to neither"):
        as_classifier(state() | {name: torch.ones(size)}, "x.pt")


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
            state("model.") | state("ema."),
            r"several image towers \('ema\.', 'model\.'\)",
        ),
        (state() | state("ema."), r"several image towers \('', 'ema\.'\)"),
        (state() | state(head="head."), "several heads"),
        (state(head="head.") | {"head.scale": torch.ones(1)}, "'head.scale' belong"),
        ({"visual.a": torch.ones(1), "head.bias": torch.ones(1)}, "'head.bias' belong"),
        (
            state() | {"classification_head.bias": torch.ones(4)},
            r"\[3, 2\] and a bias \[4\]",
        ),
        (state() | {"classification_head.weight": torch.ones(4)}, r"its head is \[4\]"),
        (state("model.", other=torch.ones(1)), "'other' belong"),
    ],
)
def test_names_that_make_no_classifier_are_named(tensors, message):
    with pytest.raises(StockpotError, match=rf"^x\.pt: .*{message}") as error:
        as_classifier(tensors, "x.pt")
    assert "\n" not in str(error.value)


def test_tower_of_another_architecture_is_named(tower):
    expected = {key: tuple(t.shape) for key, t in tower.state_dict().items()}
    tensors = {f"visual.{key}": t for key, t in tower.state_dict().items()}
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


CANARY = "canary"
CODE = f"open('{CANARY}', 'w')"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def call(what: bytes, *arguments: bytes) -> bytes:
    return what + b"(" + b"".join(arguments) + b"tR"


def plain(body: bytes, protocol=4) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def good_tensor() -> bytes:
    """The opcodes of a tensor as a plain pickle has them."""
    return pickle.dumps(torch.ones(2, 2), 2)[2:-1]


def saved(tensor=None) -> bytes:
    file = io.BytesIO()
    torch.save({"visual.proj": torch.ones(4, 4) if tensor is None else tensor}, file)
    return file.getvalue()


def rezipped(edits: dict, compression=zipfile.ZIP_STORED) -> bytes:
    """A file of torch.save with members changed, added, or (None) taken away."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved())) as old,
        zipfile.ZipFile(file, "w", compression) as new,
    ):
        members = {info.filename: old.read(info) for info in old.infolist()} | edits
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def edited_pickle(before: bytes, after: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(saved())) as archive:
        content = archive.read("archive/data.pkl")
    assert content.count(before) == 1
    return rezipped({"archive/data.pkl": content.replace(before, after)})


def legacy(body: bytes, keys=()) -> bytes:
    head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    first = b"".join(pickle.dumps(part, 2) for part in head)
    return first + plain(body, 2) + pickle.dumps(list(keys), 2)


def storage_id(numel: bytes, kind=("torch", "FloatStorage"), key="0") -> bytes:
    return (
        b"(" + text("storage") + named(*kind) + text(key) + text("cpu") + numel + b"tQ"
    )


def tensor_of(source: bytes, *rest: bytes) -> bytes:
    """A tensor of shape [4] at the start of a storage."""
    rest = rest or (b"K\x00", b"K\x04\x85", b"K\x01\x85")
    return call(
        named("torch._utils", "_rebuild_tensor_v2"), source, *rest, b"\x89", b"}"
    )


def with_bytes(content: bytes) -> bytes:
    return call(
        named("torch.storage", "_load_from_bytes"),
        b"B",
        struct.pack("<I", len(content)),
        content,
    )


def as_module(parameter: bytes, extra: bytes = b"") -> bytes:
    fields = text("_parameters") + b"}" + text("weight") + parameter + b"s"
    return (
        named("torch.nn.modules.linear", "Linear") + b")\x81}(" + fields + extra + b"ub"
    )


def axes(count: int) -> bytes:
    return b"(" + b"K\x01" * count + b"t"


def many_copies() -> bytes:
    """Nine tensors of one number, each with a storage of its own from the same bytes."""
    content = (
        legacy(storage_id(b"M\x10\x27"), "0") + struct.pack("<q", 10000) + b"\0" * 40000
    )
    stored, one = (
        named("torch.storage", "_load_from_bytes"),
        (b"K\x00", b"K\x01\x85", b"K\x01\x85"),
    )
    body = b"B" + struct.pack("<I", len(content)) + content + b"q\x010}"
    for i in range(9):
        body += text(str(i)) + tensor_of(call(stored, b"h\x01"), *one) + b"s"
    return plain(body)


SYSTEM = call(named("os", "system"), text(f"touch {CANARY}"))


# What a file names is data like any other; only the ways to run commands are refused by name.
INERT = "no named tensors"


def says(name: str) -> str:
    return rf"it names '{name}', which is no part of a model"


def opcode(name: str) -> str:
    return f"uses {name}, which no model needs"


DEEP = 100_000
HARMFUL = {
    "os.system": (plain(SYSTEM), says("os.system")),
    "posix.system": (
        plain(call(named("posix", "system"), text("id"))),
        says("posix.system"),
    ),
    "eval": (plain(call(named("builtins", "eval"), text(CODE))), says("builtins.eval")),
    "exec": (
        plain(call(stacked("builtins", "exec"), text(CODE))),
        says("builtins.exec"),
    ),
    "python 2's eval": (
        plain(call(named("__builtin__", "eval"), text(CODE)), 2),
        says("__builtin__.eval"),
    ),
    "subprocess": (
        plain(
            call(
                named("subprocess", "Popen"),
                b"]" + text("touch") + b"a" + text(CANARY) + b"a",
            )
        ),
        says("subprocess.Popen"),
    ),
    "getattr": (
        plain(
            call(
                named("builtins", "getattr"),
                named("torch.nn", "Module"),
                text("__init__"),
            )
        ),
        INERT,
    ),
    "dotted name": (
        plain(stacked("torch.nn", "Module.__init__.__globals__")),
        INERT,
    ),
    "dotted function": (
        plain(call(stacked("torch.nn.modules.module", "torch.hub.load"), text("x"))),
        INERT,
    ),
    "dotted allowed name": (
        plain(stacked("torch", "storage._load_from_bytes.__globals__")),
        INERT,
    ),
    "module within a package": (
        plain(call(named("torch.nn.modules.module", "torch"), text("x"))),
        INERT,
    ),
    "function of a package": (
        plain(call(named("timm.models", "load_checkpoint"), text("x"))),
        INERT,
    ),
    "function as a class": (
        plain(named("clip.clip", "load") + b")\x81"),
        INERT,
    ),
    "hub": (plain(call(named("torch.hub", "load"), text("x"))), says("torch.hub.load")),
    "torch.load": (
        plain(call(named("torch.serialization", "load"), text("x"))),
        says("torch.serialization.load"),
    ),
    "numpy.load": (plain(call(named("numpy", "load"), text("x"))), says("numpy.load")),
    "like a package": (plain(named("srcs", "Model")), INERT),
    "within a good module": (
        plain(as_module(good_tensor(), text("weights") + SYSTEM)),
        says("os.system"),
    ),
    "as a parameter": (plain(as_module(SYSTEM)), says("os.system")),
    "as an argument": (
        plain(call(named("functools", "partial"), named("os", "system"))),
        says("os.system"),
    ),
    "in a state": (
        plain(
            named("src.a", "B")
            + b")\x81}"
            + text("__setstate__")
            + named("os", "system")
            + b"sb"
        ),
        says("os.system"),
    ),
    "state of a class": (
        plain(named("torch.nn", "Module") + b"}" + text("f") + b"Nsb"),
        "uses a Global as a Record",
    ),
    "in torch.save's pickle": (
        rezipped({"archive/data.pkl": plain(SYSTEM, 2)}),
        says("os.system"),
    ),
    "in a TorchScript archive": (
        rezipped({"archive/data.pkl": plain(SYSTEM, 2), "archive/constants.pkl": b""}),
        says("os.system"),
    ),
    "as a storage's class": (
        edited_pickle(b"ctorch\nFloatStorage\n", named("os", "system")),
        says("os.system"),
    ),
    "in the older format": (legacy(SYSTEM), says("os.system")),
    "in the older format's numbers": (
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + plain(SYSTEM),
        says("os.system"),
    ),
    "in the older format's keys": (
        legacy(b"}")[:-6] + plain(SYSTEM),
        says("os.system"),
    ),
    "in a storage's bytes": (
        plain(as_module(tensor_of(with_bytes(plain(SYSTEM))))),
        says("os.system"),
    ),
    "in the older format in bytes": (
        plain(as_module(tensor_of(with_bytes(legacy(SYSTEM))))),
        says("os.system"),
    ),
    "bytes in bytes": (
        plain(as_module(tensor_of(with_bytes(legacy(with_bytes(plain(SYSTEM))))))),
        "a storage in it is something else",
    ),
    "INST": (
        b"\x80\x02(" + text(f"touch {CANARY}") + b"ios\nsystem\n.",
        opcode("INST"),
    ),
    "OBJ": (plain(b"(" + named("src.os", "System") + text("id") + b"o"), opcode("OBJ")),
    "EXT1": (plain(b"\x82\x01"), opcode("EXT1")),
    "EXT2": (plain(b"\x83\x01\x00"), opcode("EXT2")),
    "EXT4": (plain(b"\x84\x01\x00\x00\x00"), opcode("EXT4")),
    "NEWOBJ_EX": (plain(named("src.a", "B") + b")}\x92"), INERT),
    "PERSID": (plain(b"Pstorage\n"), opcode("PERSID")),
    "persistent id": (plain(storage_id(b"K\x04")), "outside of itself"),
    "other persistent id": (legacy(text("x") + b"Q"), "that is no storage"),
    "called value": (plain(call(text("os.system"))), "uses a str as a Global"),
    "called list": (plain(named("src.a", "B") + b"]R"), "uses a list as a tuple"),
    "path of numbers": (plain(b"K\x01K\x02\x93"), "uses a int as a str"),
    "items of a class": (
        plain(named("src.a", "B") + text("a") + b"Ns"),
        "uses a Global as a dict",
    ),
    "appended to a string": (plain(text("a") + b"Na"), "uses a str as a list"),
    "deep lists": (plain(b"]" * DEEP + b"a" * (DEEP - 1)), "no named tensors"),
    "deep dicts": (
        plain((b"}" + text("a")) * DEEP + b"N" + b"s" * DEEP),
        "nested without end",
    ),
    "deep tuples as a key": (plain(b"}" + b")" + b"\x85" * DEEP + b"Ns"), INERT),
    "dict within itself": (
        plain(b"}q\x00" + text("a") + b"h\x00s"),
        "nested without end",
    ),
    "exponential dicts": (
        plain(
            b"}q\x00"
            + b"".join(
                b"}q"
                + bytes([i])
                + text("a")
                + b"h"
                + bytes([i - 1])
                + b"s"
                + text("b")
                + b"h"
                + bytes([i - 1])
                + b"s"
                for i in range(1, 35)
            )
        ),
        "nested without end",
    ),
    "exponential name": (
        plain(
            b")q\x00"
            + b"h\x00h\x00\x86q\x00" * 60
            + b"0" * 61
            + b"}"
            + named("src.a", "B")
            + b"h\x00\x85R"
            + b"}s"
        ),
        INERT,
    ),
    "parameter of itself": (
        plain(as_module(call(named("torch._utils", "_rebuild_parameter")))),
        "described in another",
    ),
    "more steps than a model has": (plain(b"N" * 2_000_001), "more than 2000000 steps"),
    "claims four gigabytes": (plain(b"B\xff\xff\xff\xff"), "expected 4294967295 bytes"),
    "claims more than memory": (plain(b"\x8e" + b"\xff" * 7 + b"\x7f"), "expected"),
    "number with more digits than it has": (
        plain(b"\x8b\xff\xff\xff\x7f"),
        "not enough data",
    ),
    "storage of a terabyte": (
        legacy(
            b"}"
            + text("a")
            + tensor_of(storage_id(b"\x8a\x06" + b"\0" * 5 + b"\1"))
            + b"s",
            "0",
        ),
        "ends within its tensors",
    ),
    "storage of negative size": (
        legacy(
            b"}" + text("a") + tensor_of(storage_id(b"J\xff\xff\xff\xff")) + b"s", "0"
        ),
        "that is no storage",
    ),
    "storages under one name": (
        legacy(storage_id(b"K\x01") + b"0" + storage_id(b"K\x02"), "0"),
        "have one name",
    ),
    "storage without data": (legacy(storage_id(b"K\x01")), "list of storages"),
    "storage listed twice": (legacy(storage_id(b"K\x01"), "00"), "list of storages"),
    "keys that are tuples": (legacy(b"}", [((),)]), "list of storages"),
    "storage of another size than its own count": (
        legacy(storage_id(b"K\x01"), "0") + struct.pack("<q", 2) + b"\0" * 8,
        "of another size",
    ),
    "storage smaller than claimed": (
        rezipped({"archive/data/0": b"\0" * 63}),
        "has 63 bytes for 16 float32",
    ),
    "storage missing": (rezipped({"archive/data/0": None}), "lacks 'data/0'"),
    "no pickle": (rezipped({"archive/data.pkl": None}), "without one data.pkl"),
    "two pickles": (rezipped({"other/data.pkl": b"N."}), "without one data.pkl"),
    "compressed": (rezipped({}, zipfile.ZIP_DEFLATED), "is compressed"),
    "big-endian": (rezipped({"archive/byteorder": b"big"}), "not little-endian"),
    "older, big-endian": (
        b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {})),
        "not little-endian",
    ),
    "older, of another version": (
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1, 2),
        "unknown version",
    ),
    "longer than the file": (
        saved().replace(
            struct.pack("<II", 64, 64), struct.pack("<II", 1 << 30, 1 << 30)
        ),
        "longer than the file",
    ),
    "after its pickle": (plain(b"}") + b"more", "goes on after its pickle"),
    "text": (b"these are no weights", "first bytes"),
    "empty": (b"", "it is empty"),
    "safetensors that claims too much": (
        struct.pack("<Q", 1 << 40) + b'{"a":{}}',
        r"not a checkpoint \(.*[Hh]eader",
    ),
    "safetensors with a tensor beyond its end": (
        struct.pack("<Q", 56)
        + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'.ljust(56),
        r"not a checkpoint \(",
    ),
    "safetensors with a line break": (
        struct.pack("<Q", 56)
        + b'{"a":{"dtype":"F\\n3","shape":[],"data_offsets":[0,0]}}'.ljust(56),
        r"not a checkpoint \(",
    ),
    "no tensors": (pickle.dumps({"a": 1, "b": [2.5, "c"]}), "no named tensors"),
    "lone tensor": (plain(good_tensor()), "lone one"),
    "one name twice": (
        pickle.dumps({"a": {"b": torch.ones(1)}, "a.b": torch.ones(1)}),
        "two tensors .*'a.b'",
    ),
    "terabytes of one number": (
        saved(tensor=torch.ones(1).expand(1 << 40)),
        "larger than its storage",
    ),
    "views without number": (
        saved(tensor=dict.fromkeys(map(str, range(9)), torch.ones(9000))),
        "much larger than",
    ),
    "one storage many times": (many_copies(), "much larger than"),
    "conjugate": (
        plain(
            b"}"
            + text("a")
            + call(
                named("torch._utils", "_rebuild_tensor_v2"),
                b"NK\x00))",
                b"\x89",
                b"}",
                b"}" + text("neg") + b"\x88s",
            )
            + b"s"
        ),
        "conjugate or negative",
    ),
    "tensor without a storage": (
        plain(b"}" + text("a") + tensor_of(b"N") + b"s"),
        "no storage",
    ),
    "Python 2's OrderedDict": (
        plain(call(named("collections", "OrderedDict"), b"]")),
        "of Python 2",
    ),
}
SHAPES = {
    "beyond its end": ("larger", b"K\x01", b"K\x04\x85", b"K\x01\x85"),
    "strides beyond its end": ("larger", b"K\x00", b"K\x02\x85", b"K\x04\x85"),
    "negative offset": ("impossible", b"J\xff\xff\xff\xff", b"K\x04\x85", b"K\x01\x85"),
    "negative stride": ("impossible", b"K\x03", b"K\x04\x85", b"J\xff\xff\xff\xff\x85"),
    "fewer strides": ("impossible", b"K\x00", b"K\x02K\x02\x86", b"K\x01\x85"),
    "size of no number": ("impossible", b"K\x00", text("4") + b"\x85", b"K\x01\x85"),
    "size beyond all numbers": (
        "impossible",
        b"K\x00",
        b"K\x00\x8a\x0a" + b"\1" * 10 + b"\x86",
        b"K\x01K\x01\x86",
    ),
    "axes without end": ("impossible", b"K\x00", axes(17), axes(17)),
    "offset beyond an empty tensor": ("larger", b"K\x09", b"K\x00\x85", b"K\x01\x85"),
}

FOUR = with_bytes(
    legacy(storage_id(b"K\x04"), "0") + struct.pack("<q4f", 4, 1, 2, 3, 4)
)
for what, (reason, *shape) in SHAPES.items():
    HARMFUL[f"tensor {what}"] = (
        plain(b"}" + text("a") + tensor_of(FOUR, *shape) + b"s"),
        reason,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_or_broken_file_is_refused_with_its_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, message = HARMFUL[name]
    (tmp_path / "evil.pt").write_bytes(content)
    with pytest.raises(StockpotError, match=rf"^evil\.pt: .*{message}") as error:
        read_tensors("evil.pt")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    assert [path.name for path in tmp_path.iterdir()] == ["evil.pt"]


@pytest.mark.process
def test_the_harmful_files_would_run_where_pickles_are_loaded(tmp_path, monkeypatch):
    """Else the canary could not tell a reader that runs them from one that does not."""
    monkeypatch.chdir(tmp_path)
    for name in ("os.system", "eval", "exec", "subprocess", "INST", "as a parameter"):
        try:
            made = pickle.loads(HARMFUL[name][0])
        except Exception:  # what comes after the harm is of no interest
            made = None
        if name == "subprocess":
            made.wait()
        assert (tmp_path / CANARY).exists(), name
        (tmp_path / CANARY).unlink()
    torch.load(io.BytesIO(HARMFUL["in torch.save's pickle"][0]), weights_only=False)
    assert (tmp_path / CANARY).exists()


AUDITED = """
import encodings.cp437, json, os, resource, sys  # zipfile's names are in cp437
from pathlib import Path
from stockpot.runtime.errors import StockpotError
from stockpot.models.checkpoints import read
from stockpot.models.checkpoints.read import read_tensors

# A child process would not tell its events.
read.bounded = lambda function, path: function(path)
events, accepted = [], []
folder = Path({folder!r})
os.chdir(folder)
QUIET = {{"open", "mmap.__new__", "os.listdir", "os.scandir", "object.__getattr__", "builtins.id"}}

def hook(event, arguments):
    writing = event == "open" and arguments[1] not in ("r", "rb", None)
    if event not in QUIET or writing:
        events.append(event + " " + repr(arguments)[:80])

# What is imported only when first needed is imported now.
for path in sorted(folder.glob("good*")):
    read_tensors(path)
files = sorted(folder.glob("evil*"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
modules = set(sys.modules)
sys.addaudithook(hook)
for path in files:
    try:
        read_tensors(path)
        accepted.append(path.name)
    except StockpotError:
        pass
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([events, accepted, sorted(set(sys.modules) - modules), grown]))
"""


@pytest.mark.process
@pytest.mark.slow
def test_nothing_is_run_imported_written_or_claimed(tmp_path):
    """In a fresh interpreter that reports every event of Python's audit hooks."""
    (tmp_path / "good.zip").write_bytes(saved())
    (tmp_path / "good.pkl").write_bytes(plain(b"}" + text("a") + good_tensor() + b"s"))
    save_file({"a": torch.ones(1)}, tmp_path / "good.safetensors")
    for i, (content, _) in enumerate(HARMFUL.values()):
        (tmp_path / f"evil-{i:03}").write_bytes(content)
    events, accepted, modules, grown = python(AUDITED.format(folder=str(tmp_path)))
    assert events == []
    assert accepted == []
    assert modules == []
    assert not (tmp_path / CANARY).exists()
    assert grown < 300_000, "kilobytes; the files claim terabytes"


def every_kind(folder) -> dict:
    torch.manual_seed(3)
    content = {"a": torch.randn(5, 3), "b": OrderedDict(c=torch.randn(2).half())}
    for way in ("pickle", "zip", "legacy"):
        write(content, folder / way, way, 4 if way == "pickle" else 2)
    save_file({"a": torch.randn(5, 3)}, folder / "safetensors")
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(2, 3))), folder / "script")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["pickle", "zip", "legacy", "safetensors", "script"])
def test_file_cut_short_anywhere_is_refused(kind, tmp_path):
    whole = every_kind(tmp_path)[kind]
    for size in {*range(0, len(whole), max(1, len(whole) // 150)), len(whole) - 1}:
        (tmp_path / "cut").write_bytes(whole[:size])
        with pytest.raises(StockpotError, match="cut: not a checkpoint") as error:
            read_tensors(tmp_path / "cut")
        assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pickle", "zip", "legacy", "safetensors", "script"])
def test_damaged_file_is_read_or_refused(kind, tmp_path):
    """Whatever a changed byte does, the only error is the user's line."""
    whole, random = every_kind(tmp_path)[kind], np.random.default_rng(4)
    for _ in range(400):
        damaged = bytearray(whole)
        for at in random.integers(len(whole), size=random.integers(1, 4)):
            damaged[at] = random.integers(256)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            tensors, refusal = read_tensors(tmp_path / "damaged"), ""
        except StockpotError as error:
            tensors, refusal = {}, str(error)
        assert "\n" not in refusal
        assert sum(t.nbytes for t in tensors.values()) <= 4 * len(whole)


@pytest.mark.parametrize("way", ["a folder", "missing"])
def test_path_that_is_no_file_is_named(tmp_path, way):
    path = tmp_path if way == "a folder" else tmp_path / "nowhere.pt"
    with pytest.raises(StockpotError, match=rf"^{path}: cannot be read"):
        read_tensors(path)


class Strange:
    """A class of some training program."""

    def __init__(self):
        self.path = Path("runs/ours")


class Attributes(dict):
    """As Lightning's AttributeDict: a dict with attributes."""

    __getattr__ = dict.__getitem__


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


def strangers() -> dict:
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
        "function": strangers,
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
    for what, stranger in strangers().items():
        for protocol in (2, 4):
            write({"state_dict": expected, "other": stranger}, path, way, protocol)
            found = as_classifier(read_tensors(path), path)
            assert same(found, expected), what


@pytest.mark.parametrize("kind", [Attributes, Ordered, partial(defaultdict, None)])
def test_a_state_dict_of_any_kind_of_dict_is_read(tmp_path, kind):
    expected = {"visual.proj": torch.randn(3, 2), "head.weight": torch.randn(4, 2)}
    state = kind()
    state.update(expected)
    for way in ("zip", "legacy", "pickle"):
        write({"epoch": 3, "state_dict": state}, tmp_path / way, way, 4)
        found = read_tensors(tmp_path / way)
        assert same(found, {f"state_dict.{name}": t for name, t in expected.items()})


def test_a_module_of_a_class_that_is_not_there_is_read(tmp_path):
    class Foreign(nn.Module):
        pass

    Foreign.__module__, Foreign.__qualname__ = "__main__", "Foreign"
    sys.modules["__main__"].Foreign = Foreign
    try:
        module = Foreign()
        module.visual = nn.Linear(2, 3)
        module.hook = Path("a")
        write(module, tmp_path / "a.pt", "pickle", 4)
    finally:
        del sys.modules["__main__"].Foreign
    assert same(read_tensors(tmp_path / "a.pt"), module.state_dict())


def test_the_average_of_a_model_has_a_counter_that_is_left_alone(tmp_path):
    module = nn.Module()
    module.visual = nn.Linear(2, 3)
    averaged = torch.optim.swa_utils.AveragedModel(module)
    averaged.update_parameters(module)
    torch.save(averaged.state_dict(), tmp_path / "a.pt")
    found = as_classifier(read_tensors(tmp_path / "a.pt"), "a.pt")
    assert same(found, module.state_dict())


def long_names() -> bytes:
    """20,000 tensors under one key of half a megabyte."""
    tensor = tensor_of(
        with_bytes(
            legacy(storage_id(b"K\x04"), "0") + struct.pack("<q4f", 4, 1, 2, 3, 4)
        )
    )
    body = b"}" + text("a" * 500_000) + b"}(" + text("0") + tensor + b"q\x01"
    body += b"".join(text(str(i)) + b"h\x01" for i in range(1, 20_000))
    return plain(body + b"us")


def visited() -> bytes:
    """A dict of 40,000 entries under 40,000 names."""
    inner = b"".join(text(str(i)) + b"N" for i in range(40_000))
    body = (
        b"}("
        + inner
        + b"uq\x010}("
        + b"".join(text(str(i)) + b"h\x01" for i in range(40_000))
    )
    return plain(body + b"u")


def one_hash() -> bytes:
    """50,000 different integers that Python hashes to one number."""
    keys = (k * ((1 << 61) - 1) for k in range(2, 50_002))
    parts = (
        b"\x8a" + bytes([len(n)]) + n + b"N"
        for n in (k.to_bytes(11, "little") for k in keys)
    )
    return plain(b"}(" + b"".join(parts) + b"u")


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.in_a_child
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (long_names, "MB of memory, too much|much larger than"),
        (visited, "nested without end"),
        (one_hash, "no named tensors"),
    ],
)
def test_a_small_file_does_not_ask_for_much(tmp_path, make, said):
    path = tmp_path / "small.pt"
    path.write_bytes(make())
    began = sum(os.times()[:4])
    with pytest.raises(StockpotError, match=said) as error:
        read_tensors(path)
    assert sum(os.times()[:4]) - began < 15, (
        "seconds of a processor; the file asks for hours"
    )
    assert "\n" not in str(error.value)
    assert len(str(error.value)) <= 500


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.in_a_child
def test_a_file_is_read_in_a_child_as_in_this_process(soup, tmp_path, monkeypatch):
    for way, protocol in (("zip", 2), ("legacy", 2), ("pickle", 2), ("pickle", 4)):
        write(soup.state_dict(), tmp_path / "a.pt", way, protocol)
        assert same(read_tensors(tmp_path / "a.pt"), soup.state_dict())


@pytest.mark.parametrize("offset", [1 << 32, 1 << 63, (1 << 64) - 1])
def test_an_offset_of_64_bits_outside_of_the_file_is_a_line(tmp_path, offset):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
    data = content.getvalue()
    at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    length = struct.unpack_from("<H", data, at + 28)[0]
    head = bytearray(data[at : at + 46 + length])
    struct.pack_into("<II", head, 20, 2**32 - 1, 2**32 - 1)
    struct.pack_into("<H", head, 30, 28)
    struct.pack_into("<I", head, 42, 2**32 - 1)
    changed = (
        data[:at]
        + bytes(head)
        + struct.pack("<HHQQQ", 1, 24, 5, 5, offset)
        + data[end:]
    )
    end = changed.index(b"PK\5\6")
    changed = changed[: end + 12] + struct.pack("<I", end - at) + changed[end + 16 :]
    (tmp_path / "a.pt").write_bytes(changed)
    with pytest.raises(StockpotError, match=r"^.*a\.pt: not a checkpoint \(") as error:
        read_tensors(tmp_path / "a.pt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "git lfs pull fetches",
        ),
        (b"<!DOCTYPE html><html>", "a page of a website"),
        (b'{"metadata": {}, "weight_map": {}}', "make one with all tensors"),
    ],
)
def test_what_stands_in_for_a_checkpoint_says_what_to_do(tmp_path, content, said):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(StockpotError, match=said):
        read_tensors(tmp_path / "a.pt")


def test_a_large_file_may_list_many_paths(monkeypatch):
    paths = [f"images/{i}.png" for i in range(100)]
    content = pickle.dumps(paths)
    monkeypatch.setattr(pickles, "MOST_OPCODES", 50)
    assert (
        pickles.read_pickle(io.BytesIO(content), file_size=100 * len(content)) == paths
    )
    with pytest.raises(ValueError, match="more than 50 steps"):
        pickles.read_pickle(io.BytesIO(content), file_size=800)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.pt")
    with pytest.raises(StockpotError, match="it is a pipe"):
        read_tensors(tmp_path / "a.pt")


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
    torch.save({"state_dict": state(), **SAYING[what]}, tmp_path / "a.pt")
    (names,) = read_checkpoint(tmp_path / "a.pt").class_lists.values()
    assert names == NAMES


@pytest.mark.parametrize("said", [["a"], [1, 2, 3], "abc", {"a": 5}, None, ["a", "a"]])
def test_what_is_no_list_of_classes_is_none(tmp_path, said):
    torch.save(
        {"state_dict": state(), "classes": said, "class_to_idx": said},
        tmp_path / "a.pt",
    )
    assert read_checkpoint(tmp_path / "a.pt").class_lists == {}


def test_all_lists_of_classes_are_read(tmp_path):
    said = {
        "classes": ["a\u0308", "b"],
        "args": {"class_to_idx": {"b": 0, "\u00e4": 1}},
    }
    torch.save({"state_dict": state(), **said}, tmp_path / "a.pt")
    lists = read_checkpoint(tmp_path / "a.pt").class_lists
    assert lists == {"classes": ["\u00e4", "b"], "args.class_to_idx": ["b", "\u00e4"]}


def test_safetensors_say_their_classes_in_a_card_or_a_list(tmp_path):
    for metadata in (
        {"card": json.dumps({"class_names": NAMES})},
        {"classes": json.dumps(NAMES)},
    ):
        save_file(state(), tmp_path / "a", metadata)
        assert list(read_checkpoint(tmp_path / "a").class_lists.values()) == [NAMES]
    for metadata in ({"card": "["}, {"classes": "a, b"}, {"format": "pt"}, None):
        save_file(state(), tmp_path / "a", metadata)
        assert read_checkpoint(tmp_path / "a").class_lists == {}
