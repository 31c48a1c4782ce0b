"""A baseline sees its images and no others."""

import pytest

from stockpot.datasets.dataset import read_dataset
from stockpot.runtime.errors import StockpotError
from stockpot.training import loop
from tests.support.small_training import train_run

pytestmark = pytest.mark.slow


def test_a_standard_model_sees_only_its_images(world, zero_shot, tmp_path, monkeypatch):
    fewer = train_run(world, zero_shot, tmp_path / "fewer", "scratch", images=32)
    more = train_run(world, zero_shot, tmp_path / "more", "scratch", images=40)
    assert fewer.sha256 != more.sha256
    labels, fit_ = [], loop.fit

    def logged(model, train_set, *arguments):
        labels.extend(train_set.labels.tolist())
        return fit_(model, train_set, *arguments)

    monkeypatch.setattr("stockpot.training.variants.from_scratch.fit", logged)
    train_run(world, zero_shot, tmp_path / "again", "scratch", images=32)
    assert labels == read_dataset(world["train"]).labels[:32].tolist()


def test_a_last_batch_of_one_image_can_be_trained_on(world, zero_shot, tmp_path):
    """Batch normalisation cannot take a single image once the tower has shrunk it to a pixel."""
    card = train_run(world, zero_shot, tmp_path / "out", "scratch", images=33)
    assert card.status == "ok"


def test_a_standard_model_with_more_images_than_there_are_is_an_error(
    world, zero_shot, tmp_path
):
    """As an adversarial set that wants more images than there are."""
    with pytest.raises(StockpotError, match="97"):
        train_run(world, zero_shot, tmp_path / "out", "scratch", images=97)
