"""Models: the zero-shot head, the Classifier file, towers and normalisation."""

import json
import re
import shutil
from dataclasses import asdict

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stockpot.datasets.dataset import read_card as read_dataset_card
from stockpot.datasets.dataset import read_dataset
from stockpot.models.card import CARD, Card, read_card
from stockpot.models.classifier import (
    HEAD,
    TOWER,
    Weights,
    model_digest,
    write_classifier,
)
from stockpot.models.classifier import WEIGHTS as FILE
from stockpot.models.clip import create_clip, tokenizer
from stockpot.models.device import pick_device, pick_precision
from stockpot.models.files import WEIGHTS
from stockpot.models.load import load_classifier
from stockpot.models.third_party import open_clip
from stockpot.models.tower import ImageClassifier, Normaliser, build_tower
from stockpot.models.zero_shot import load_clip, write_zero_shot, zero_shot_head
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.kept_files import LAST
from stockpot.runtime.sealed import read_sealed, write_sealed
from tests.support.paths import ARCHITECTURE
from tests.support.short_runs import PROMPTS, RUNS
from tests.support.tensors import tensor_digest

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


def test_create_clip_loads_the_files_weights_and_knows_open_clips_names():
    ours = create_clip(ARCHITECTURE).state_dict()
    with safe_open(ARCHITECTURE / WEIGHTS, framework="pt") as file:
        assert set(file.keys()) == set(ours)
        assert all(torch.equal(file.get_tensor(name), ours[name]) for name in ours)
    assert tokenizer("ViT-B-32").context_length == 77


def card_of(**changes) -> Card:
    settings = {
        "name": "x",
        "kind": "test",
        "architecture": {"library": "timm", "name": "y"},
        "class_names": ["a", "b"],
        "normalise": False,
        "mean": [0.5, 0.25, 0.125],
        "std": [0.5, 0.5, 0.5],
        "image_size": 8,
        "spec": {"lr": 1.0e-4, "of": ["ä", None]},
        "history": [{"epoch": 1, "loss": 0.1}],
    }
    return Card(**{**settings, **changes})


@pytest.fixture
def tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        "visual.b": torch.randn(3, 2, generator=generator),
        "visual.a": torch.tensor([0.0, -0.0, torch.inf, torch.nan, 1e-45]),
        "visual.half": torch.randn(2, 2, generator=generator).bfloat16(),
        "visual.steps": torch.tensor(7),
        "head.weight": torch.randn(2, 4, generator=generator).T,
        "head.bias": torch.randn(2, generator=generator),
    }


