"""Tests CIFAR-10, and the sets that are stored like it."""

from pathlib import Path

import numpy as np
import pytest

from stockpot.datasets import sources
from stockpot.datasets.prepare import prepare
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.solid_colours import COLOURS, labelled, prepared_dataset

CIFAR10 = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]


def cifar_images(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


def cifar_record(labels: list[int], image: np.ndarray) -> bytes:
    """The labels, then 1,024 values each of red, green and blue, row by row."""
    return bytes(labels) + b"".join(
        image[:, :, channel].tobytes() for channel in range(3)
    )


def test_cifar10_from_its_binary_files(tmp_path, painter):
    folder, images = tmp_path / "cifar-10-batches-bin", cifar_images(7)
    folder.mkdir()
    for batch in range(5):
        (folder / f"data_batch_{batch + 1}.bin").write_bytes(
            cifar_record([9 - batch], images[batch])
        )
    test = cifar_record([3], images[5]) + cifar_record([8], images[6])
    (folder / "test_batch.bin").write_bytes(test)
    train = prepared_dataset(
        "cifar10", tmp_path / "train", path=str(tmp_path), part="train"
    )
    assert train.class_names == CIFAR10
    assert train.labels.tolist() == [9, 8, 7, 6, 5]
    assert (train.images == images[:5]).all()
    data = prepared_dataset("cifar10", tmp_path / "test", path=str(folder), part="test")
    assert [data.class_names[label] for label in data.labels] == ["cat", "ship"]
    assert (data.images == images[5:]).all()

    (folder / "test_batch.bin").write_bytes(test[:-5])
    line = r"test_batch\.bin: 6141 bytes are no whole number of images of 3073"
    with pytest.raises(StockpotError, match=line):
        prepared_dataset("cifar10", tmp_path / "cut", path=str(folder), part="test")
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(
        StockpotError, match=r"own\.path: .* holds no data_batch_3\.bin"
    ):
        prepared_dataset("cifar10", tmp_path / "gone", path=str(folder), part="train")


def test_cifar100_has_the_fine_labels(tmp_path):
    folder, images = tmp_path / "cifar-100-binary", cifar_images(3)
    folder.mkdir()
    (folder / "train.bin").write_bytes(cifar_record([4, 99], images[0]))
    (folder / "test.bin").write_bytes(
        cifar_record([11, 0], images[1]) + cifar_record([1, 2], images[2])
    )
    data = prepared_dataset(
        "cifar100", tmp_path / "out", path=str(tmp_path), part="test"
    )
    assert [data.class_names[label] for label in data.labels] == ["apple", "baby"]
    assert (data.images == images[1:]).all()
    train = prepared_dataset(
        "cifar100", tmp_path / "train", path=str(tmp_path), part="train"
    )
    assert [train.class_names[label] for label in train.labels] == ["worm"]
    assert len(train.class_names) == 100
    assert train.class_names[1] == "aquarium_fish"
    entry = {"source": "cifar100", "part": "test"}
    assert (
        sources.module("cifar100").texts(entry, Path)["aquarium_fish"]
        == "aquarium fish"
    )


def test_cifar_is_resized_for_the_model(tmp_path, painter):
    """Coloured images, to be answered; the classes are the model's own, in another order."""
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[:] = np.array([COLOURS["red"], COLOURS["green"]])[:, None, None]
    folder = tmp_path / "datasets"
    folder.mkdir()
    np.save(folder / "cifar10.1_v6_data.npy", images)
    np.save(folder / "cifar10.1_v6_labels.npy", np.array([6, 1], np.int32))
    module = sources.module("cifar10-1")
    spec = encoded_spec("cifar10-1", 48, path=str(tmp_path))
    spec |= module.facts(spec, Path, "key")
    prepare(tmp_path / "large", spec)
    assert np.load(tmp_path / "large/images.npy").shape == (2, 48, 48, 3)
    data = prepared_dataset("cifar10-1", tmp_path / "out", path=str(tmp_path))
    assert labelled(data) == [("red", "frog"), ("green", "automobile")]
    answered = painter.ask(data, CIFAR10[::-1], {"red": "frog", "green": "truck"})
    assert answered.names == ["frog", "truck"]
    assert answered.score["k"] == 1


def test_cifar10_2_from_its_file(tmp_path):
    images, labels = cifar_images(2), np.array([9, 0])
    file = tmp_path / "cifar102_test.npz"
    np.savez(file, images=images, labels=labels, label_names=np.array(CIFAR10))
    data = prepared_dataset("cifar10-2", tmp_path / "out", path=str(tmp_path))
    assert data.labels.tolist() == [9, 0]
    assert (data.images == images).all()
    for change, line in (
        (
            {"images": images[:, :, :, 0]},
            r"uint8 \[2, 32, 32\], not uint8 \[2, 32, 32, 3\]",
        ),
        ({"images": images / 255}, "images are float64"),
        ({"labels": labels[:1]}, "for 1 labels"),
        ({"labels": np.array([{}, []], object)}, "not readable .*allow_pickle=False"),
    ):
        np.savez(file, **{"images": images, "labels": labels, **change})
        with pytest.raises(StockpotError, match=rf"cifar102_test\.npz: .*{line}"):
            prepared_dataset("cifar10-2", tmp_path / "wrong", path=str(tmp_path))
    np.savez(file, images=images)
    with pytest.raises(
        StockpotError, match=r"cifar102_test\.npz: not readable \(KeyError"
    ):
        prepared_dataset("cifar10-2", tmp_path / "wrong", path=str(tmp_path))


def test_pickled_arrays_are_never_read(tmp_path):
    for name in ("data", "labels"):
        np.save(tmp_path / f"cifar10.1_v6_{name}.npy", np.array([print, 1], object))
    with pytest.raises(
        StockpotError, match=r"v6_data\.npy: not readable .*allow_pickle=False"
    ):
        prepared_dataset("cifar10-1", tmp_path / "out", path=str(tmp_path))
