"""Classifiers to break, and Classifiers to export, which tests of models share."""

import shutil

import pytest

from stockpot.merging.export import materialize_recipe
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights


@pytest.fixture
def zero_shot_copy(zero_shot, tmp_path):
    """A copy of the zero-shot Classifier to break."""
    return shutil.copytree(zero_shot, tmp_path / "classifier")


@pytest.fixture(scope="module")
def model_folders(zero_shot, runs, tmp_path_factory):
    """Folders: of classifiers as they are, of a linear recipe, of an interpolation at 0.3."""
    root = tmp_path_factory.mktemp("models")
    folders = {
        "zero-shot": zero_shot,
        **{name: runs[name] for name in ("a", "b", "linear")},
    }
    weights = {read_card(f).sha256: Weights(f) for f in folders.values()}
    sha = {name: read_card(folder).sha256 for name, folder in folders.items()}
    recipes = {
        "soup": uniform([sha["a"], sha["b"]]),
        "half way": interpolate(single(sha["zero-shot"]), single(sha["a"]), 0.3),
    }
    for name, recipe in recipes.items():
        materialize_recipe(root / name, recipe, weights, name)
        folders[name] = root / name
    return folders