def raw(tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def test_classifiers_round_trip_bit_by_bit(tensors, tmp_path):
    card = write_classifier(tmp_path, card_of(), tensors)
    weights = Weights(tmp_path)
    assert weights.names == sorted(tensors)
    for name, tensor in tensors.items():
        assert weights[name].dtype == tensor.dtype
        assert weights[name].shape == tensor.shape
        assert raw(weights[name]) == raw(tensor)
        shape, _ = weights.shapes()[name]
        assert shape == list(tensor.shape)
    assert weights.card == card == read_card(tmp_path)
    assert {**asdict(card), "sha256": "", "tower_sha256": ""} == asdict(card_of())


def test_the_weights_file_describes_itself(tensors, tmp_path):
    """Everything on the card but the training history is in the file's own metadata."""
    card = write_classifier(tmp_path, card_of(), tensors)
    with safe_open(tmp_path / FILE, framework="pt") as file:
        metadata = file.metadata()
    assert set(metadata) == {"card"}
    found = json.loads(metadata["card"])
    assert found == {
        key: value for key, value in asdict(card).items() if key != "history"
    }


def test_digests_of_the_card_cover_what_they_say(tensors, tmp_path):
    card = write_classifier(tmp_path, card_of(), tensors)
    assert card.sha256 == model_digest(card, tensors) != tensor_digest(tensors)
    tower = {name: tensor for name, tensor in tensors.items() if name.startswith(TOWER)}
    assert card.tower_sha256 == tensor_digest(tower)
    tensors["head.bias"] = tensors["head.bias"] + 1
    other = write_classifier(tmp_path / "other", card_of(), tensors)
    assert other.sha256 != card.sha256
    assert other.tower_sha256 == card.tower_sha256


def test_writing_copies_and_leaves_the_tensors_alone(tensors, tmp_path):
    shared = torch.zeros(4)
    tensors |= {"head.weight": shared.view(2, 2), "head.bias": shared[:2]}
    write_classifier(tmp_path, card_of(), tensors)
    shared += 1
    assert torch.equal(Weights(tmp_path)["head.bias"], torch.zeros(2))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([FILE, CARD, LAST])


def test_tensor_digest_does_not_see_the_order(tensors):
    assert tensor_digest(dict(reversed(tensors.items()))) == tensor_digest(tensors)
    strided = {**tensors, "visual.b": tensors["visual.b"].T.contiguous().T}
    assert tensor_digest(strided) == tensor_digest(tensors)


def flip(tensor, bit):
    data = tensor.contiguous().clone()
    data.reshape(-1).view(torch.uint8)[bit // 8] ^= 1 << (bit % 8)
    return data


@pytest.mark.parametrize(
    "change",
    {
        "lowest bit": lambda t: {**t, "visual.b": flip(t["visual.b"], 0)},
        "last bit": lambda t: {**t, "visual.b": flip(t["visual.b"], 3 * 2 * 32 - 1)},
        "sign of zero": lambda t: {**t, "visual.a": flip(t["visual.a"], 31)},
        "counter": lambda t: {**t, "visual.steps": t["visual.steps"] + 1},
        "name": lambda t: {
            ("visual.c" if n == "visual.b" else n): v for n, v in t.items()
        },
        "order in a tensor": lambda t: {**t, "head.bias": t["head.bias"].flip(0)},
        "type of the same bytes": lambda t: {
            **t,
            "visual.b": t["visual.b"].view(torch.int32),
        },
        "precision": lambda t: {**t, "visual.b": t["visual.b"].double()},
        "shape": lambda t: {**t, "visual.b": t["visual.b"].reshape(2, 3)},
        "one more axis": lambda t: {**t, "visual.b": t["visual.b"][None]},
        "one more": lambda t: {**t, "visual.z": torch.zeros(0)},
        "one less": lambda t: {n: v for n, v in t.items() if n != "head.bias"},
    }.items(),
    ids=lambda item: item[0],
)
def test_tensor_digest_sees_everything_else(tensors, change):
    assert tensor_digest(change[1](tensors)) != tensor_digest(tensors)


@pytest.fixture
def written(zero_shot, tmp_path):
    """A copy of the zero-shot Classifier to break."""
    return shutil.copytree(zero_shot, tmp_path / "classifier")


def refused(folder, file):
    with pytest.raises(StockpotError, match=re.escape(str(folder / file))) as error:
        Weights(folder)
    return str(error.value)


@pytest.mark.parametrize("where", [0.3, 0.7, 1.0])
def test_a_corrupted_byte_is_found(written, where):
    path = written / FILE
    data = bytearray(path.read_bytes())
    data[int(where * (len(data) - 1))] ^= 0x10
    path.write_bytes(data)
    refused(written, FILE)
    with pytest.raises(StockpotError):
        load_classifier(written)


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.999])
def test_a_truncated_file_is_named(written, keep):
    path = written / FILE
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    refused(written, FILE)


def test_a_missing_weights_file_is_named(written):
    (written / FILE).unlink()
    refused(written, FILE)


def test_weights_of_another_classifier_are_found(written, runs):
    shutil.copy(runs["a"] / FILE, written / FILE)
    assert CARD in refused(written, FILE)


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"name": 1}', '"card"'])
def test_a_broken_card_is_named(written, text):
    path = written / CARD
    path.unlink() if text is None else path.write_text(text)
    refused(written, CARD)


def test_a_card_with_an_unknown_key_is_named(written):
    path = written / CARD
    write_sealed(path, {**read_sealed(path), "colour": "red"})
    assert "colour" in refused(written, CARD)


