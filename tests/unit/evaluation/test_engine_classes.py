"""Logits for classes that are merged or in another order, and for larger images."""

import numpy as np
import pytest
import torch
from PIL import Image

from stockpot.datasets.dataset import Scoring, read_dataset, write_dataset
from stockpot.evaluation.engine import Engine
from stockpot.merging.recipe import single
from stockpot.models.classifier import Weights
from stockpot.models.tower import Normaliser
from stockpot.runtime.errors import StockpotError
from tests.support.scored_datasets import dataset_kept_as, logits_of


def test_a_merged_class_has_the_largest_logit_of_its_classes(
    zero_shot, world_test_set, tmp_path
):
    """Beside one that is not merged, in another order than the model's, with one class twice."""
    names = world_test_set.class_names
    merges = {"any": [names[9], names[0], names[4]], "odd": [names[4], names[2]]}
    classes = ["odd", names[7], "any"]
    labels = np.zeros(len(world_test_set), int)
    data = dataset_kept_as(
        world_test_set, tmp_path, "merged", Scoring(merges=merges), labels, classes
    )
    whole, found = (
        logits_of(zero_shot, given).numpy() for given in (world_test_set, data)
    )
    columns = [[4, 2], [7], [9, 0, 4]]
    expected = np.stack([whole[:, places].max(1) for places in columns], 1)
    assert np.allclose(found, expected, atol=1e-5)
    assert found.shape == (len(world_test_set), 3)


def test_merges_count_where_the_class_list_is_the_models(
    zero_shot, world_test_set, tmp_path
):
    names = world_test_set.class_names
    merges = {names[0]: names[:2], names[1]: [names[0]]}
    data = dataset_kept_as(world_test_set, tmp_path, "merged", Scoring(merges=merges))
    whole, found = (
        logits_of(zero_shot, given).numpy() for given in (world_test_set, data)
    )
    expected = np.column_stack([whole[:, :2].max(1), whole[:, 0], whole[:, 2:]])
    assert np.allclose(found, expected, atol=1e-5)


def test_classes_in_another_order_are_those_columns(
    zero_shot, world_test_set, tmp_path
):
    data = dataset_kept_as(
        world_test_set,
        tmp_path,
        "back",
        Scoring(),
        classes=world_test_set.class_names[::-1],
    )
    whole, found = (logits_of(zero_shot, given) for given in (world_test_set, data))
    assert torch.allclose(found, whole.flip(1), atol=1e-5)


def test_a_merged_class_that_the_model_lacks_is_named(
    zero_shot, world_test_set, tmp_path
):
    merges = {world_test_set.class_names[3]: [world_test_set.class_names[3], "teapot"]}
    data = dataset_kept_as(world_test_set, tmp_path, "odd", Scoring(merges=merges))
    with pytest.raises(
        StockpotError, match=r"^odd: its class 'teapot' is not among .* 16 classes"
    ):
        logits_of(zero_shot, data)


def test_images_stored_larger_are_seen_resized(zero_shot, world_test_set, tmp_path):
    """As torchvision resizes them; Pillow's rounding to whole numbers is not far."""
    from stockpot.models.third_party import transforms

    large = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((48, 48), Image.BILINEAR))
            for image in world_test_set.images
        ]
    )
    write_dataset(
        tmp_path / "large",
        "large",
        large,
        world_test_set.labels,
        world_test_set.class_names,
        {},
    )
    found = logits_of(zero_shot, read_dataset(tmp_path / "large"))
    weights = Weights(zero_shot)
    engine = Engine({weights.card.sha256: weights}, "fp32")
    resize = transforms.Resize(32, transforms.InterpolationMode.BICUBIC, antialias=True)
    with torch.no_grad():
        pixels = resize(
            Normaliser(weights.card.mean, weights.card.std)(torch.from_numpy(large))
        )
        engine.logits(single(weights.card.sha256), world_test_set)
        expected = engine.model.head(engine.model.features(pixels))
    assert torch.allclose(found, expected, atol=1e-4)
    small = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((32, 32), Image.BICUBIC))
            for image in large
        ]
    )
    write_dataset(
        tmp_path / "small",
        "small",
        small,
        world_test_set.labels,
        world_test_set.class_names,
        {},
    )
    near = logits_of(zero_shot, read_dataset(tmp_path / "small"))
    assert (found - near).abs().max() < 0.1 * found.std()
