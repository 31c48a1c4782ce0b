"""Files that would do harm, each with what is said of it."""

import pickle
import struct
import zipfile

import torch

from tests.support.pickle_files import (
    CANARY,
    CODE,
    as_module,
    axes,
    by_name,
    by_stack,
    called,
    edited_pickle,
    good_tensor,
    legacy_file,
    many_copies,
    plain_pickle,
    rezipped,
    storage_id,
    tensor_of,
    text_opcode,
    torch_saved,
    with_bytes,
)

SYSTEM = called(by_name("os", "system"), text_opcode(f"touch {CANARY}"))


# What a file names is data like any other; only the ways to run commands are refused by name.
INERT = "no named tensors"


def says_named(name: str) -> str:
    return rf"it names '{name}', which is no part of a model"


def says_opcode(name: str) -> str:
    return f"uses {name}, which no model needs"


DEEP = 100_000
HARMFUL = {
    "os.system": (plain_pickle(SYSTEM), says_named("os.system")),
    "posix.system": (
        plain_pickle(called(by_name("posix", "system"), text_opcode("id"))),
        says_named("posix.system"),
    ),
    "eval": (
        plain_pickle(called(by_name("builtins", "eval"), text_opcode(CODE))),
        says_named("builtins.eval"),
    ),
    "exec": (
        plain_pickle(called(by_stack("builtins", "exec"), text_opcode(CODE))),
        says_named("builtins.exec"),
    ),
    "python 2's eval": (
        plain_pickle(called(by_name("__builtin__", "eval"), text_opcode(CODE)), 2),
        says_named("__builtin__.eval"),
    ),
    "subprocess": (
        plain_pickle(
            called(
                by_name("subprocess", "Popen"),
                b"]" + text_opcode("touch") + b"a" + text_opcode(CANARY) + b"a",
            )
        ),
        says_named("subprocess.Popen"),
    ),
    "getattr": (
        plain_pickle(
            called(
                by_name("builtins", "getattr"),
                by_name("torch.nn", "Module"),
                text_opcode("__init__"),
            )
        ),
        INERT,
    ),
    "dotted name": (
        plain_pickle(by_stack("torch.nn", "Module.__init__.__globals__")),
        INERT,
    ),
    "dotted function": (
        plain_pickle(
            called(
                by_stack("torch.nn.modules.module", "torch.hub.load"), text_opcode("x")
            )
        ),
        INERT,
    ),
    "dotted allowed name": (
        plain_pickle(by_stack("torch", "storage._load_from_bytes.__globals__")),
        INERT,
    ),
    "module within a package": (
        plain_pickle(
            called(by_name("torch.nn.modules.module", "torch"), text_opcode("x"))
        ),
        INERT,
    ),
    "function of a package": (
        plain_pickle(
            called(by_name("timm.models", "load_checkpoint"), text_opcode("x"))
        ),
        INERT,
    ),
    "function as a class": (
        plain_pickle(by_name("clip.clip", "load") + b")\x81"),
        INERT,
    ),
    "hub": (
        plain_pickle(called(by_name("torch.hub", "load"), text_opcode("x"))),
        says_named("torch.hub.load"),
    ),
    "torch.load": (
        plain_pickle(called(by_name("torch.serialization", "load"), text_opcode("x"))),
        says_named("torch.serialization.load"),
    ),
    "numpy.load": (
        plain_pickle(called(by_name("numpy", "load"), text_opcode("x"))),
        says_named("numpy.load"),
    ),
    "like a package": (plain_pickle(by_name("srcs", "Model")), INERT),
    "within a good module": (
        plain_pickle(as_module(good_tensor(), text_opcode("weights") + SYSTEM)),
        says_named("os.system"),
    ),
    "as a parameter": (plain_pickle(as_module(SYSTEM)), says_named("os.system")),
    "as an argument": (
        plain_pickle(called(by_name("functools", "partial"), by_name("os", "system"))),
        says_named("os.system"),
    ),
    "in a state": (
        plain_pickle(
            by_name("src.a", "B")
            + b")\x81}"
            + text_opcode("__setstate__")
            + by_name("os", "system")
            + b"sb"
        ),
        says_named("os.system"),
    ),
    "state of a class": (
        plain_pickle(by_name("torch.nn", "Module") + b"}" + text_opcode("f") + b"Nsb"),
        "uses a Global as a Record",
    ),
    "in torch.save's pickle": (
        rezipped({"archive/data.pkl": plain_pickle(SYSTEM, 2)}),
        says_named("os.system"),
    ),
    "in a TorchScript archive": (
        rezipped(
            {"archive/data.pkl": plain_pickle(SYSTEM, 2), "archive/constants.pkl": b""}
        ),
        says_named("os.system"),
    ),
    "as a storage's class": (
        edited_pickle(b"ctorch\nFloatStorage\n", by_name("os", "system")),
        says_named("os.system"),
    ),
    "in the older format": (legacy_file(SYSTEM), says_named("os.system")),
    "in the older format's numbers": (
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + plain_pickle(SYSTEM),
        says_named("os.system"),
    ),
    "in the older format's keys": (
        legacy_file(b"}")[:-6] + plain_pickle(SYSTEM),
        says_named("os.system"),
    ),
    "in a storage's bytes": (
        plain_pickle(as_module(tensor_of(with_bytes(plain_pickle(SYSTEM))))),
        says_named("os.system"),
    ),
    "in the older format in bytes": (
        plain_pickle(as_module(tensor_of(with_bytes(legacy_file(SYSTEM))))),
        says_named("os.system"),
    ),
    "bytes in bytes": (
        plain_pickle(
            as_module(
                tensor_of(with_bytes(legacy_file(with_bytes(plain_pickle(SYSTEM)))))
            )
        ),
        "a storage in it is something else",
    ),
    "INST": (
        b"\x80\x02(" + text_opcode(f"touch {CANARY}") + b"ios\nsystem\n.",
        says_opcode("INST"),
    ),
    "OBJ": (
        plain_pickle(b"(" + by_name("src.os", "System") + text_opcode("id") + b"o"),
        says_opcode("OBJ"),
    ),
    "EXT1": (plain_pickle(b"\x82\x01"), says_opcode("EXT1")),
    "EXT2": (plain_pickle(b"\x83\x01\x00"), says_opcode("EXT2")),
    "EXT4": (plain_pickle(b"\x84\x01\x00\x00\x00"), says_opcode("EXT4")),
    "NEWOBJ_EX": (plain_pickle(by_name("src.a", "B") + b")}\x92"), INERT),
    "PERSID": (plain_pickle(b"Pstorage\n"), says_opcode("PERSID")),
    "persistent id": (plain_pickle(storage_id(b"K\x04")), "outside of itself"),
    "other persistent id": (legacy_file(text_opcode("x") + b"Q"), "that is no storage"),
    "called value": (
        plain_pickle(called(text_opcode("os.system"))),
        "uses a str as a Global",
    ),
    "called list": (
        plain_pickle(by_name("src.a", "B") + b"]R"),
        "uses a list as a tuple",
    ),
    "path of numbers": (plain_pickle(b"K\x01K\x02\x93"), "uses a int as a str"),
    "items of a class": (
        plain_pickle(by_name("src.a", "B") + text_opcode("a") + b"Ns"),
        "uses a Global as a dict",
    ),
    "appended to a string": (
        plain_pickle(text_opcode("a") + b"Na"),
        "uses a str as a list",
    ),
    "deep lists": (plain_pickle(b"]" * DEEP + b"a" * (DEEP - 1)), "no named tensors"),
    "deep dicts": (
        plain_pickle((b"}" + text_opcode("a")) * DEEP + b"N" + b"s" * DEEP),
        "nested without end",
    ),
    "deep tuples as a key": (plain_pickle(b"}" + b")" + b"\x85" * DEEP + b"Ns"), INERT),
    "dict within itself": (
        plain_pickle(b"}q\x00" + text_opcode("a") + b"h\x00s"),
        "nested without end",
    ),
    "exponential dicts": (
        plain_pickle(
            b"}q\x00"
            + b"".join(
                b"}q"
                + bytes([i])
                + text_opcode("a")
                + b"h"
                + bytes([i - 1])
                + b"s"
                + text_opcode("b")
                + b"h"
                + bytes([i - 1])
                + b"s"
                for i in range(1, 35)
            )
        ),
        "nested without end",
    ),
    "exponential name": (
        plain_pickle(
            b")q\x00"
            + b"h\x00h\x00\x86q\x00" * 60
            + b"0" * 61
            + b"}"
            + by_name("src.a", "B")
            + b"h\x00\x85R"
            + b"}s"
        ),
        INERT,
    ),
    "parameter of itself": (
        plain_pickle(as_module(called(by_name("torch._utils", "_rebuild_parameter")))),
        "described in another",
    ),
    "more steps than a model has": (
        plain_pickle(b"N" * 2_000_001),
        "more than 2000000 steps",
    ),
    "claims four gigabytes": (
        plain_pickle(b"B\xff\xff\xff\xff"),
        "expected 4294967295 bytes",
    ),
    "claims more than memory": (
        plain_pickle(b"\x8e" + b"\xff" * 7 + b"\x7f"),
        "expected",
    ),
    "number with more digits than it has": (
        plain_pickle(b"\x8b\xff\xff\xff\x7f"),
        "not enough data",
    ),
    "storage of a terabyte": (
        legacy_file(
            b"}"
            + text_opcode("a")
            + tensor_of(storage_id(b"\x8a\x06" + b"\0" * 5 + b"\1"))
            + b"s",
            "0",
        ),
        "ends within its tensors",
    ),
    "storage of negative size": (
        legacy_file(
            b"}"
            + text_opcode("a")
            + tensor_of(storage_id(b"J\xff\xff\xff\xff"))
            + b"s",
            "0",
        ),
        "that is no storage",
    ),
    "storages under one name": (
        legacy_file(storage_id(b"K\x01") + b"0" + storage_id(b"K\x02"), "0"),
        "have one name",
    ),
    "storage without data": (legacy_file(storage_id(b"K\x01")), "list of storages"),
    "storage listed twice": (
        legacy_file(storage_id(b"K\x01"), "00"),
        "list of storages",
    ),
    "keys that are tuples": (legacy_file(b"}", [((),)]), "list of storages"),
    "storage of another size than its own count": (
        legacy_file(storage_id(b"K\x01"), "0") + struct.pack("<q", 2) + b"\0" * 8,
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
        torch_saved().replace(
            struct.pack("<II", 64, 64), struct.pack("<II", 1 << 30, 1 << 30)
        ),
        "longer than the file",
    ),
    "after its pickle": (plain_pickle(b"}") + b"more", "goes on after its pickle"),
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
    "lone tensor": (plain_pickle(good_tensor()), "lone one"),
    "one name twice": (
        pickle.dumps({"a": {"b": torch.ones(1)}, "a.b": torch.ones(1)}),
        "two tensors .*'a.b'",
    ),
    "terabytes of one number": (
        torch_saved(tensor=torch.ones(1).expand(1 << 40)),
        "larger than its storage",
    ),
    "views without number": (
        torch_saved(tensor=dict.fromkeys(map(str, range(9)), torch.ones(9000))),
        "much larger than",
    ),
    "one storage many times": (many_copies(), "much larger than"),
    "conjugate": (
        plain_pickle(
            b"}"
            + text_opcode("a")
            + called(
                by_name("torch._utils", "_rebuild_tensor_v2"),
                b"NK\x00))",
                b"\x89",
                b"}",
                b"}" + text_opcode("neg") + b"\x88s",
            )
            + b"s"
        ),
        "conjugate or negative",
    ),
    "tensor without a storage": (
        plain_pickle(b"}" + text_opcode("a") + tensor_of(b"N") + b"s"),
        "no storage",
    ),
    "Python 2's OrderedDict": (
        plain_pickle(called(by_name("collections", "OrderedDict"), b"]")),
        "of Python 2",
    ),
}
SHAPES = {
    "beyond its end": ("larger", b"K\x01", b"K\x04\x85", b"K\x01\x85"),
    "strides beyond its end": ("larger", b"K\x00", b"K\x02\x85", b"K\x04\x85"),
    "negative offset": ("impossible", b"J\xff\xff\xff\xff", b"K\x04\x85", b"K\x01\x85"),
    "negative stride": ("impossible", b"K\x03", b"K\x04\x85", b"J\xff\xff\xff\xff\x85"),
    "fewer strides": ("impossible", b"K\x00", b"K\x02K\x02\x86", b"K\x01\x85"),
    "size of no number": (
        "impossible",
        b"K\x00",
        text_opcode("4") + b"\x85",
        b"K\x01\x85",
    ),
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
    legacy_file(storage_id(b"K\x04"), "0") + struct.pack("<q4f", 4, 1, 2, 3, 4)
)
for what, (reason, *shape) in SHAPES.items():
    HARMFUL[f"tensor {what}"] = (
        plain_pickle(b"}" + text_opcode("a") + tensor_of(FOUR, *shape) + b"s"),
        reason,
    )
