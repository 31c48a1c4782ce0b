"""Random models, small networks, soups and models of elsewhere that tests of merging share."""

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging import methods
from stockpot.merging.make_merge import make_soup
from stockpot.models.card import read_card
from stockpot.models.classifier import write_classifier
from stockpot.runtime.registry import defaults
from tests.support import third_party_checkpoints as foreign
from tests.support.adopted_checkpoints import start_card, tuned, visual_of
from tests.support.classifiers import ENGINE_SPEC
from tests.support.merge_methods import random_model, small_network


@pytest.fixture
def random_models():
    return {
        "start": random_model(0),
        **{f"sha-{n}": random_model(i + 1) for i, n in enumerate("abcd")},
    }


@pytest.fixture
def images_and_labels():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 5, (40,), generator=generator)


@pytest.fixture
def networks():
    torch.manual_seed(2)
    return [
        {n: t.clone() for n, t in small_network().state_dict().items()}
        for _ in range(4)
    ]


@pytest.fixture
def soup_of(world, zero_shot, runs, tmp_path):
    """A function: folders of ingredients -> the soup that the workflow would make of them."""

    def make(*folders, start=zero_shot, method="uniform", **given):
        spec = {
            "name": "x",
            "method": method,
            **defaults(methods.options(method)),
            **ENGINE_SPEC,
            **given,
        }
        held_out, train = read_dataset(world["held-out"]), read_dataset(world["train"])
        context = FolderContext(
            spec, [start, *folders], held_out, [train], tmp_path / "store"
        )
        return make_soup([read_card(folder) for folder in folders], context)

    return make


@pytest.fixture(scope="module")
def tiny_clip():
    torch.manual_seed(0)
    return foreign.CLIP().eval()


@pytest.fixture(scope="module")
def tiny_start(tiny_clip, tmp_path_factory):
    """The zero-shot Classifier of the small CLIP model."""
    head = {"head.weight": torch.randn(5, 12), "head.bias": torch.zeros(5)}
    folder = tmp_path_factory.mktemp("start")
    write_classifier(folder, start_card(), visual_of(tiny_clip) | head)
    return folder


@pytest.fixture(scope="module")
def tuned_classifier(tiny_clip):
    """wise-ft's, fine-tuned from the CLIP model."""
    found = foreign.ImageClassifier()
    found.image_encoder.model.load_state_dict(tiny_clip.state_dict(), strict=False)
    return tuned(found, 1)


@pytest.fixture(scope="module")
def tuned_soup(tiny_clip):
    """model-soups', fine-tuned from the CLIP model."""
    found = foreign.ModelWrapper()
    found.model.load_state_dict(tiny_clip.state_dict(), strict=False)
    return tuned(found, 2)
