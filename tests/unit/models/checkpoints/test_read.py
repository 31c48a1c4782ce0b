"""Checkpoints of other programs: their tensors are exactly those that were saved."""

import pickle
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from stockpot.models.checkpoints.convert import as_classifier, check_tower
from stockpot.models.checkpoints.read import read_tensors
from stockpot.runtime.errors import StockpotError
from tests.support import third_party_checkpoints as foreign
from tests.support.checkpoint_files import same_tensors, write_checkpoint

PROTOCOLS = [2, 3, 4, 5]


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("way", ["pickle", "zip", "legacy"])
def test_whole_module_gives_its_state_dict_without_its_classes(
    foreign_classifier, tmp_path, way, protocol
):
    path = tmp_path / "finetuned.pt"
    write_checkpoint(foreign_classifier, path, way, protocol)
    assert same_tensors(read_tensors(path), foreign_classifier.state_dict())
    assert not {"src", "clip"} & set(sys.modules)
    with pytest.raises(ModuleNotFoundError), open(path, "rb") as file:
        pickle.load(file) if way == "pickle" else torch.load(file, weights_only=False)


@pytest.mark.parametrize("way", ["pickle", "soup", "parallel"])
def test_tower_loads_into_open_clips_and_gives_the_sources_features(
    foreign_classifier, foreign_soup, open_clip_tower, tmp_path, way
):
    source, path = (
        (foreign_classifier if way == "pickle" else foreign_soup),
        tmp_path / "model.pt",
    )
    if way == "pickle":
        write_checkpoint(source, path, "pickle", 4)
    else:
        prefix = "module." if way == "parallel" else ""
        torch.save({prefix + key: t for key, t in source.state_dict().items()}, path)
    tensors = as_classifier(read_tensors(path), path)
    check_tower(
        tensors, {key: t.shape for key, t in open_clip_tower.state_dict().items()}, path
    )
    visual = {
        key.removeprefix("visual."): t for key, t in tensors.items() if "visual." in key
    }
    open_clip_tower.load_state_dict(visual, strict=True)
    images = torch.randn(3, 3, foreign.SIDE, foreign.SIDE)
    with torch.no_grad():
        assert (
            open_clip_tower(images) - source.eval().features(images)
        ).abs().max() < 1e-6
    assert torch.equal(tensors["head.weight"], source.classification_head.weight)
    assert torch.equal(tensors["head.bias"], source.classification_head.bias)
    assert len(tensors) == len(visual) + 2


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dict_of_torch_save(foreign_soup, tmp_path, zipped):
    path = tmp_path / "model_0.pt"
    torch.save(foreign_soup.state_dict(), path, _use_new_zipfile_serialization=zipped)
    assert same_tensors(read_tensors(path), torch.load(path, weights_only=True))


@pytest.mark.slow
def test_state_dict_of_pickle_and_within_a_training_run(foreign_soup, tmp_path):
    optimizer = torch.optim.AdamW(foreign_soup.parameters())
    sum(parameter.sum() for parameter in foreign_soup.parameters()).backward()
    optimizer.step()
    saved = {
        "epoch": 3,
        "state_dict": foreign_soup.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(saved, tmp_path / "run.pt")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(foreign_soup.state_dict()))
    expected = as_classifier(foreign_soup.state_dict(), "")
    run = read_tensors(tmp_path / "run.pt")
    assert any(key.startswith("optimizer.state.0.exp_avg") for key in run)
    assert same_tensors(as_classifier(run, ""), expected)
    assert same_tensors(
        as_classifier(read_tensors(tmp_path / "plain.pkl"), ""), expected
    )


def test_encoder_without_head_and_head_without_encoder(foreign_classifier, tmp_path):
    write_checkpoint(
        foreign_classifier.image_encoder, tmp_path / "encoder.pt", "pickle", 4
    )
    tensors = as_classifier(read_tensors(tmp_path / "encoder.pt"), "")
    assert tensors
    assert all(key.startswith("visual.") for key in tensors)
    write_checkpoint(
        foreign_classifier.classification_head, tmp_path / "head.pt", "pickle", 4
    )
    with pytest.raises(
        StockpotError, match=r"head\.pt: there is no image tower .*'weight', 'bias'"
    ):
        as_classifier(read_tensors(tmp_path / "head.pt"), tmp_path / "head.pt")


def test_safetensors_of_our_own_come_back(tmp_path, foreign_classifier):
    tensors = {"visual.proj": torch.randn(3, 2), "head.weight": torch.randn(4, 2)}
    save_file(tensors, tmp_path / "classifier.bin")
    assert same_tensors(
        dict(sorted(read_tensors(tmp_path / "classifier.bin").items())),
        dict(sorted(tensors.items())),
    )
    found = as_classifier(read_tensors(tmp_path / "classifier.bin"), "")
    assert torch.equal(found["head.bias"], torch.zeros(4))


