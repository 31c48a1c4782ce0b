"""Weights from files, hubs and chance in open_clip's layout."""

import copy
import json
import shutil
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from stockpot.models.clip import create_clip, tokenizer
from stockpot.models.files import CONFIG, WEIGHTS
from stockpot.models.hub_models import RANDOM
from stockpot.models.import_weights import write_model
from stockpot.models.third_party import open_clip, timm
from stockpot.models.tower import build_tower
from stockpot.models.zero_shot import load_clip
from stockpot.runtime.errors import StockpotError
from tests.support import third_party_checkpoints as foreign
from tests.support.paths import ARCHITECTURE
from tests.support.third_party_checkpoints import hub_folder

pytestmark = [pytest.mark.process, pytest.mark.slow]


def config_with(**changes) -> dict:
    """The small CLIP model's config, with other numbers in its image tower."""
    config = copy.deepcopy(foreign.CONFIG)
    config["model_cfg"]["vision_cfg"] |= changes
    return config


def import_tensors(
    folder, checkpoint=None, config=foreign.CONFIG, architecture="tiny", weights=RANDOM
):
    weights = checkpoint.name if checkpoint else weights
    write_model(
        folder,
        {"architecture": architecture, "config": config, "weights": weights},
        checkpoint,
    )
    return load_file(folder / WEIGHTS)


@pytest.fixture(scope="module")
def openai_model():
    """A CLIP model as OpenAI's program has it."""
    torch.manual_seed(3)
    return foreign.CLIP().eval()


def random_images(n=3):
    return torch.randn(
        n, 3, foreign.SIDE, foreign.SIDE, generator=torch.Generator().manual_seed(0)
    )


def same_tensors(found, expected) -> bool:
    return set(found) == set(expected) and all(
        torch.equal(found[name], expected[name]) for name in expected
    )


def test_random_weights_are_the_same_bytes_twice(tmp_path):
    torch.rand(7)
    # The files say in which folder they belong, so both have folders of one name.
    first, second = (tmp_path / name / "imported/model" for name in ("a", "b"))
    one = import_tensors(first)
    torch.rand(5)
    import_tensors(second)
    for file in (CONFIG, WEIGHTS):
        assert (first / file).read_bytes() == (second / file).read_bytes()
    assert json.loads((first / CONFIG).read_text()) == foreign.CONFIG
    assert {t.dtype for t in one.values()} == {torch.float32}
    assert one["visual.conv1.weight"].std() > 0


def test_an_imported_folder_is_one_that_open_clip_loads(tmp_path):
    one = import_tensors(tmp_path)
    assert same_tensors(dict(create_clip(tmp_path).state_dict()), one)


def test_counters_stay_whole_numbers(tmp_path):
    tower = {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None}
    config = copy.deepcopy(foreign.CONFIG)
    config["model_cfg"]["vision_cfg"] = tower
    one = import_tensors(tmp_path, config=config)
    kinds = {name: t.dtype for name, t in create_clip(tmp_path).state_dict().items()}
    assert torch.int64 in kinds.values()
    assert {name: t.dtype for name, t in one.items()} == kinds


def wrapped_state(state, prefix=""):
    return {prefix + name: tensor.clone() for name, tensor in state.items()}


def training_run(state) -> dict:
    optimizer = {
        "state": {0: {"exp_avg": torch.zeros(3)}},
        "param_groups": [{"lr": 0.1}],
    }
    return {
        "epoch": 3,
        "state_dict": wrapped_state(state, "module."),
        "optimizer": optimizer,
    }


