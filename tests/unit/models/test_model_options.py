"""A stranger's model folder: no option of it reaches a library that would obey it."""

import gzip
import json
import shutil
import sys
from types import ModuleType

import pytest

from stockpot.models.files import CONFIG, WEIGHTS, preprocessing
from stockpot.models.hub_models import _known
from stockpot.models.model_options import check_options, parameter_count
from stockpot.planning.model_jobs import ModelJob
from stockpot.planning.pretrained import model_plan
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ARCHITECTURE, ROOT


@pytest.fixture
def model_folder(tmp_path):
    shutil.copytree(ARCHITECTURE, tmp_path / "folder")
    return tmp_path / "folder"


def edit_config(folder, change) -> None:
    config = json.loads((folder / CONFIG).read_text())
    change(config["model_cfg"], config)
    (folder / CONFIG).write_text(json.dumps(config))


def plan_of_folder(config, folder) -> ModelJob:
    config["model"] = {"name": "mine", "pretrain": False, "architecture": "folder"}
    return model_plan(config, lambda path: folder if path == "folder" else ROOT / path)


def test_every_architecture_of_open_clip_passes():
    sizes = {}
    for name, path in _known().items():
        model = json.loads(path.read_text())
        check_options({"model_cfg": model})
        sizes[name] = parameter_count(model)
    assert sizes["ViT-B-32"] == pytest.approx(151.3e6, rel=0.01)
    assert sizes["ViT-L-14"] == pytest.approx(427.6e6, rel=0.01)


def in_text(**options):
    return lambda model, _: model["text_cfg"].update(options)


def in_vision(**options):
    return lambda model, _: model["vision_cfg"].update(options)


def in_tokenizer(**options):
    return lambda model, _: (
        model["text_cfg"].setdefault("tokenizer_kwargs", {}).update(options)
    )


def in_preprocessing(**options):
    return lambda _, config: config["preprocess_cfg"].update(options)


