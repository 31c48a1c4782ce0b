"""What a plan takes from the files of the pretrained model."""

import json
import shutil

import pytest

from stockpot.runtime.errors import StockpotError
from tests.support.paths import ARCHITECTURE
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
