"""What a model's folder says of preprocessing."""

import json

import pytest

from stockpot.models.files import CONFIG, MEAN, STD, preprocessing, read_config
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ARCHITECTURE


def config_of(size=32, tower=32, **given) -> dict:
    return {
        "model_cfg": {"vision_cfg": {"image_size": tower}, "text_cfg": {}},
        "preprocess_cfg": {**({} if size is ... else {"size": size}), **given},
    }


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        ("bicubic", "bicubic"),
        ("bilinear", "bilinear"),
        ("random", "bicubic"),
        (None, "bicubic"),
    ],
)
def test_random_interpolation_is_for_training_alone(interpolation, expected):
    found = preprocessing(config_of(interpolation=interpolation))
    assert found["interpolation"] == expected


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_resize_modes_are_open_clips(mode):
    assert preprocessing(config_of(resize_mode=mode))["resize_mode"] == mode


@pytest.mark.parametrize("key", ["resize_mode", "interpolation"])
def test_what_open_clip_does_not_know_is_refused(key, tmp_path):
    config = config_of(**{key: "nearest"})
    with pytest.raises(ValueError, match=f"its {key} 'nearest' is not one of"):
        preprocessing(config)
    (tmp_path / CONFIG).write_text(json.dumps(config))
    with pytest.raises(
        StockpotError, match=r"^model\.architecture: .*not a readable open_clip"
    ):
        read_config(tmp_path, "model.architecture")


@pytest.mark.parametrize("given", [{}, {"mean": None, "std": None}, None])
def test_what_a_config_leaves_out_is_openais(given):
    config = config_of()
    config["preprocess_cfg"] = given
    assert preprocessing(config) == {
        "image_size": 32,
        "resize_mode": "shortest",
        "interpolation": "bicubic",
        "mean": MEAN,
        "std": STD,
    }
    del config["preprocess_cfg"]
    assert preprocessing(config)["image_size"] == 32


@pytest.mark.parametrize(
    ("size", "tower"),
    [(32, 32), (None, 32), (..., 32), ([48, 48], 32), (32, [32, 32]), (224, [32])],
)
def test_the_side_is_that_of_the_tower(size, tower):
    """As open_clip has it, whatever preprocess_cfg says: another one does not fit the weights."""
    assert preprocessing(config_of(size, tower))["image_size"] == 32


@pytest.mark.parametrize(
    ("size", "tower"), [([32, 48], 32), (32, [32, 48]), (32, 0), ("32", 32)]
)
def test_sides_that_make_no_square_are_refused(size, tower):
    with pytest.raises(ValueError, match="not square"):
        preprocessing(config_of(size, tower))


@pytest.mark.parametrize("size", [[32, 32], 48, None])
def test_preprocessing_of_a_folder_is_what_open_clip_gives_the_model(tmp_path, size):
    from stockpot.models.clip import create_clip

    config = json.loads((ARCHITECTURE / CONFIG).read_text())
    changes = {
        "interpolation": "bilinear",
        "resize_mode": "squash",
        "mean": None,
        "std": None,
    }
    config["preprocess_cfg"] |= {"size": size, **changes}
    (tmp_path / CONFIG).write_text(json.dumps(config))
    theirs = create_clip(tmp_path, load_weights=False).visual.preprocess_cfg
    ours = preprocessing(read_config(tmp_path, "model.architecture"))
    for key in ("resize_mode", "interpolation", "mean", "std"):
        assert ours[key] == (
            list(theirs[key]) if isinstance(theirs[key], tuple | list) else theirs[key]
        )
    assert theirs["size"] in (
        ours["image_size"],
        (ours["image_size"], ours["image_size"]),
    )
