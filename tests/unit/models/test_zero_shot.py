"""The zero-shot head and the zero-shot Classifier of the embedded model."""

import pytest
import torch
from safetensors.torch import save_file

from stockpot.datasets.dataset import read_card as read_dataset_card
from stockpot.datasets.dataset import read_dataset
from stockpot.models.card import CARD, read_card
from stockpot.models.classifier import WEIGHTS as FILE
from stockpot.models.clip import create_clip
from stockpot.models.files import WEIGHTS
from stockpot.models.load import load_classifier
from stockpot.models.third_party import open_clip
from stockpot.models.tower import Normaliser
from stockpot.models.zero_shot import load_clip, write_zero_shot, zero_shot_head
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ARCHITECTURE
from tests.support.short_runs import PROMPTS

CLASSES = ["ball", "box", "star", "moon", "key", "fish", "heart"]


def direct_head(model, tokenize, classes, prompts):
    """WiSE-FT section 3 written out: one class and one prompt at a time."""
    rows = []
    with torch.no_grad():
        for name in classes:
            texts = [
                model.encode_text(tokenize([prompt.format(name)]))[0]
                for prompt in prompts
            ]
            mean = torch.stack([text / text.norm() for text in texts]).mean(0)
            rows.append(mean / mean.norm())
        return torch.stack(rows), model.logit_scale.exp()


@pytest.mark.parametrize("per_batch", [1, 3, 64])
@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:1]])
def test_head_is_the_mean_of_unit_texts_times_the_scale(clip, prompts, per_batch):
    unit, scale = direct_head(*clip, CLASSES, prompts)
    head = zero_shot_head(*clip, CLASSES, prompts, per_batch)
    assert head.dtype == torch.float32
    assert head.shape == (len(CLASSES), unit.shape[1])
    assert head.is_contiguous()
    assert not head.requires_grad
    assert (head / scale - unit).abs().max() < 1e-6
    assert torch.allclose(head.norm(dim=1), scale.expand(len(CLASSES)), rtol=1e-6)


@pytest.mark.parametrize("per_batch", [None, 2])
def test_head_is_that_of_open_clip_times_the_scale(clip, per_batch):
    model, tokenize = clip
    expected = open_clip.build_zero_shot_classifier(
        model, tokenize, CLASSES, PROMPTS, num_classes_per_batch=per_batch
    )
    scale = model.logit_scale.exp().detach()
    head = zero_shot_head(model, tokenize, CLASSES, PROMPTS)
    assert (head - expected.T * scale).abs().max() < 1e-6 * scale


def test_prompts_and_classes_count(clip):
    head = zero_shot_head(*clip, CLASSES, PROMPTS)
    backwards = zero_shot_head(*clip, CLASSES[::-1], PROMPTS).flip(0)
    assert torch.allclose(backwards, head, atol=1e-4)
    assert not torch.allclose(
        zero_shot_head(*clip, CLASSES, PROMPTS[:1]), head, atol=1e-2
    )


def test_zero_shot_classifier_is_the_whole_clip_model(clip, zero_shot, world):
    """Its logits are scale * cosine of image and class, as CLIP's own."""
    model, tokenize = clip
    data = read_dataset(world["test"])
    loaded, card = load_classifier(zero_shot)
    images = Normaliser(card.mean, card.std)(torch.from_numpy(data.images[:16].copy()))
    unit, scale = direct_head(model, tokenize, card.class_names, PROMPTS)
    with torch.no_grad():
        expected = scale * model.encode_image(images, normalize=True) @ unit.T
        found = loaded(images)
    assert torch.allclose(found, expected, atol=1e-4)
    assert torch.equal(loaded.head.bias, torch.zeros(len(card.class_names)))
    assert card.class_names == read_dataset_card(world["train"])["class_names"]
    assert card.kind == "zero-shot"
    assert card.start == ""
    assert card.status == "ok"
    assert card.image_size == 32
    assert card.normalise


def test_zero_shot_model_knows_something(zero_shot, world):
    data = read_dataset(world["test"])
    loaded, card = load_classifier(zero_shot)
    with torch.no_grad():
        logits = loaded(
            Normaliser(card.mean, card.std)(torch.from_numpy(data.images.copy()))
        )
    right = (logits.argmax(1) == torch.from_numpy(data.labels)).float().mean()
    assert right > 3 / len(card.class_names), "chance is one in sixteen"


def test_weights_of_another_model_are_named(tmp_path, world):
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(
        StockpotError, match=r"other\.safetensors: not weights of .*mini_clip"
    ):
        load_clip(ARCHITECTURE, tmp_path / "other.safetensors")
    tensors = dict(create_clip(ARCHITECTURE).state_dict())
    tensors["visual.proj"] = torch.zeros(3, 3)
    save_file(tensors, tmp_path / "shape.safetensors")
    with pytest.raises(
        StockpotError, match=r"shape\.safetensors: not weights of .*size"
    ):
        load_clip(ARCHITECTURE, tmp_path / "shape.safetensors")


@pytest.mark.parametrize(
    "data", [b"", b"no weights at all", b"\x08\0\0\0\0\0\0\0{}      "]
)
def test_files_that_are_no_weights_are_named(tmp_path, data):
    (tmp_path / "broken.safetensors").write_bytes(data)
    with pytest.raises(StockpotError, match=r"broken\.safetensors: not weights"):
        load_clip(ARCHITECTURE, tmp_path / "broken.safetensors")


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(StockpotError, match=r"nowhere\.safetensors: not weights"):
        load_clip(ARCHITECTURE, tmp_path / "nowhere.safetensors")


def test_writing_the_zero_shot_model_twice_gives_the_same_bytes(zero_shot, tmp_path):
    card = read_card(zero_shot)
    spec = {**card.spec, "classes": card.class_names}
    # A card says where it belongs, so the folders have one name.
    again = tmp_path / zero_shot.parent.name / zero_shot.name
    write_zero_shot(again, ARCHITECTURE, ARCHITECTURE / WEIGHTS, spec)
    for file in (FILE, CARD):
        assert (again / file).read_bytes() == (zero_shot / file).read_bytes()
