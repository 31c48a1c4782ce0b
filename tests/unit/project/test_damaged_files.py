"""Damaged and hostile files of every format that is read: a result or one line, within limits.

Each file is read in a child process that may take 50 times the file's size and 200 MB of memory,
and time linear in its size. ``STOCKPOT_FUZZ=1000`` tries so many damaged versions of each file.
"""

import io
import json
import os
import pickle
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.bounded import bounded
from stockpot.runtime.errors import StockpotError
from tests.support.mutations import mutate
from tests.support.paths import ROOT

pytestmark = pytest.mark.slow

TRIES = int(os.environ.get("STOCKPOT_FUZZ", 40))
LONGEST_LINE = 500


def picture(size=24):
    values = np.arange(size * size * 3) * 7919 % 251
    return Image.fromarray(values.astype(np.uint8).reshape(size, size, 3))


def encoded(form: str, mode: str = "RGB", **options) -> bytes:
    stream = io.BytesIO()
    picture().convert(mode).save(stream, form, **options)
    return stream.getvalue()


def tar_of(
    files: dict[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT
) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=form) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def weights() -> dict:
    import torch

    return {
        "visual.proj": torch.arange(12.0).reshape(3, 4),
        "head.bias": torch.zeros(4),
    }


def torch_file(zipped: bool) -> bytes:
    import torch

    stream = io.BytesIO()
    content = {
        "state_dict": weights(),
        "epoch": 3,
        "args": {"lr": 0.1, "names": ["a", "b"]},
    }
    torch.save(content, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def safetensors_file() -> bytes:
    from safetensors.torch import save

    return save(weights(), {"classes": json.dumps(["a", "b"])})


def parquet_file() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    image = encoded("PNG")
    images = [{"bytes": image, "path": f"{i}.png"} for i in range(8)]
    features = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"image": images, "label": [0, 1] * 4}).replace_schema_metadata(
        metadata
    )
    stream = io.BytesIO()
    parquet.write_table(table, stream, row_group_size=4)
    return stream.getvalue()


SHARD = {
    f"{i:03}.{suffix}": content
    for i in range(4)
    for suffix, content in (("jpg", b"no image is read"), ("cls", str(i % 2).encode()))
}
FILES = {"set/a/1.txt": b"text " * 50, "set/b/2.txt": b"more", "set/b/3.txt": b""}
TABLE = "path,label\n" + "".join(
    f"{i}.png,{'cat' if i % 2 else 'dog'}\n" for i in range(20)
)
SEEDS = {
    "png": lambda: encoded("PNG"),
    "palette.png": lambda: encoded("PNG", "P"),
    "jpeg": lambda: encoded("JPEG"),
    "progressive.jpeg": lambda: encoded("JPEG", progressive=True),
    "cmyk.jpeg": lambda: encoded("JPEG", "CMYK"),
    "webp": lambda: encoded("WEBP"),
    "bmp": lambda: encoded("BMP"),
    "zip.pt": lambda: torch_file(True),
    "legacy.pt": lambda: torch_file(False),
    "pickle.pt": lambda: pickle.dumps({"a": [1, 2, {"b": "c"}]}),
    "safetensors": safetensors_file,
    "shard.tar": lambda: tar_of(SHARD),
    "long-name.tar": lambda: tar_of(
        {"x" * 150 + ".jpg": b"i", "x" * 150 + ".cls": b"1"}
    ),
    "archive.tar": lambda: tar_of(FILES, form=tarfile.GNU_FORMAT),
    "archive.tar.gz": lambda: tar_of(FILES, "w:gz"),
    "archive.tar.xz": lambda: tar_of(FILES, "w:xz"),
    "archive.tar.bz2": lambda: tar_of(FILES, "w:bz2"),
    "archive.zip": lambda: zip_of(FILES),
    "parquet": parquet_file,
    "table.csv": TABLE.encode,
    "names.csv": lambda: b"class,name\ncat,house cat\ndog,a dog\n",
    "prompts.txt": lambda: "a photo of a {}.\nein Bild, größer: {}\n".encode(),
    "open_clip_config.json": lambda: (CLIP / "open_clip_config.json").read_bytes(),
}
CLIP = ROOT / "resources/mini_clip"


def read_image(path):
    from stockpot.datasets.decoding.decode import decode
    from stockpot.datasets.decoding.transform import Transform
    from stockpot.datasets.examples import ImageFile

    return decode(ImageFile(str(path)), Transform(16))


def read_checkpoint(path):
    from stockpot.models.checkpoints.read import read_tensors

    return read_tensors(path)


def read_source(name):
    def read(path):
        from stockpot.datasets import sources

        entry = sources.with_defaults({"source": name, "path": str(path)})
        module = sources.module(name)
        module.classes(entry, Path)
        module.counts(entry, Path)

    return read


def unpack_archive(path):
    from stockpot.datasets.downloads.unpack import unpack

    unpack(path, path.with_name("unpacked"))


def read_head(key):
    def read(path):
        from stockpot.config.zero_shot_head import read_head

        given = {"prompts": str(CLIP.parent / "prompts/objects.txt"), key: str(path)}
        read_head("head", given, Path)

    return read


def read_model(path):
    from stockpot.models.files import read_config

    read_config(path.parent, "model.architecture")


READERS = {
    "png": read_image,
    "jpeg": read_image,
    "webp": read_image,
    "bmp": read_image,
    "pt": read_checkpoint,
    "safetensors": read_checkpoint,
    "shard.tar": read_source("webdataset"),
    "long-name.tar": read_source("webdataset"),
    "archive.tar": unpack_archive,
    "gz": unpack_archive,
    "xz": unpack_archive,
    "bz2": unpack_archive,
    "zip": unpack_archive,
    "parquet": read_source("parquet"),
    "table.csv": read_source("csv"),
    "names.csv": read_head("class_names"),
    "prompts.txt": read_head("prompts"),
    "json": read_model,
}


def attempt(path, read) -> str:
    """Read a file in the child: what is wrong with the way it was refused, or ""."""
    warnings.simplefilter("ignore")
    try:
        read(path)
    except StockpotError as error:
        line = str(error)
        if len(line) > LONGEST_LINE or not line.isprintable():
            return f"no line of at most {LONGEST_LINE} characters: {line[:2000]!r}"
    except BaseException as error:
        import traceback

        return f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return ""


@pytest.mark.parametrize("name", SEEDS)
def test_a_damaged_file_gives_a_result_or_one_line(name, tmp_path):
    read = READERS.get(name) or READERS[name.rpartition(".")[2]]
    seed = SEEDS[name]()
    other = tar_of(SHARD) if name != "shard.tar" else zip_of(FILES)
    whole = tmp_path / "whole" / name
    whole.parent.mkdir()
    whole.write_bytes(seed)
    # Read here first: what is imported for it counts for no child.
    assert attempt(whole, read) == "", "the undamaged file"
    failures = {}
    for number in range(TRIES):
        folder = tmp_path / str(number)
        failure = attempt_on(folder / name, mutate(seed, other, number), read)
        if failure:
            failures[number] = failure
    assert failures == {}


def attempt_on(path: Path, content: bytes, read) -> str:
    path.parent.mkdir()
    path.write_bytes(content)
    try:
        return bounded(attempt, path, read)
    except StockpotError as error:
        return f"beyond its limits: {error}"