REFUSED = {
    "code of the folder": (in_tokenizer(trust_remote_code=True), "'trust_remote_code'"),
    "a tokenizer's class": (in_tokenizer(tokenizer_class="Evil"), "'tokenizer_class'"),
    "a place to load from": (in_tokenizer(cache_dir="/tmp"), "'cache_dir'"),
    "words that become a pattern": (
        in_tokenizer(additional_special_tokens=["(a+)+$"]),
        "'additional_special_tokens'",
    ),
    "a vocabulary elsewhere": (
        in_tokenizer(bpe_path="../bpe.gz"),
        "a file in the folder",
    ),
    "a vocabulary anywhere": (
        in_tokenizer(bpe_path="/etc/passwd"),
        "folder/passwd is not a read",
    ),
    "a tokenizer elsewhere": (
        in_text(hf_tokenizer_name="../x"),
        "the name of a repository",
    ),
    "a tokenizer anywhere": (
        in_text(hf_tokenizer_name="/tmp/x"),
        "the name of a repository",
    ),
    "a text model anywhere": (in_text(hf_model_name="./x"), "the name of a repository"),
    "a text model's options": (in_text(hf_model_kwargs={"a": 1}), "'hf_model_kwargs'"),
    "a hub's model": (
        in_vision(timm_model_name="hf-hub:a/b"),
        "the name of a model of timm",
    ),
    "timm's options": (in_vision(timm_kwargs={"a": 1}), "'timm_kwargs'"),
    "a path as a word": (
        in_vision(pool_type="/etc/passwd"),
        "neither a number nor a word",
    ),
    "an object as a number": (
        in_vision(mlp_ratio={"a": 1}),
        "neither a number nor a word",
    ),
    "another option of the model": (lambda model, _: model.update(hook="x"), "'hook'"),
    "a layer's option": (
        in_vision(norm_kwargs={"eps": [1]}),
        "neither a number nor a word",
    ),
    "no section": (lambda model, _: model.pop("vision_cfg"), "not a map of options"),
    "a negative width": (in_vision(width=-1), "not a count"),
    "a width without end": (in_vision(width=1 << 40), "not a count"),
    "a truth as a width": (in_vision(width=True), "not a count"),
    "a huge model": (in_vision(width=1 << 20), "a model of .* numbers"),
    "a model larger than its weights": (
        in_vision(width=4096),
        "do not belong together",
    ),
    "huge images": (in_vision(image_size=10_000), "sides of 10000 pixels"),
    "more words than room": (
        in_text(vocab_size=700),
        "829 words, but vocab_size .* is 700",
    ),
    "a mean that is no number": (
        in_preprocessing(mean=[float("nan")] * 3),
        "three finite numbers",
    ),
    "a mean of one": (in_preprocessing(mean=[0.5]), "three finite numbers"),
    "a std of zero": (in_preprocessing(std=[0.1, 0, 0.1]), "three numbers above 0"),
    "words as preprocessing": (
        lambda _, config: config.update(preprocess_cfg="x"),
        "not a map of options",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_describes_no_architecture_is_refused_at_planning(
    config, model_folder, what
):
    change, message = REFUSED[what]
    edit_config(model_folder, change)
    with pytest.raises(StockpotError, match=message) as error:
        plan_of_folder(config, model_folder)
    line = str(error.value)
    assert line.startswith("model.architecture: ")
    assert "\n" not in line
    assert len(line) <= 500


@pytest.mark.parametrize(
    "content", ["[]", "[" * 100_000, '{"model_cfg": 1}', "<!doctype html>", "", "NaN"]
)
def test_a_config_that_is_none_is_a_line(config, model_folder, content):
    (model_folder / CONFIG).write_text(content)
    with pytest.raises(StockpotError, match=r"^model\.architecture: ") as error:
        plan_of_folder(config, model_folder)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) <= 500


def test_a_vocabulary_that_unpacks_without_end_is_a_line(config, model_folder):
    with gzip.open(model_folder / "bpe.txt.gz", "wb", compresslevel=9) as file:
        for _ in range(65):
            file.write(bytes(1 << 20))
    with pytest.raises(StockpotError, match="unpacks to more than 64 MB"):
        plan_of_folder(config, model_folder)


@pytest.mark.parametrize("file", [WEIGHTS, CONFIG, "bpe.txt.gz"])
def test_a_pointer_in_place_of_a_file_is_named_at_planning(config, model_folder, file):
    (model_folder / file).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    )
    with pytest.raises(
        StockpotError, match=rf"^model\.architecture: .*{file} is a Git LFS pointer"
    ):
        plan_of_folder(config, model_folder)


def test_a_tokenizer_of_transformers_is_told_to_run_nothing(model_folder, monkeypatch):
    """And the folder of a stranger is refused before transformers is asked for anything."""
    from stockpot.models.clip import tokenizer

    asked = []

    class AutoTokenizer:
        @staticmethod
        def from_pretrained(name, **options):
            asked.append((str(name), options))
            return AutoTokenizer()

    transformers = ModuleType("transformers")
    transformers.AutoTokenizer = AutoTokenizer
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    (model_folder / "tokenizer.json").write_text("{}")
    edit_config(
        model_folder, lambda model, _: model["text_cfg"].pop("tokenizer_kwargs")
    )
    edit_config(model_folder, in_text(hf_tokenizer_name="timm/ViT-B-16-SigLIP"))
    tokenizer(model_folder)
    (model_folder / "tokenizer.json").unlink()
    tokenizer(model_folder)
    assert [name for name, _ in asked] == [str(model_folder), "timm/ViT-B-16-SigLIP"]
    assert [options["trust_remote_code"] for _, options in asked] == [False, False]
    edit_config(model_folder, in_tokenizer(trust_remote_code=True))
    with pytest.raises(
        StockpotError, match="'trust_remote_code' describes no architecture"
    ):
        tokenizer(model_folder)
    assert len(asked) == 2


def test_preprocessing_of_a_config_is_checked_too(config):
    config["model"] |= {
        "architecture": "timm/resnet50",
        "weights": "random",
        "pretrain": False,
    }
    config["model"]["preprocess"] = {"mean": [0.5, float("inf"), 0.5]}
    with pytest.raises(StockpotError, match=r"^model\.preprocess: its mean is"):
        model_plan(config, lambda path: ROOT / path)
    assert (
        preprocessing({"timm": "x", "preprocess_cfg": {"size": 8}})["image_size"] == 8
    )
