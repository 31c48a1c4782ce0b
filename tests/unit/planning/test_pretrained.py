"""What a plan takes from the files of the pretrained model."""

import json
import shutil
import struct

import pytest

from stockpot.planning import build_plan
from stockpot.runtime.errors import StockpotError
from tests.support.config_mistakes import problems_of
from tests.support.paths import ARCHITECTURE, ROOT
from tests.support.plans import changed_names, plan_of


def test_the_model_changes_all_but_the_data(config, tmp_path):
    before = plan_of(config)
    for file in ARCHITECTURE.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = tmp_path / "open_clip_config.json"
    settings.write_text(settings.read_text().replace('"layers": 4', '"layers": 3'))
    config["model"]["architecture"] = str(tmp_path)
    after = plan_of(config)
    assert after.model.id != before.model.id
    assert {"zero_shots", "runs", "soups"} <= set(changed_names(before, after))
    assert "datasets" not in changed_names(before, after)


# The last byte of the weights; of the vocabulary one of the time in its header, as a gzip file
# with a damaged end is refused.
@pytest.mark.parametrize(
    ("file", "byte"), [("open_clip_model.safetensors", -1), ("bpe.txt.gz", 4)]
)
def test_a_model_is_its_content_not_its_place(config, tmp_path, file, byte):
    before = plan_of(config)
    shutil.copytree(ARCHITECTURE, tmp_path, dirs_exist_ok=True)
    config["model"]["architecture"] = str(tmp_path)
    assert plan_of(config).model.id == before.model.id
    content = bytearray((tmp_path / file).read_bytes())
    content[byte] ^= 1
    (tmp_path / file).write_bytes(content)
    after = plan_of(config)
    assert after.model.id != before.model.id
    assert not after.zero_shots.keys() & before.zero_shots.keys()


@pytest.mark.parametrize("size", [32, [32], [32, 32], None])
def test_the_side_of_the_input_is_read_as_open_clip_does(config, tmp_path, size):
    shutil.copytree(ARCHITECTURE, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "open_clip_config.json"
    settings = json.loads(path.read_text())
    settings["preprocess_cfg"]["size"] = size
    if size is None:
        del settings["preprocess_cfg"]["size"]
    path.write_text(json.dumps(settings))
    config["model"]["architecture"] = str(tmp_path)
    assert plan_of(config).model.transform["image_size"] == 32


def test_an_input_that_is_not_square_is_refused(config, tmp_path):
    shutil.copytree(ARCHITECTURE, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "open_clip_config.json"
    path.write_text(path.read_text().replace("[32, 32]", "[32, 48]"))
    config["model"]["architecture"] = str(tmp_path)
    with pytest.raises(StockpotError, match=r"model\.architecture: .*not square"):
        plan_of(config)


def test_pretraining_needs_no_weights_and_counts(config, tmp_path):
    (tmp_path / "open_clip_config.json").write_bytes(
        (ARCHITECTURE / "open_clip_config.json").read_bytes()
    )
    shutil.copy(ARCHITECTURE / "bpe.txt.gz", tmp_path)
    config["model"] |= {"architecture": str(tmp_path), "pretrain": True}
    before = plan_of(config)
    assert before.model.pretraining == config["pretraining"]
    assert "weights" not in before.model.files
    config["pretraining"]["steps"] += 1
    after = plan_of(config)
    assert after.model.id != before.model.id
    assert not after.zero_shots.keys() & before.zero_shots.keys()


@pytest.fixture
def model_folder(config, tmp_path):
    """A copy of the model's config in a folder without weights, set in the config."""
    text = (ARCHITECTURE / "open_clip_config.json").read_text()
    (tmp_path / "open_clip_config.json").write_text(text)
    shutil.copy(ARCHITECTURE / "bpe.txt.gz", tmp_path)
    config["model"]["architecture"] = str(tmp_path)
    return tmp_path


def safetensors_bytes(data=b"\0" * 16, end=16, **entries) -> bytes:
    header = {
        "a": {"dtype": "F32", "shape": [end // 4], "data_offsets": [0, end]},
        **entries,
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_weights_that_are_whole_pass(config, model_folder):
    metadata = {"__metadata__": {"format": "pt"}}
    (model_folder / "open_clip_model.safetensors").write_bytes(
        safetensors_bytes(**metadata)
    )
    build_plan.build(config, lambda path: ROOT / path)


BROKEN_WEIGHTS = {
    "missing": None,
    "empty": b"",
    "a few bytes": b"\x08\0\0",
    "a pickle": b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u." + b"\0" * 100,
    "a pointer of git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "cut short": safetensors_bytes()[:-1],
    "cut in the header": safetensors_bytes()[:20],
    "too long": safetensors_bytes() + b"\0",
    "a header that is a list": struct.pack("<Q", 2) + b"[]",
    "a header that is no text": struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
    "an entry without a place": safetensors_bytes(b={"dtype": "F32"}),
    "an entry with half a place": safetensors_bytes(
        b={"dtype": "F32", "data_offsets": [0]}
    ),
}


@pytest.mark.parametrize("what", BROKEN_WEIGHTS)
def test_broken_weights_are_named_before_anything_runs(
    config, schema, model_folder, what
):
    path = model_folder / "open_clip_model.safetensors"
    if BROKEN_WEIGHTS[what] is not None:
        path.write_bytes(BROKEN_WEIGHTS[what])
    (line,) = problems_of(config, schema)
    assert line.startswith("model.architecture:")
    assert str(path) in line
    said = (
        "is a Git LFS pointer"
        if what == "a pointer of git lfs"
        else "not a whole safetensors"
    )
    assert what == "missing" or said in line


def test_the_real_weights_cut_short_are_named(config, schema, model_folder):
    data = (ARCHITECTURE / "open_clip_model.safetensors").read_bytes()
    (model_folder / "open_clip_model.safetensors").write_bytes(data[: len(data) // 2])
    (line,) = problems_of(config, schema)
    assert str(len(data)) in line
    assert str(len(data) // 2) in line


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"preprocess_cfg": {"size": []}}', "\x00"]
)
def test_a_broken_architecture_is_named(config, schema, model_folder, text):
    (model_folder / "open_clip_config.json").write_text(text)
    (line,) = problems_of(config, schema)
    assert line.startswith("model.architecture:")
    assert "open_clip_config.json" in line
