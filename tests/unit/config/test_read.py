"""From the files of a study to one config."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stockpot.config.check import check_config
from stockpot.config.read import read_defaults, read_study
from stockpot.config.training_runs import finetune_specs
from stockpot.planning import build_plan
from stockpot.runtime.errors import StockpotError
from tests.support.own_study import OWN_STUDY, read_config, refusal_lines, write_study
from tests.support.paths import ROOT


def check_and_plan(config: dict, schema: dict) -> build_plan.Plan:
    check_config(config, schema, [])
    return build_plan.build(
        config, lambda path: path if (path := Path(path)).exists() else ROOT / path
    )


def test_a_study_of_ones_own_has_nothing_of_the_embedded_one(photo_folders, schema):
    config = read_config(OWN_STUDY)
    embedded = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    plan = check_and_plan(config, schema)
    assert set(config["datasets"]) == {
        "photos-train",
        "photos-held-out",
        "photos",
        "drawings",
    }
    assert [run.spec["name"] for run in plan.runs.values()] == ["base"]
    assert not plan.soups
    assert config["sweep"]["targets"] == ["base"]
    assert config["baselines"]["models"] == {}
    assert config["finetune"]["search"]["space"] == {}
    defaults = read_defaults(ROOT)
    for section in ("evaluation", "statistics", "analyses", "figures", "pages", "head"):
        assert config[section] == defaults[section]
    # As in the embedded study, the figure of methods has no points_below_best.
    assert "points_below_best" not in config["figures"]["methods"]
    assert embedded["figures"]["methods"]["points_below_best"] is None
    assert (
        finetune_specs(config)["base"]["lr"] == defaults["finetune"]["defaults"]["lr"]
    )
    assert (
        defaults["finetune"]["defaults"]["lr"] != embedded["finetune"]["defaults"]["lr"]
    )


def test_several_runs_are_mixed_and_one_is_not(photo_folders, schema):
    search = "finetune: {search: {runs: 2, space: {lr: {choice: [1.0e-5]}}}}\n"
    config = read_config(OWN_STUDY + search)
    assert set(config["soups"]) == {"uniform", "greedy", "ensemble"}
    assert config["sweep"]["targets"] == ["base", "greedy"]
    check_and_plan(config, schema)
    assert (
        read_config(OWN_STUDY)["soups"]
        == {}
        == read_config(OWN_STUDY + search + "soups: null")["soups"]
    )
    own = read_config(OWN_STUDY + search + "soups: {mine: {method: uniform}}")
    assert set(own["soups"]) == {"mine"}
    assert own["sweep"]["targets"] == ["base"]


def test_a_study_of_checkpoints_trains_nothing(photo_folders, schema):
    config = read_config(
        OWN_STUDY
        + "checkpoints: {ours: {path: ours.pt}}\nsoups: {greedy: {method: greedy}}"
    )
    assert config["finetune"]["runs"] == {}
    assert config["sweep"]["targets"] == [
        "ours",
        "greedy",
    ]
    assert (
        read_config(OWN_STUDY + "checkpoints: {a: {path: a}}\nfinetune: null")[
            "finetune"
        ]["runs"]
        == {}
    )
    check_config(config, schema)


@pytest.mark.parametrize(
    "section", ["baselines", "sweep", "soups", "finetune", "analyses", "model"]
)
def test_a_section_may_be_null(photo_folders, schema, section):
    check_and_plan(read_config(OWN_STUDY + f"{section}: null\n"), schema)


@pytest.mark.parametrize("key", ["train", "held_out", "reference", "shifts"])
def test_a_forgotten_part_is_said_of_the_users_own_file(photo_folders, schema, key):
    config = yaml.safe_load(OWN_STUDY)
    del config["data"][key]
    (line,) = refusal_lines(schema, yaml.safe_dump(config))
    assert line.startswith(f"data: '{key}' is a required property: the ")
    assert line.endswith("(in study.yaml)")


def test_names_that_are_offered_are_those_of_this_study(photo_folders, schema):
    (line,) = refusal_lines(
        schema, OWN_STUDY.replace("shifts: [drawings]", "shifts: [drawing]")
    )
    assert (
        "unknown data set 'drawing'; did you mean 'drawings'? there are drawings, photos,"
        in line
    )
    assert "renditions" not in line
    assert "held-out," not in line.replace("photos-held-out,", "")


def test_what_defines_no_data_varies_the_embedded_study(photo_folders, schema):
    """So does what says so."""
    config = read_config("study: other\nfinetune: {search: {runs: 2}}\n")
    assert "linear" in config["finetune"]["runs"]
    assert config["data"]["train"] == "train"
    config = read_config("datasets: {v2: {images: 100}}\ndata: {shifts: [v2]}\n")
    assert config["datasets"]["v2"]["distribution"] == "v2"
    assert config["data"]["train"] == "train"
    more = "extends: config.yaml\ndatasets: {own: {source: folder, path: photos}}\n"
    config = read_config(more + "data: {shifts: [v2, own]}\n")
    assert config["data"]["train"] == "train"
    assert "extends" not in config
    check_config(config, schema)
    said = (
        "datasets: {own: {source: folder, path: photos}}\ndata: {shifts: [v2, own]}\n"
    )
    assert read_config(said, command_line={"extends": "config.yaml"}) == config


def test_extends_counts_on_the_command_line_too(photo_folders):
    data = (
        "datasets: {own: {source: folder, path: photos}}\ndata: {shifts: [v2, own]}\n"
    )
    config = read_config(data, command_line={"extends": "config.yaml"})
    assert config["data"]["train"] == "train"
    assert "extends" not in config
    with pytest.raises(StockpotError, match="^extends: 'mine.yaml' is not config.yaml"):
        read_config(data, command_line={"extends": "mine.yaml"})


def test_extends_names_the_embedded_study_alone(photo_folders, schema):
    with pytest.raises(
        StockpotError, match=r"^extends: 'mine\.yaml' is not config\.yaml"
    ):
        read_study(ROOT, write_study(OWN_STUDY), {"extends": "mine.yaml"})
    (line,) = refusal_lines(schema, OWN_STUDY + "extends: mine.yaml\n")
    assert line.startswith("extends: 'mine.yaml' is not config.yaml")
    assert "--configfile" in line


def test_figures_have_the_options_of_the_embedded_study():
    """A study of one's own draws them as the documented ones are drawn."""
    embedded = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))["figures"]
    assert read_defaults(ROOT)["figures"]["methods"].get("points_below_best") is None
    assert embedded["methods"].get("points_below_best") is None