def test_a_diverged_run_has_no_weights(tmp_path):
    status = "diverged (the loss became nan in epoch 1, step 2)"
    write_classifier(tmp_path, card_of(name="hot", status=status), {})
    message = refused(tmp_path, FILE)
    assert "hot" in message
    assert status in message
    with pytest.raises(StockpotError, match="hot"):
        load_classifier(tmp_path)


@pytest.mark.parametrize("name", ["zero-shot", *RUNS])
def test_a_tower_is_rebuilt_from_the_metadata_alone(runs, zero_shot, world, name):
    folder = zero_shot if name == "zero-shot" else runs[name]
    with safe_open(folder / FILE, framework="pt") as file:
        metadata = json.loads(file.metadata()["card"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    head = tensors["head.weight"]
    model = ImageClassifier(
        build_tower(metadata["architecture"]),
        head.shape[1],
        len(head),
        normalise=metadata["normalise"],
    ).eval()
    model.load_state_dict(tensors, strict=True)
    loaded, card = load_classifier(folder)
    assert len(head) == len(card.class_names)
    assert not loaded.training
    images = torch.from_numpy(read_dataset(world["test"]).images[:8].copy())
    x = Normaliser(metadata["mean"], metadata["std"])(images)
    with torch.no_grad():
        assert torch.equal(model(x), loaded(x))
        lengths = loaded.features(x).norm(dim=1)
    assert torch.allclose(lengths, torch.ones(8), atol=1e-6) == metadata["normalise"]


def test_a_loaded_model_shares_no_memory_with_the_file(written):
    before = (written / FILE).read_bytes()
    model, _ = load_classifier(written)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1
    assert (written / FILE).read_bytes() == before
    again, card = load_classifier(written)
    assert model_digest(card, again.state_dict()) == card.sha256


def test_names_of_the_tensors_are_tower_and_head(runs):
    for name in RUNS:
        assert {n.split(".")[0] + "." for n in Weights(runs[name]).names} == {
            TOWER,
            HEAD,
        }


def test_towers_of_timm():
    architecture = RUNS["scratch"]["architecture"]
    tower = build_tower(architecture)
    features = tower(torch.zeros(2, 3, 32, 32))
    assert features.shape == (2, tower.num_features)
    assert features.dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "resnet1800"}, "architecture: .*'resnet1800'"),
        ({"options": {"colour": "red"}}, "architecture: .*colour"),
        (
            {"library": "keras"},
            "architecture.library: 'keras' is not one of open_clip, timm",
        ),
    ],
)
def test_towers_that_cannot_be_built_are_named(change, words):
    with pytest.raises(StockpotError, match=words):
        build_tower({**RUNS["scratch"]["architecture"], **change})


OPENAI = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])


@pytest.mark.parametrize(("mean", "std"), [OPENAI, ([0.5] * 3, [0.25] * 3)])
def test_normaliser_is_torchvisions(mean, std):
    from torchvision import transforms

    every = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    images = torch.cat([every.repeat(1, 1, 1, 3), every.flip(1).repeat(1, 1, 1, 3)])
    images[1, :, :, 1] = 255 - images[1, :, :, 1]
    reference = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(mean, std)]
    )
    expected = torch.stack([reference(image.numpy()) for image in images])
    found = Normaliser(mean, std)(images)
    assert found.shape == (2, 3, 16, 16)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < 1e-6
    half = Normaliser(mean, std, dtype=torch.bfloat16)(images)
    assert torch.equal(half, found.to(torch.bfloat16))


def test_precision_is_that_wanted_or_that_of_the_device():
    device = pick_device()
    for wanted in ("bf16", "fp32"):
        assert pick_precision(wanted, device) == wanted
    assert pick_precision("auto", device) in ("bf16", "fp32")


@pytest.mark.parametrize(("fast", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_follows_the_device(monkeypatch, fast, expected):
    """A GPU that only emulates bf16 says that it is supported unless it is asked exactly."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: including_emulation | fast,
    )
    assert [pick_precision("auto", device) for device in ("cpu", "cuda")] == [
        expected
    ] * 2