@pytest.mark.parametrize("half", [True, False])
def test_torchscript_archive_is_read_without_torchscript(
    tmp_path, open_clip_tower, half, monkeypatch
):
    torch.manual_seed(2)
    source = foreign.CLIP().eval()
    source.register_buffer("input_resolution", torch.tensor(foreign.SIDE))
    image = torch.randn(2, 3, foreign.SIDE, foreign.SIDE)
    with torch.no_grad():
        traced, features = torch.jit.trace(source, image), source(image)
        if half:
            traced.half()
        traced.save(tmp_path / "ViT.pt")
    expected = traced.state_dict()
    monkeypatch.setattr(torch.jit, "load", None)
    found = read_tensors(tmp_path / "ViT.pt")
    assert set(expected) <= set(found)
    assert same_tensors({key: found[key] for key in expected}, dict(expected))
    assert found["visual.proj"].dtype == (torch.half if half else torch.float)
    tensors = as_classifier(found, "")
    assert {t.dtype for t in tensors.values()} == {torch.float32}
    open_clip_tower.load_state_dict(
        {key.removeprefix("visual."): t for key, t in tensors.items()}
    )
    with torch.no_grad():
        assert (open_clip_tower(image) - features).abs().max() < (
            0.05 if half else 1e-5
        )


def test_scripted_module_with_typed_attributes(tmp_path):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.sizes, self.scales, self.flags = [1, 2], [0.5], {"a": True}
            self.conv = nn.Conv2d(1, 2, 3, padding_mode="circular", padding=1)
            self.norm = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU())

        def forward(self, x):
            return self.norm(self.conv(x)) * self.scales[0] * self.sizes[0]

    module = torch.jit.script(Odd())
    module.save(tmp_path / "odd.pt")
    assert same_tensors(
        dict(sorted(read_tensors(tmp_path / "odd.pt").items())),
        dict(sorted(module.state_dict().items())),
    )


def assorted_tensors() -> dict:
    base = torch.arange(24.0)
    kinds = [
        "float64",
        "float32",
        "float16",
        "bfloat16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
    ]
    return {
        "view": base[4:16].view(3, 4),
        "transposed": base.view(4, 6).T,
        "strided": base[1::5],
        "again": base,
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 7),
        "bool": torch.tensor([True, False, True]),
        "odd": torch.tensor([1, 2, 3], dtype=torch.int8),
        "special": torch.tensor([float("nan"), float("inf"), -0.0]),
        "parameter": nn.Parameter(torch.ones(2, 2)),
        "nested": {
            "deep": {7: torch.ones(1)},
            "other": [torch.ones(3)],
            "text": "x",
            "n": None,
        },
        "type": torch.float16,
        **{kind: torch.arange(3).to(getattr(torch, kind)) for kind in kinds},
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("way", ["pickle", "zip", "legacy"])
def test_tensors_of_every_kind_and_layout(tmp_path, way, protocol):
    path, saved = tmp_path / "all.pt", assorted_tensors()
    write_checkpoint(saved, path, way, protocol)
    found = read_tensors(path)
    expected = {name: t for name, t in saved.items() if isinstance(t, torch.Tensor)}
    expected["nested.deep.7"] = saved["nested"]["deep"][7]
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert found[name].shape == tensor.shape, name
        assert torch.equal(found[name].nan_to_num(), tensor.detach().nan_to_num()), name
        assert not found[name].requires_grad
    assert found["transposed"].stride() == saved["transposed"].stride()
    if way != "pickle":  # a pickle repeats the storage for each of its views
        assert found["view"].data_ptr() == found["again"].data_ptr() + 16


def test_changing_what_was_read_does_not_change_the_file(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.zeros(1000)}, path)
    before = path.read_bytes()
    read_tensors(path)["a"].fill_(1)
    assert path.read_bytes() == before
    assert not read_tensors(path)["a"].any()


def test_buffers_that_a_state_dict_leaves_out_are_left_out(tmp_path):
    module = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2, bias=False))
    module.register_buffer("mask", torch.ones(3), persistent=False)
    for way, protocol in (("pickle", 4), ("zip", 2)):
        write_checkpoint(module, tmp_path / way, way, protocol)
        assert same_tensors(read_tensors(tmp_path / way), module.state_dict())


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.in_a_child
def test_a_file_is_read_in_a_child_as_in_this_process(
    foreign_soup, tmp_path, monkeypatch
):
    for way, protocol in (("zip", 2), ("legacy", 2), ("pickle", 2), ("pickle", 4)):
        write_checkpoint(foreign_soup.state_dict(), tmp_path / "a.pt", way, protocol)
        assert same_tensors(read_tensors(tmp_path / "a.pt"), foreign_soup.state_dict())
