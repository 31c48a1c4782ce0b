"""Crops and changes of pixels, measured on images whose content is known."""

import math

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.training.augment import random_crop

pytestmark = pytest.mark.slow


@pytest.fixture
def pictures():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(32, 3, 32, 32, generator=generator)


def cropped(pictures, smallest, side=32, seed=0):
    return random_crop(pictures, smallest, side, torch.Generator().manual_seed(seed))


def test_a_crop_of_everything_is_the_image(pictures):
    assert (cropped(pictures, 1.0) - pictures).abs().max() < 1e-5


@pytest.mark.parametrize("side", [32, 24, 40])
def test_crops_have_the_wanted_side_and_the_images_range(pictures, side):
    crops = cropped(pictures, 0.5, side)
    assert crops.shape == (32, 3, side, side)
    assert crops.dtype == torch.float32
    assert crops.min() >= pictures.min() - 1e-6
    assert crops.max() <= pictures.max() + 1e-6


def test_crops_follow_from_the_generator_and_differ_per_image(pictures):
    assert torch.equal(cropped(pictures, 0.5), cropped(pictures, 0.5))
    assert not torch.equal(cropped(pictures, 0.5), cropped(pictures, 0.5, seed=1))
    same = pictures[:1].expand(32, -1, -1, -1).contiguous()
    assert len({crop.numpy().tobytes() for crop in cropped(same, 0.5)}) == 32


def test_crops_are_squares_inside_the_image_of_the_wanted_area():
    """Measured on a ramp: each crop shows an interval of it, in x and in y."""
    ramp = (torch.arange(64) + 0.5) / 64
    images = torch.stack(
        [ramp.expand(64, 64), ramp.expand(64, 64).T, torch.zeros(64, 64)]
    )
    crops = cropped(images.expand(400, -1, -1, -1).contiguous(), 0.5, 64)
    x, y = crops[:, 0, 32, :], crops[:, 1, :, 32]
    # Away from the border, where bilinear interpolation of a ramp is exact.
    width, height = ((z[:, 60] - z[:, 3]) * 64 / 57 for z in (x, y))
    assert torch.allclose(width, height, atol=1e-3)
    area = width * height
    assert area.min() > 0.5 - 1e-3
    assert area.max() < 1 + 1e-3
    assert area.min() < 0.55
    assert area.max() > 0.95
    assert abs(area.mean() - 0.75) < 0.03
    left, right = x[:, 32] - width / 2, x[:, 32] + width / 2
    assert left.min() > -0.02
    assert right.max() < 1.02
    assert abs((x[:, 32] - 0.5).mean()) < 0.02, "no side is preferred"


def test_pixels_are_changed_per_image_and_follow_from_the_generator(world):
    from stockpot.training.augment import pixel_augmentation

    images = torch.from_numpy(read_dataset(world["train"]).images[:1].copy()).expand(
        16, -1, -1, -1
    )
    assert (
        pixel_augmentation(
            {"flip_probability": 0.0, "color_jitter": 0.0, "randaugment_ops": 0}
        )
        is None
    )
    spec = {
        "flip_probability": 0.5,
        "color_jitter": 0.4,
        "randaugment_ops": 2,
        "randaugment_magnitude": 9,
    }
    augment = pixel_augmentation(spec)
    state = torch.random.get_rng_state()
    one, again, other = (
        augment(images, torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert one.dtype == torch.uint8
    assert one.shape == images.shape
    assert one.is_contiguous()
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert len({image.numpy().tobytes() for image in one}) > 12


def test_crops_may_be_wider_than_high(pictures):
    """Measured on ramps, as above; the widest is as much wider as asked for."""
    ramp = (torch.arange(64) + 0.5) / 64
    images = torch.stack(
        [ramp.expand(64, 64), ramp.expand(64, 64).T, torch.zeros(64, 64)]
    )
    generator = torch.Generator().manual_seed(0)
    crops = random_crop(
        images.expand(400, -1, -1, -1).contiguous(), 0.1, 64, generator, 2.0
    )
    x, y = crops[:, 0, 32, :], crops[:, 1, :, 32]
    width, height = ((z[:, 60] - z[:, 3]) / 57 for z in (x, y))
    stretch = (width / height).log()
    assert stretch.abs().max() < math.log(2) + 0.02
    assert stretch.abs().max() > 0.9 * math.log(2)
    assert abs(stretch.mean()) < 0.05