WAYS = {
    "state dict": lambda state, path: torch.save(wrapped_state(state), path),
    "legacy": lambda state, path: torch.save(
        wrapped_state(state), path, _use_new_zipfile_serialization=False
    ),
    "parallel": lambda state, path: torch.save(wrapped_state(state, "module."), path),
    "training run": lambda state, path: torch.save(training_run(state), path),
    "averages beside": lambda state, path: torch.save(
        {
            "state_dict": wrapped_state(state),
            "state_dict_ema": {k: 0 * t for k, t in wrapped_state(state).items()},
        },
        path,
    ),
    "a stray beside": lambda state, path: torch.save(
        wrapped_state(state, "module.") | {"x.positional_embedding": torch.zeros(7, 8)},
        path,
    ),
    "within a classifier": lambda state, path: torch.save(
        wrapped_state(state, "model."), path
    ),
    "safetensors": lambda state, path: save_file(wrapped_state(state), path),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_file_of_every_kind_gives_its_tensors(openai_model, tmp_path, way):
    WAYS[way](openai_model.state_dict(), tmp_path / "file.bin")
    assert same_tensors(
        import_tensors(tmp_path / "out", tmp_path / "file.bin"),
        openai_model.state_dict(),
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_every_precision_become_float32(openai_model, tmp_path, dtype):
    state = {name: t.to(dtype) for name, t in openai_model.state_dict().items()}
    torch.save(state, tmp_path / "file.pt")
    found = import_tensors(tmp_path / "out", tmp_path / "file.pt")
    assert {t.dtype for t in found.values()} == {torch.float32}
    assert same_tensors(found, {name: t.float() for name, t in state.items()})


@pytest.fixture(scope="module")
def openai_archive(openai_model, tmp_path_factory):
    """As OpenAI publishes them: TorchScript, half precision, with numbers beside the weights."""
    path = tmp_path_factory.mktemp("archive") / "ViT-tiny.pt"
    whole = copy.deepcopy(openai_model)
    whole.register_buffer("input_resolution", torch.tensor(foreign.SIDE))
    with torch.no_grad():
        torch.jit.trace(whole, random_images()).half().save(path)
    return path


def test_an_archive_of_openai_gives_the_sources_features(
    openai_model, openai_archive, tmp_path
):
    found = import_tensors(tmp_path, openai_archive)
    half = {name: t.half().float() for name, t in openai_model.state_dict().items()}
    assert same_tensors(found, half)
    rounded = copy.deepcopy(openai_model)
    rounded.load_state_dict(half)
    with torch.no_grad():
        ours = create_clip(tmp_path).encode_image(random_images())
        assert (ours - rounded(random_images())).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("ViT-B-32", "take ViT-B-32-quickgelu"),
        ("ViT-L-14-336", "take ViT-L-14-336-quickgelu"),
        ("RN50x4", "take RN50x4-quickgelu"),
        ("some/folder", "its model_cfg needs quick_gelu: true"),
        ("ViT-S-32-alt", "its model_cfg needs quick_gelu: true"),
    ],
)
def test_an_archive_of_openai_needs_quick_gelu(openai_archive, tmp_path, name, mend):
    config = copy.deepcopy(foreign.CONFIG)
    del config["model_cfg"]["quick_gelu"]
    with pytest.raises(
        StockpotError, match=r"^model\.architecture: .*ViT-tiny\.pt is a"
    ) as error:
        import_tensors(tmp_path, openai_archive, config, name)
    assert str(error.value).endswith(f"answer wrongly; {mend}")
    assert not (tmp_path / WEIGHTS).exists()


def test_a_plain_file_does_without_quick_gelu(openai_model, tmp_path):
    torch.save(openai_model.state_dict(), tmp_path / "file.pt")
    config = copy.deepcopy(foreign.CONFIG)
    del config["model_cfg"]["quick_gelu"]
    assert same_tensors(
        import_tensors(tmp_path / "out", tmp_path / "file.pt", config),
        openai_model.state_dict(),
    )


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"layers": 3},
            r"visual\.transformer\.resblocks\.2\.\S+ is missing, not \[32\]$",
        ),
        ({"layers": 1}, r"which has no visual\.transformer\.resblocks\.1\.\S+$"),
        ({"width": 48}, r"visual\.\S+ is \[32\], not \[48\]$"),
        (
            {"patch_size": 4},
            r"visual\.positional_embedding is \[5, 32\], not \[17, 32\]$",
        ),
    ],
)
def test_a_file_of_another_architecture_is_refused_in_a_line(
    openai_model, tmp_path, changes, message, prefix
):
    torch.save(wrapped_state(openai_model.state_dict(), prefix), tmp_path / "file.pt")
    with pytest.raises(StockpotError, match=message) as error:
        import_tensors(tmp_path / "out", tmp_path / "file.pt", config_with(**changes))
    text = str(error.value)
    assert text.startswith(
        f"model.weights: {tmp_path / 'file.pt'} does not fit the architecture"
    )
    assert "\n" not in text
    assert not (tmp_path / "out" / WEIGHTS).exists()


