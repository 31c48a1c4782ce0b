"""The batches of a run: crops, labels, shots, and the share of a second set."""

from dataclasses import replace

import pytest
import torch

from stockpot.datasets import checked_images
from stockpot.datasets.dataset import read_dataset, spread_rows
from stockpot.models.card import read_card
from stockpot.models.tower import Normaliser
from stockpot.runtime.errors import StockpotError
from stockpot.training.images import few_shot, image_batches

pytestmark = pytest.mark.slow


def test_batches_crop_in_training_alone(world, zero_shot):
    data, card = read_dataset(world["train"]), read_card(zero_shot)
    batches = image_batches(data, card, 0.5, "cpu", limit=10)
    assert len(batches) == 10
    assert batches.labels.tolist() == data.labels[:10].tolist()
    plain = Normaliser(card.mean, card.std)(torch.from_numpy(data.images[:10].copy()))
    assert torch.equal(batches.prepare(batches.inputs, None), plain)
    generator = torch.Generator().manual_seed(0)
    assert not torch.equal(batches.prepare(batches.inputs, generator), plain)
    whole = image_batches(data, card, 1, "cpu")
    assert len(whole) == len(data)
    assert torch.equal(whole.prepare(whole.inputs[:10], generator), plain)


@pytest.mark.parametrize("wanted", ["limit", "shots"])
def test_only_the_images_that_are_taken_are_read(world, zero_shot, monkeypatch, wanted):
    data, card = read_dataset(world["train"]), read_card(zero_shot)
    if wanted == "limit":
        given = {"limit": 10}
        rows = spread_rows(data.labels, 10)
    else:
        given = {"spec": {"shots": 2, "shots_seed": 0}}
        rows = few_shot(data, 2, 0).numpy()
    digest_of, checked = checked_images.image_digest, []

    def count(image):
        checked.append(1)
        return digest_of(image)

    monkeypatch.setattr(checked_images, "image_digest", count)
    batches = image_batches(data, card, 1, "cpu", **given)
    assert len(checked) == len(rows) < len(data)
    whole = image_batches(data, card, 1, "cpu")
    assert torch.equal(batches.inputs, whole.inputs[rows])
    assert torch.equal(batches.labels, whole.labels[rows])


def test_labels_are_places_in_the_models_class_list(world, zero_shot):
    """A held-out set may list its classes in another order, or only some of them."""
    data, card = read_dataset(world["held-out"]), read_card(zero_shot)
    wanted = [data.class_names[label] for label in data.labels]
    turned = replace(
        data,
        class_names=data.class_names[::-1],
        labels=len(data.class_names) - 1 - data.labels,
    )
    places = image_batches(turned, card, 1, "cpu").labels
    assert [card.class_names[place] for place in places] == wanted
    foreign = replace(data, class_names=["zebra", *data.class_names[1:]])
    with pytest.raises(
        StockpotError, match=r"held-out: its class 'zebra' is not among .* 16"
    ):
        image_batches(foreign, card, 1, "cpu")


def test_training_does_not_write_into_the_data_set(world, zero_shot):
    before = read_dataset(world["train"]).images[:].tobytes()
    batches = image_batches(
        read_dataset(world["train"]), read_card(zero_shot), 1, "cpu"
    )
    batches.inputs += 1
    assert read_dataset(world["train"]).images[:].tobytes() == before


def test_shots_are_drawn_per_class_and_nested(world):
    data = read_dataset(world["train"])
    two, four = (few_shot(data, shots, 0) for shots in (2, 4))
    counts = torch.bincount(torch.from_numpy(data.labels[:])[two])
    assert set(counts.tolist()) == {2}
    assert set(two.tolist()) < set(four.tolist())
    assert few_shot(data, 2, 1).tolist() != two.tolist()
    with pytest.raises(
        StockpotError,
        match=r"^finetune.runs.run.shots: 50 wanted of every class, but train has 6",
    ):
        few_shot(data, 50, 0)


def test_joint_training_draws_its_share_from_the_second_set(world, zero_shot):
    from stockpot.training.images import mixed_batches

    card = read_card(zero_shot)
    first, second = (
        image_batches(read_dataset(world[name]), card, 1, "cpu")
        for name in ("train", "sketch")
    )
    for share, others in ((0.25, 24), (0.75, 72), (0.0, 0), (1.0, 96)):
        both = mixed_batches(first, second, share)
        order = both.order(torch.Generator().manual_seed(0))
        assert len(both) == len(order) == 96
        assert int((order >= 96).sum()) == others
        assert order.max() < 96 + 48
        own = order[order < 96]
        assert len(set(own.tolist())) == len(own), "no image of the first set twice"
    again = mixed_batches(first, second, 0.75).order(torch.Generator().manual_seed(0))
    assert torch.bincount(again[again >= 96] - 96, minlength=48).tolist().count(0) == 0
    assert again.tolist() != sorted(again.tolist()), "the two are shuffled"
