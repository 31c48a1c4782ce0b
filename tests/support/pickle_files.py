"""Checkpoints that are written by hand, opcode by opcode."""

import io
import pickle
import struct
import zipfile

import torch

CANARY = "canary"
CODE = f"open('{CANARY}', 'w')"


def text_opcode(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def by_name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def by_stack(module: str, name: str) -> bytes:
    return text_opcode(module) + text_opcode(name) + b"\x93"


def called(what: bytes, *arguments: bytes) -> bytes:
    return what + b"(" + b"".join(arguments) + b"tR"


def plain_pickle(body: bytes, protocol=4) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def good_tensor() -> bytes:
    """The opcodes of a tensor as a plain pickle has them."""
    return pickle.dumps(torch.ones(2, 2), 2)[2:-1]


def torch_saved(tensor=None) -> bytes:
    file = io.BytesIO()
    torch.save({"visual.proj": torch.ones(4, 4) if tensor is None else tensor}, file)
    return file.getvalue()


def rezipped(edits: dict, compression=zipfile.ZIP_STORED) -> bytes:
    """A file of torch.save with members changed, added, or (None) taken away."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(torch_saved())) as old,
        zipfile.ZipFile(file, "w", compression) as new,
    ):
        members = {info.filename: old.read(info) for info in old.infolist()} | edits
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def edited_pickle(before: bytes, after: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(torch_saved())) as archive:
        content = archive.read("archive/data.pkl")
    assert content.count(before) == 1
    return rezipped({"archive/data.pkl": content.replace(before, after)})


def legacy_file(body: bytes, keys=()) -> bytes:
    head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    first = b"".join(pickle.dumps(part, 2) for part in head)
    return first + plain_pickle(body, 2) + pickle.dumps(list(keys), 2)


def storage_id(numel: bytes, kind=("torch", "FloatStorage"), key="0") -> bytes:
    return (
        b"("
        + text_opcode("storage")
        + by_name(*kind)
        + text_opcode(key)
        + text_opcode("cpu")
        + numel
        + b"tQ"
    )


def tensor_of(source: bytes, *rest: bytes) -> bytes:
    """A tensor of shape [4] at the start of a storage."""
    rest = rest or (b"K\x00", b"K\x04\x85", b"K\x01\x85")
    return called(
        by_name("torch._utils", "_rebuild_tensor_v2"), source, *rest, b"\x89", b"}"
    )


def with_bytes(content: bytes) -> bytes:
    return called(
        by_name("torch.storage", "_load_from_bytes"),
        b"B",
        struct.pack("<I", len(content)),
        content,
    )


def as_module(parameter: bytes, extra: bytes = b"") -> bytes:
    fields = (
        text_opcode("_parameters") + b"}" + text_opcode("weight") + parameter + b"s"
    )
    return (
        by_name("torch.nn.modules.linear", "Linear")
        + b")\x81}("
        + fields
        + extra
        + b"ub"
    )


def axes(count: int) -> bytes:
    return b"(" + b"K\x01" * count + b"t"


def many_copies() -> bytes:
    """Nine tensors of one number, each with a storage of its own from the same bytes."""
    content = (
        legacy_file(storage_id(b"M\x10\x27"), "0")
        + struct.pack("<q", 10000)
        + b"\0" * 40000
    )
    stored, one = (
        by_name("torch.storage", "_load_from_bytes"),
        (b"K\x00", b"K\x01\x85", b"K\x01\x85"),
    )
    body = b"B" + struct.pack("<I", len(content)) + content + b"q\x010}"
    for i in range(9):
        body += text_opcode(str(i)) + tensor_of(called(stored, b"h\x01"), *one) + b"s"
    return plain_pickle(body)
