"""Tests rendered images: what they show, and what they follow from."""

import numpy as np
import pytest

from stockpot.datasets import sources
from stockpot.datasets.sources.world import TASKS
from stockpot.datasets.world.distributions import DISTRIBUTIONS, WEB
from stockpot.datasets.world.render import render
from stockpot.datasets.world.scene import sample_scenes
from stockpot.datasets.world.web import KINDS as WEB_KINDS
from tests.support.interpreter import python
from tests.support.rendered_sets import captioned_scenes, check_form, rendered_world


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_rendered_tasks_are_balanced_and_the_same_twice(task):
    made, again = (rendered_world(task=task, images=100) for _ in range(2))
    check_form(made, 100, 32)
    counts = np.bincount(made[1], minlength=len(made[2]))
    assert counts.max() - counts.min() <= 1
    assert made[0].tobytes() == again[0].tobytes()
    assert made[1].tobytes() == again[1].tobytes()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_distribution_renders_images_with_something_on_them(distribution):
    images, labels, classes = rendered_world(distribution=distribution, images=32)
    check_form((images, labels, classes), 32, 32)
    assert images.reshape(32, -1).std(1).min() > 5
    assert len({image.tobytes() for image in images}) == 32


def test_name_seed_and_distribution_each_give_other_images():
    base = {image.tobytes() for image in rendered_world()[0]}
    for change in (
        {"name": "y"},
        {"seed": 1},
        {"distribution": "sketch"},
        {"task": "digits"},
    ):
        assert base.isdisjoint(
            image.tobytes() for image in rendered_world(**change)[0]
        ), change


def test_labels_are_what_is_drawn():
    """The label is the scene's shape, and scenes that differ in shape alone look different."""
    scenes = sample_scenes(
        DISTRIBUTIONS["typeset"], 32, np.random.default_rng(0), classes=16
    )
    before = render(scenes)
    scenes.shape = (scenes.shape + 1) % 16
    changed = (render(scenes) != before).reshape(32, -1).mean(1)
    assert changed.min() > 0.02


@pytest.mark.parametrize("tied", [True, False])
def test_ties_hold_on_the_reference_alone(tied):
    distribution = DISTRIBUTIONS["reference" if tied else "objectnet"]
    scenes = sample_scenes(distribution, 4000, np.random.default_rng(0), classes=16)
    favourite = np.mean(scenes.background == scenes.shape % 8)
    assert abs(favourite - (0.8 + 0.2 / 8 if tied else 1 / 8)) < 0.03


def test_blocks_do_not_show():
    """An image does not depend on how many are drawn with it, but for its noise."""
    scenes = sample_scenes(WEB, 150, np.random.default_rng(1), WEB_KINDS)
    scenes.noise[:] = 0
    whole, part = render(scenes), render(scenes.take(np.arange(70, 110)))
    assert np.abs(whole[70:110].astype(int) - part).max() <= 1


HASHES = """
import hashlib, json
from stockpot.datasets.sources import load
from stockpot.datasets.world.web import web_batch
spec = {"name": "x", "seed": 0, "distribution": "reference", "images": 48, "image_size": 32}
out = {}
for task in ("objects", "digits", "textures"):
    made = load("world")({**spec, "task": task})
    images, labels = made.images, made.labels
    out[task] = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
images, texts = web_batch(64, 0, 3)
out["web"] = hashlib.sha256(images.tobytes() + "\\n".join(texts).encode()).hexdigest()
made = load("handwriting")({"part": "held-out", "seed": 1, "image_size": 8})
scans, labels = made.images, made.labels
out["handwriting"] = hashlib.sha256(scans.tobytes() + labels.tobytes()).hexdigest()
print(json.dumps(out))
"""


@pytest.mark.process
@pytest.mark.slow
def test_two_processes_render_the_same_bytes():
    first, second = (python(HASHES, hash_seed) for hash_seed in (1, 2))
    assert first == second
    assert len(set(first.values())) == 5


def test_scenes_are_picked_by_row():
    scenes = captioned_scenes()[0]
    picked = scenes.take(np.array([5, 3]))
    assert len(picked) == 2
    assert picked.noise_seed.tolist() == scenes.noise_seed[[5, 3]].tolist()
    assert picked.shift.shape == (2, 2)


@pytest.mark.parametrize("side", [32, 48])
def test_rendered_images_have_the_side_that_the_model_wants(side):
    entry = {"task": "objects", "distribution": "v2", "images": 3}
    images = sources.load("world")(
        {"name": "x", "seed": 0, "image_size": side, **entry}
    ).images
    assert images.shape == (3, side, side, 3)
