"""What a plan says of a study: its models, its published models, its data."""

import json

import pytest

from stockpot.config.check import check_config
from stockpot.config.read import read_study
from stockpot.planning import build_plan
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ROOT
from tests.support.plans import plan_of

# Classes.


@pytest.mark.parametrize("part", ["held_out", "reference", "shifts"])
def test_a_class_that_is_not_trained_cannot_be_tested(config, part):
    config["datasets"]["digits"] = {
        "source": "world",
        "task": "digits",
        "distribution": "typeset",
        "images": 10,
    }
    config["data"][part] = ["digits"] if part == "shifts" else "digits"
    with pytest.raises(
        StockpotError,
        match=r"datasets\.digits: .*'zero'.*train \(data\.train\): ball, box",
    ):
        plan_of(config)


# The studies that come with the project.


@pytest.mark.parametrize(
    "path", (ROOT / "tests/configs").glob("*.yaml"), ids=lambda path: path.stem
)
def test_the_studies_of_the_tests_are_valid(schema, tmp_path, path):
    def locate(given):
        """A path of the project, or a folder with two images in place of the user's own."""
        if (path.parent / given).is_file():
            return path.parent / given
        if not (ROOT / given).exists():
            for name in ("ball", "moon"):
                (tmp_path / given / name).mkdir(parents=True, exist_ok=True)
                (tmp_path / given / name / "1.png").touch()
            return tmp_path / given
        return ROOT / given

    given = read_study(ROOT, [path])
    study = given.located()
    check_config(study, schema, given.paths)
    plan = build_plan.build(study, locate)
    assert len(plan.studies) == len(study["seeds"])
    assert plan.runs


def test_what_analyses_know_of_the_models(config):
    config["finetune"]["runs"] |= {
        "few": {"shots": 4, "epochs": 10},
        "both": {"second_dataset": "standard-train"},
        "other": {"task": "second"},
    }
    second = {
        "source": "world",
        "task": "textures",
        "distribution": "reference",
        "images": 50,
    }
    config["datasets"] |= {
        "textures-train": second,
        "textures-held-out": {**second, "images": 40},
    }
    config["tasks"] = {
        "second": {
            "train": "textures-train",
            "held_out": "textures-held-out",
            "prompts": "resources/prompts/textures.txt",
        }
    }
    config["soups"]["mix"] = {
        "method": "learned",
        "ingredients": ["base", "few"],
        "epochs": 3,
    }
    study = plan_of(config).studies["objects/seed0"]
    models, epochs = study.models, config["finetune"]["defaults"]["epochs"]
    assert models["base"]["images"] == epochs * 2500
    assert models["base"]["on_own_task"]
    assert models["few"]["images"] == 10 * 4 * 16
    # An epoch stays as long as the training set, whatever the second set has.
    assert models["both"]["images"] == epochs * 2500
    assert models["other"]["images"] == epochs * 50
    assert not models["other"]["on_own_task"]
    assert "id" not in models["other"]
    assert models["few"]["id"] == study.runs["few"]
    assert models["mix"]["images"] == 3 * 1000
    assert models["mix"]["ingredients"] == ["base", "few"]
    assert models["mix"]["kind"] == "learned"
    assert "linear" not in study.runs
    assert "other" not in study.runs
    assert set(study.runs) <= set(models["uniform"]["ingredients"])
    json.dumps(models)


def test_a_table_of_published_models_counts_by_its_content(config, tmp_path):
    table = tmp_path / "models.csv"
    table.write_text("model,reference,v2\nb,0.7,0.4\nc,0.6,0.3\nd,0.5,0.2\n")
    config["baselines"] = {
        **config["baselines"],
        "models": {},
        "table": {"path": str(table)},
    }
    first = plan_of(config).published_models
    assert first["path"] == str(table)
    assert set(first) == {"path", "sha256"}
    table.write_text("model,reference,v2\nb,0.7,0.4\nc,0.6,0.3\nd,0.5,0.1\n")
    assert plan_of(config).published_models["sha256"] != first["sha256"]
    assert (
        plan_of(
            {**config, "baselines": {**config["baselines"], "table": {}}}
        ).published_models
        == {}
    )


def test_a_plan_says_what_there_is_to_measure_on(config):
    """And, of few images, how little an accuracy on them says; not of those to train on."""
    config["datasets"]["held-out"]["images"] = 100
    config["datasets"]["train"]["images"] = 200
    told = plan_of(config).summary
    assert "data.train: train, 200 images of 16 classes" in told
    assert (
        "data.held_out: held-out, 100 images of 16 classes; accuracies to ± 10 points"
        in told
    )
