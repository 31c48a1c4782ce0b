"""What jobs ask of a cluster."""

import json

import pytest

from stockpot.models.hub_models import named_config
from stockpot.planning import build_plan, resources
from stockpot.planning.resources import Machine, check_gpus, resolve_gpus
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ARCHITECTURE, ROOT
from tests.support.plans import MACHINE, job_named

SPEC = {"variant": "end-to-end", "epochs": 10, "batch_size": 512}


def described_model(name):
    return resources.model_size(named_config(name, "random", ("a", "b")))


@pytest.mark.parametrize(
    ("name", "millions", "giga"),
    # Parameters of the image tower, and multiplications per image as its authors count them.
    [
        ("ViT-B-32", 87.8, 4.4),
        ("ViT-B-16", 86.2, 17.6),
        ("ViT-L-14", 304, 81),
        ("RN50", 38.3, 5.4),
    ],
)
def test_models_are_known_by_their_config(name, millions, giga):
    model = described_model(name)
    assert model.parameters / 1e6 == pytest.approx(millions, rel=0.05)
    assert model.parameters * model.tokens / 1e9 == pytest.approx(giga, rel=0.1)


def test_the_embedded_model_and_one_without_a_description():
    embedded = resources.model_size(
        json.loads((ARCHITECTURE / "open_clip_config.json").read_text())
    )
    assert embedded.tokens == 17
    assert embedded.parameters < 1e6
    assert resources.model_size({"timm": {"name": "x"}}) == resources.UNKNOWN_SIZE
    assert (
        resources.model_size({"model_cfg": {"vision_cfg": {"timm_model_name": "x"}}})
        == resources.UNKNOWN_SIZE
    )


def test_imagenet_takes_hours_on_a_gpu_and_gigabytes_for_adam():
    found = resources.training(described_model("ViT-B-32"), SPEC, 1_280_000, 8, 1)
    assert 4 * 60 < found.minutes < 24 * 60
    assert 4_000 < found.mb < 10_000
    assert (
        resources.evaluating(described_model("ViT-B-32"), 21, 300_000, 8, 1).minutes
        < 4 * 60
    )


@pytest.mark.parametrize(
    "more",
    [
        {"spec": {**SPEC, "epochs": 20}},
        {"spec": {**SPEC, "sam_rho": 0.05}},
        {"spec": {**SPEC, "distillation_weight": 0.5}},
        {"images": 40_000},
        {"gpus": 0},
        {"threads": 4, "gpus": 0},
    ],
)
def test_more_work_asks_for_more_time(more):
    given = {"spec": SPEC, "images": 20_000, "threads": 8, "gpus": 1}
    model = described_model("ViT-B-32")
    assert (
        resources.training(model, **(given | more)).minutes
        > resources.training(model, **given).minutes
    )


def test_more_gpus_and_linear_runs_ask_for_less():
    model = described_model("ViT-B-32")
    one = resources.training(model, SPEC, 10**6, 8, 1)
    assert resources.training(model, SPEC, 10**6, 8, 4).minutes < one.minutes
    linear = {"variant": "linear-classifier", "epochs": 10, "batch_size": 512}
    assert resources.training(model, linear, 10**6, 8, 1).minutes < one.minutes
    assert (
        resources.training(model, {**SPEC, "ema_decays": [0.9, 0.99]}, 10**6, 8, 1).mb
        > one.mb
    )


def test_a_second_try_asks_for_twice_as_much():
    assert resources.Needs(100, 7).again(1) == (100, 7)
    assert resources.Needs(100, 7).again(3) == (400, 28)


def test_preparing_grows_with_the_images():
    assert resources.preparing(10, 1).minutes == resources.START_MINUTES
    assert (
        resources.preparing(1_280_000, 8).minutes
        > resources.preparing(1_280_000, 16).minutes
        > 15
    )


# Resources.


def test_two_training_sets_are_held_in_memory(config):
    config["finetune"]["runs"]["both"] = {"second_dataset": "standard-train"}
    plan = build_plan.build(config, lambda path: ROOT / path)
    one, both = job_named(plan.runs, "base"), job_named(plan.runs, "both")
    images = plan.images_of(both.training_sets)
    more = both.needs(plan, MACHINE, 1).mb - one.needs(plan, MACHINE, 1).mb
    assert more == 2 * images * 3 * 32**2 >> 20


def test_one_process_trains_what_cannot_share_its_batches(embedded_plan):
    base, linear = (
        job_named(embedded_plan.runs, "base"),
        job_named(embedded_plan.runs, "linear"),
    )
    assert (base.gpus(embedded_plan, MACHINE), linear.gpus(embedded_plan, MACHINE)) == (
        2,
        1,
    )
    assert base.gpus(embedded_plan, Machine(threads=1, gpus=0)) == 0


@pytest.mark.parametrize(
    ("requested", "profile", "detected", "gpus"),
    [
        ("auto", None, 1, 1),
        ("auto", None, 0, 0),
        ("auto", 4, 0, 4),
        (2, None, 0, 2),
        (0, 4, 1, 0),
    ],
)
def test_gpus_are_those_of_the_config_the_profile_or_the_machine(
    requested, profile, detected, gpus
):
    assert resolve_gpus(requested, profile, detected) == gpus


def test_gpus_that_jobs_would_not_get_are_refused():
    check_gpus(2, 2, 2)
    check_gpus(2, None, None)
    with pytest.raises(
        StockpotError, match="gpus: 1, but set-resources .* finetune gpu: 4"
    ):
        check_gpus(1, 4, None)
    with pytest.raises(
        StockpotError, match="gpus: 2, but --resources gpu=1; give .* gpu=2"
    ):
        check_gpus(2, None, 1)
