"""What the config says of a checkpoint, and by what a checkpoint is known."""

import os

import pytest

from stockpot.config.schema import schema_errors, with_plugin_options
from stockpot.planning import build_plan as planning
from stockpot.planning.model_descriptions import stated_hyperparameters
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ROOT

pytestmark = [pytest.mark.process, pytest.mark.slow]


def plan_of(config, path, **entry):
    config["checkpoints"] = {"wild": {"path": "wild.pt", **entry}}
    return planning.build(
        config, lambda p: path if p == "wild.pt" else ROOT / p
    ).checkpoints


def test_a_checkpoint_is_known_by_its_content_or_its_address(config, tmp_path):
    path = tmp_path / "wild.pt"
    with pytest.raises(
        StockpotError, match=r"^checkpoints\.wild\.path: cannot read .*wild\.pt"
    ):
        plan_of(config, path)
    remote = {"url": "http://x/y.pt", "checksum": "sha256:" + "1" * 64}
    before = plan_of(config, path, **remote)
    path.write_bytes(b"content")
    assert plan_of(config, path, **remote) == before, "it is fetched, or was"
    assert [entry.files for entry in before.values()] == [()]
    own = plan_of(config, path)
    assert [entry.files for entry in own.values()] == [(str(path),)]
    assert (
        len({*own, *before, *plan_of(config, path, variant="linear-classifier")}) == 3
    )
    assert list(plan_of(config, path, hyperparameters={"lr": 1})) == list(own), (
        "these change no weights"
    )
    path.write_bytes(b"another")
    assert not own.keys() & plan_of(config, path).keys()


COPIED = {
    "variant": "from-scratch",
    "task": "objects",
    "init_from": "linear",
    "second_dataset": "sketch",
    "shots": 4,
    "name": "other",
    "seed": 1,
    "kind": "zero-shot",
    "towers_only": True,
    "epochs": 10,
    "lr": 1e-5,
}


def test_hyperparameters_of_a_checkpoint_never_change_what_it_is(config, tmp_path):
    """A copied list of hyperparameters has the words of a run in it."""
    path = tmp_path / "wild.pt"
    path.write_bytes(b"content")
    config["checkpoints"] = {"wild": {"path": "wild.pt"}}
    plans = []
    for settings in ({}, COPIED):
        config["checkpoints"]["wild"]["hyperparameters"] = settings
        plans.append(
            planning.build(config, lambda p: path if p == "wild.pt" else ROOT / p)
        )
    for plan in plans:
        (study,) = plan.studies.values()
        model = study.models["wild"]
        settings = model.pop("settings")
        assert model["kind"] == "end-to-end"
        assert model["images"] is None
        assert model["on_own_task"]
        meant = (
            "variant",
            "task",
            "init_from",
            "second_dataset",
            "shots",
            "towers_only",
        )
        assert not set(meant) & set(settings)
        (members,) = [
            job.spec["members"]
            for job in plan.evaluations.values()
            if any(member["name"] == "wild" for member in job.spec["members"])
        ]
        assert [member["kind"] for member in members if member["name"] == "wild"] == [
            "end-to-end"
        ]
    assert plans[0].evaluations == plans[1].evaluations
    assert plans[0].soups == plans[1].soups
    assert plans[0].checkpoints == plans[1].checkpoints, "its job is the same"
    assert settings["lr"] == 1e-5
    assert settings["epochs"] == 10
    assert settings["stated_task"] == "objects"
    assert settings["stated_shots"] == 4


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"betas": [0.9, 0.98]}, {"betas": "[0.9, 0.98]"}),
        ({"shots": "many"}, {"stated_shots": "many"}),
        ({"second_dataset": "x"}, {"stated_second_dataset": "x"}),
        ({"epochs": "many"}, {"epochs": "many"}),
        ({1: 2}, {"1": 2}),
        ({"lr": float("nan")}, {"lr": "NaN"}),
    ],
)
def test_odd_hyperparameters_are_text(given, shown):
    assert stated_hyperparameters(given) == shown


def test_odd_hyperparameters_pass_the_schema_or_get_a_line(config, schema, tmp_path):
    config["checkpoints"] = {
        "wild": {"path": "x", "hyperparameters": {"betas": [0.9, 0.98], "a": "b"}}
    }
    assert schema_errors(config, with_plugin_options(schema)) == []
    for wrong, said in (
        ({1: 2}, "1 is not of type string"),
        ({"a": {"b": 1}}, "is not of type n"),
    ):
        config["checkpoints"]["wild"]["hyperparameters"] = wrong
        (line,) = schema_errors(config, with_plugin_options(schema))
        assert line.startswith("checkpoints.wild.hyperparameters")
        assert said in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "git lfs pull fetches",
        ),
        (b"<html><body>Sign in</body></html>", "a page of a website"),
    ],
)
def test_what_stands_in_for_a_checkpoint_is_named_at_planning(
    config, tmp_path, content, said
):
    (tmp_path / "wild.pt").write_bytes(content)
    with pytest.raises(StockpotError, match=rf"^checkpoints\.wild\.path: .*{said}"):
        plan_of(config, tmp_path / "wild.pt")
    config["model"] |= {"weights": "wild.pt"}
    with pytest.raises(StockpotError, match=rf"^model\.weights: .*{said}"):
        planning.build(config, lambda p: tmp_path / p if p == "wild.pt" else ROOT / p)


def test_a_pipe_in_place_of_a_checkpoint_is_named_at_planning(config, tmp_path):
    os.mkfifo(tmp_path / "wild.pt")
    with pytest.raises(
        StockpotError, match=r"^checkpoints\.wild\.path: .*it is a pipe"
    ):
        plan_of(config, tmp_path / "wild.pt")


def test_names_of_tensors_are_part_of_what_a_checkpoint_is(config, schema, tmp_path):
    (tmp_path / "wild.pt").write_bytes(b"content")
    before = plan_of(config, tmp_path / "wild.pt")
    given = {"prefix": "ema.", "rename": {"fc.": "head."}, "ignore": ["loss."]}
    given["class_list"] = "ignore"
    after = plan_of(config, tmp_path / "wild.pt", **given)
    assert schema_errors(config, with_plugin_options(schema)) == []
    assert not before.keys() & after.keys()
    (entry,) = after.values()
    assert given.items() <= entry.spec.items()