def test_layers_of_the_text_side_count_too(openai_model, tmp_path):
    state = wrapped_state(openai_model.state_dict())
    more = {
        n.replace(".0.", ".1."): t
        for n, t in state.items()
        if n.startswith("transformer.")
    }
    torch.save({**state, **more}, tmp_path / "file.pt")
    with pytest.raises(StockpotError, match=r"has no transformer\.resblocks\.1\."):
        import_tensors(tmp_path / "out", tmp_path / "file.pt")
    buffers = {
        "transformer.attn_mask": torch.zeros(7, 7),
        "epoch.counter": torch.zeros(1),
    }
    torch.save({**state, **buffers}, tmp_path / "file.pt")
    assert same_tensors(import_tensors(tmp_path / "out", tmp_path / "file.pt"), state)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_file_that_is_none_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(
        StockpotError, match=r"/file: (not a checkpoint|cannot be read)"
    ) as error:
        import_tensors(tmp_path / "out", tmp_path / "file")
    assert "\n" not in str(error.value)


@pytest.fixture
def hub_offline(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


def test_a_hub_out_of_reach_is_one_line(hub_offline, tmp_path):
    with pytest.raises(
        StockpotError,
        match=r"^model\.weights: openai of ViT-B-32 cannot be had \(F"
        r".*; it may also be a file$",
    ) as error:
        import_tensors(tmp_path / "out", architecture="ViT-B-32", weights="openai")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out" / WEIGHTS).exists()


def test_without_a_network_a_hub_is_asked_once(tmp_path, monkeypatch):
    """What must come from there is one line at once, with what to do."""
    from huggingface_hub import constants

    monkeypatch.setattr(
        constants, "ENDPOINT", "http://127.0.0.1:9"
    )  # nobody answers there
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    asked = [
        (
            lambda: import_tensors(
                tmp_path / "a", architecture="ViT-B-32", weights="openai"
            ),
            r"^model\.weights: openai of ViT-B-32 cannot be had \(no answer from http://127",
        ),
        (
            lambda: import_tensors(
                tmp_path / "b",
                config={**TIMM, "timm": "resnet18"},
                architecture="timm/resnet18",
                weights="pretrained",
            ),
            r"^model\.architecture: timm cannot make 'resnet18' with its weights \(no answer from",
        ),
        (
            lambda: tokenizer(hub_folder(tmp_path / "c")),
            r"^model\.architecture: the tokenizer hub/words cannot be had \(no answer from",
        ),
    ]
    for ask, said in asked:
        with pytest.raises(StockpotError, match=said) as error:
            ask()
        assert "HF_HUB_CACHE" in str(error.value)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) <= 500
    assert slept == []
    assert not constants.HF_HUB_OFFLINE


def test_what_a_hub_gives_is_what_open_clip_would_load(
    openai_model, tmp_path, monkeypatch
):
    """In full precision, whatever it is stored in."""
    asked = []

    def create_model(name, pretrained=None, **more):
        if pretrained is None:
            return original(name, **more)
        asked.append((name, pretrained, more["precision"]))
        return openai_model

    original = open_clip.create_model
    monkeypatch.setattr(open_clip, "create_model", create_model)
    found = import_tensors(tmp_path, architecture="ViT-tiny", weights="ours")
    assert asked == [("ViT-tiny", "ours", "fp32")]
    assert same_tensors(found, openai_model.state_dict())