def test_a_later_file_says_more_and_the_command_line_most(photo_folders, schema):
    config = read_config(
        OWN_STUDY,
        "finetune: {defaults: {epochs: 7}, runs: {base: {lr: 1.0e-4}}}",
        command_line={"study": "named"},
    )
    assert config["study"] == "named"
    assert config["finetune"]["defaults"]["epochs"] == 7
    assert finetune_specs(config)["base"]["lr"] == 1.0e-4
    check_and_plan(config, schema)


def test_every_default_is_one_that_a_study_may_have(photo_folders, schema):
    """The file is complete: a study needs nothing but its name and its data."""
    required = set(schema["required"]) - set(read_defaults(ROOT))
    assert required == {"study"}
    properties = (
        set(schema["properties"]) - set(read_defaults(ROOT)) - {"study", "extends"}
    )
    assert properties == set()


@pytest.mark.process
@pytest.mark.slow
def test_a_workflow_that_uses_this_one_as_a_module_gives_its_config(photo_folders):
    """In the place of config files; it once was ignored."""
    Path("Snakefile").write_text(
        f"module stockpot:\n    snakefile: {str(ROOT / 'Snakefile')!r}\n"
        "    config: config['soups']\n\nuse rule * from stockpot as stockpot_*\n",
        encoding="utf-8",
    )
    given = {"soups": yaml.safe_load(OWN_STUDY)}
    Path("theirs.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--list-rules",
        "--configfile",
        "theirs.yaml",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Study mine" in done.stderr
    assert "data.train: photos-train, " in done.stderr
