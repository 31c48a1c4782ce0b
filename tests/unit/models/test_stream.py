"""A safetensors file and a digest of tensors that come one by one."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from stockpot.models.stream import SafetensorsWriter, TensorDigest
from tests.support.tensors import tensor_digest

pytestmark = pytest.mark.slow


@pytest.fixture
def tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        "odd": torch.randn(3, generator=generator),
        "half": torch.randn(5, generator=generator).bfloat16(),
        "counter": torch.tensor(7),
        "flag": torch.tensor([True, False, True]),
        "zérø": torch.randn(3, 2, generator=generator).T,
        "empty": torch.zeros(0, 4),
    }


def shapes_of(tensors) -> dict:
    kinds = {
        torch.float32: "F32",
        torch.bfloat16: "BF16",
        torch.int64: "I64",
        torch.bool: "BOOL",
    }
    return {name: (list(t.shape), kinds[t.dtype]) for name, t in tensors.items()}


@pytest.mark.parametrize("backwards", [False, True])
def test_a_file_written_in_pieces_is_the_librarys(tensors, tmp_path, backwards):
    with SafetensorsWriter(
        tmp_path / "ours", shapes_of(tensors), {"card": "0"}
    ) as file:
        for name in sorted(tensors, reverse=backwards):
            file.write(name, tensors[name])
        file.finish({"card": "1"})
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, tmp_path / "theirs", {"card": "1"})
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    loaded = load_file(tmp_path / "ours")
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_a_file_in_pieces_is_whole_or_refused(tensors, tmp_path):
    with SafetensorsWriter(
        tmp_path / "file", shapes_of(tensors), {"card": "0"}
    ) as file:
        with pytest.raises(ValueError, match="odd: 16 bytes for a place of 12"):
            file.write("odd", torch.zeros(4))
        file.write("odd", torch.zeros(2))
        for name in list(tensors)[1:]:
            file.write(name, tensors[name])
        with pytest.raises(ValueError, match="odd"):
            file.finish({"card": "1"})
        file.write("odd", tensors["odd"])
        with pytest.raises(ValueError, match="another length"):
            file.finish({"card": "1" * 9})


def test_a_tensor_may_come_in_parts(tensors, tmp_path):
    with SafetensorsWriter(
        tmp_path / "file", shapes_of(tensors), {"card": "0"}
    ) as file:
        for name, tensor in tensors.items():
            before = 0
            for part in tensor.reshape(-1).split(2):
                file.write(name, part, before)
                before += part.nbytes
        file.finish({"card": "1"})
    found = load_file(tmp_path / "file")
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_a_digest_of_tensors_that_come_one_by_one(tensors):
    digest = TensorDigest()
    for name in sorted(tensors):
        digest.add(name, tensors[name])
    assert digest.hexdigest() == tensor_digest(tensors)
    other = TensorDigest()
    other.add("odd", tensors["odd"])
    assert other.hexdigest() != digest.hexdigest()