TIMM = {"timm": "resnet10t", "preprocess_cfg": {"size": 64}}


def test_a_model_of_timm_takes_random_weights_or_those_of_a_file(tmp_path):
    first, second = (tmp_path / name / "imported/model" for name in ("a", "b"))
    one = import_tensors(first, config=TIMM, architecture="timm/resnet10t")
    import_tensors(second, config=TIMM, architecture="timm/resnet10t")
    assert (first / WEIGHTS).read_bytes() == (second / WEIGHTS).read_bytes()
    torch.manual_seed(5)
    model = timm.create_model("resnet10t", num_classes=3)
    torch.save(
        {"state_dict": wrapped_state(model.state_dict(), "module.")},
        tmp_path / "file.pt",
    )
    found = import_tensors(tmp_path / "c", tmp_path / "file.pt", TIMM, "timm/resnet10t")
    tower = {
        name: t for name, t in model.state_dict().items() if not name.startswith("fc.")
    }
    assert same_tensors(found, tower)
    assert set(one) == set(tower)
    assert not torch.equal(found["conv1.0.weight"], one["conv1.0.weight"])


def test_a_model_of_timm_that_cannot_be_made_is_one_line(hub_offline, tmp_path):
    with pytest.raises(
        StockpotError, match=r"^model\.architecture: timm cannot make 'resn10'"
    ):
        import_tensors(
            tmp_path, config={**TIMM, "timm": "resn10"}, architecture="timm/resn10"
        )
    with pytest.raises(StockpotError, match="'resnet18' with its weights") as error:
        import_tensors(
            tmp_path,
            config={**TIMM, "timm": "resnet18"},
            architecture="timm/resnet18",
            weights="pretrained",
        )
    assert "\n" not in str(error.value)


def test_a_tower_has_the_activation_of_its_config(openai_model):
    plain = copy.deepcopy(foreign.CONFIG)
    del plain["model_cfg"]["quick_gelu"]
    state = openai_model.visual.state_dict()
    towers = {}
    for name, config in (("quick", foreign.CONFIG), ("plain", plain)):
        towers[name] = build_tower({"library": "open_clip", "config": config}).eval()
        towers[name].load_state_dict(state)
    kinds = {
        name: type(tower.transformer.resblocks[0].mlp[1])
        for name, tower in towers.items()
    }
    assert kinds["quick"].__name__ == "QuickGELU"
    assert kinds["plain"] is torch.nn.GELU
    with torch.no_grad():
        quick, other = (towers[name](random_images()) for name in ("quick", "plain"))
        assert (quick - openai_model(random_images())).abs().max() < 1e-5
    assert (quick - other).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.clone().fill_(float("nan")), r"'visual\.proj' has .* not finite"),
        (lambda t: t.to(torch.int8), r"'visual\.proj' holds int8"),
    ],
)
def test_weights_that_are_none_are_refused_by_the_name_of_the_tensor(
    tmp_path, change, said
):
    """Of a file that is imported, and of a folder that is used as it is."""
    state = foreign.CLIP().state_dict()
    state["visual.proj"] = change(state["visual.proj"])
    torch.save(state, tmp_path / "file.pt")
    with pytest.raises(StockpotError, match=rf"^model\.weights: .*file\.pt: {said}"):
        import_tensors(tmp_path / "out", tmp_path / "file.pt")
    folder = tmp_path / "folder"
    shutil.copytree(ARCHITECTURE, folder)
    tensors = load_file(folder / WEIGHTS)
    tensors["visual.proj"] = change(tensors["visual.proj"])
    save_file(tensors, folder / WEIGHTS)
    with pytest.raises(StockpotError, match=rf"{WEIGHTS}: {said}"):
        load_clip(folder, folder / WEIGHTS)
