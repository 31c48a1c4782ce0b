"""From the files of a study to one config: what it stands on, and where its paths begin."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from stockpot.config.check import check_config
from stockpot.config.overlays import lay_over
from stockpot.config.paths import is_path, not_found, unfit_inputs
from stockpot.config.read import read_defaults, read_study
from stockpot.config.training_runs import finetune_specs, search_names
from stockpot.planning import build_plan as spec
from stockpot.planning.data_roles import used_datasets
from stockpot.planning.run_summary import other_lines, run_lines
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ROOT

OWN = """
study: mine
data: {train: photos-train, held_out: photos-held-out, reference: photos, shifts: [drawings]}
datasets:
  photos-train: {source: folder, path: photos, split: {part: train}}
  photos-held-out: {source: folder, path: photos, split: {part: held-out}}
  photos: {source: folder, path: photos, split: {part: test}}
  drawings: {source: folder, path: drawings}
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A working directory with images of two classes of two kinds."""
    for kind, images in (("photos", 20), ("drawings", 3)):
        for name in ("cat", "dog"):
            folder = tmp_path / kind / name
            folder.mkdir(parents=True)
            for i in range(images):
                (folder / f"{i}.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def study(text: str, *more: str) -> list[Path]:
    """Files with these texts in the working directory."""
    paths = []
    for i, content in enumerate((text, *more)):
        paths.append(Path.cwd() / ("study.yaml" if i == 0 else f"more-{i}.yaml"))
        paths[-1].write_text(content, encoding="utf-8")
    return paths


def located(*texts: str, command_line: dict | None = None) -> dict:
    return read_study(ROOT, study(*texts), command_line).located()


def planned(config: dict, schema: dict) -> spec.Plan:
    check_config(config, schema, [])
    return spec.build(
        config, lambda path: path if (path := Path(path)).exists() else ROOT / path
    )


def refused(schema, *texts: str) -> list[str]:
    """The lines that a study is refused with, as its reader sees them."""

    def read():
        given = read_study(ROOT, study(*texts))
        check_config(given.located(), schema, given.paths)

    with pytest.raises(StockpotError) as error:
        read()
    lines = str(error.value).splitlines()
    assert all(len(line) <= 500 for line in lines)
    return lines


def test_a_study_of_ones_own_has_nothing_of_the_embedded_one(here, schema):
    config = located(OWN)
    embedded = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    plan = planned(config, schema)
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


def test_a_search_has_what_the_study_says_and_no_more(here, schema):
    """It once drew epochs, decay and smoothing from the space of the embedded study."""
    text = (
        OWN
        + """
finetune:
  defaults: {epochs: 10, weight_decay: 0.3}
  search: {runs: 3, space: {lr: {log_uniform: [1.0e-6, 1.0e-5]}}}
"""
    )
    config = located(text)
    check_config(config, schema)
    specs = finetune_specs(config)
    searched = [specs[name] for name in search_names(config)]
    assert len(searched) == 3
    assert "linear" not in specs
    assert {run["epochs"] for run in searched} == {10}
    assert {run["weight_decay"] for run in searched} == {0.3}
    assert {run["label_smoothing"] for run in searched} == {0.0}
    assert len({run["lr"] for run in searched}) == 3


def test_a_space_may_be_of_one_other_kind_than_the_embedded_studys(here, schema):
    space = "finetune: {search: {runs: 2, space: {weight_decay: {choice: [0.1, 0.2]}}}}"
    check_config(located(OWN + space), schema)


def test_runs_of_ones_own_take_the_place_of_the_default_one(here, schema):
    config = located(OWN + "finetune: {runs: {mine: {epochs: 1}, other: {}}}\n")
    assert set(finetune_specs(config)) == {"mine", "other"}
    assert config["sweep"]["targets"] == ["mine", "other", "greedy"]
    check_config(config, schema)


def test_several_runs_are_mixed_and_one_is_not(here, schema):
    search = "finetune: {search: {runs: 2, space: {lr: {choice: [1.0e-5]}}}}\n"
    config = located(OWN + search)
    assert set(config["soups"]) == {"uniform", "greedy", "ensemble"}
    assert config["sweep"]["targets"] == ["base", "greedy"]
    planned(config, schema)
    assert located(OWN)["soups"] == {} == located(OWN + search + "soups: null")["soups"]
    own = located(OWN + search + "soups: {mine: {method: uniform}}")
    assert set(own["soups"]) == {"mine"}
    assert own["sweep"]["targets"] == ["base"]


def test_a_study_of_checkpoints_trains_nothing(here, schema):
    config = located(
        OWN + "checkpoints: {ours: {path: ours.pt}}\nsoups: {greedy: {method: greedy}}"
    )
    assert config["finetune"]["runs"] == {}
    assert config["sweep"]["targets"] == [
        "ours",
        "greedy",
    ]
    assert (
        located(OWN + "checkpoints: {a: {path: a}}\nfinetune: null")["finetune"]["runs"]
        == {}
    )
    check_config(config, schema)


@pytest.mark.parametrize(
    "section", ["baselines", "sweep", "soups", "finetune", "analyses", "model"]
)
def test_a_section_may_be_null(here, schema, section):
    planned(located(OWN + f"{section}: null\n"), schema)


@pytest.mark.parametrize("key", ["train", "held_out", "reference", "shifts"])
def test_a_forgotten_part_is_said_of_the_users_own_file(here, schema, key):
    config = yaml.safe_load(OWN)
    del config["data"][key]
    (line,) = refused(schema, yaml.safe_dump(config))
    assert line.startswith(f"data: '{key}' is a required property: the ")
    assert line.endswith("(in study.yaml)")


def test_names_that_are_offered_are_those_of_this_study(here, schema):
    (line,) = refused(schema, OWN.replace("shifts: [drawings]", "shifts: [drawing]"))
    assert (
        "unknown data set 'drawing'; did you mean 'drawings'? there are drawings, photos,"
        in line
    )
    assert "renditions" not in line
    assert "held-out," not in line.replace("photos-held-out,", "")


def test_what_defines_no_data_varies_the_embedded_study(here, schema):
    """So does what says so."""
    config = located("study: other\nfinetune: {search: {runs: 2}}\n")
    assert "linear" in config["finetune"]["runs"]
    assert config["data"]["train"] == "train"
    config = located("datasets: {v2: {images: 100}}\ndata: {shifts: [v2]}\n")
    assert config["datasets"]["v2"]["distribution"] == "v2"
    assert config["data"]["train"] == "train"
    more = "extends: config.yaml\ndatasets: {own: {source: folder, path: photos}}\n"
    config = located(more + "data: {shifts: [v2, own]}\n")
    assert config["data"]["train"] == "train"
    assert "extends" not in config
    check_config(config, schema)
    said = (
        "datasets: {own: {source: folder, path: photos}}\ndata: {shifts: [v2, own]}\n"
    )
    assert located(said, command_line={"extends": "config.yaml"}) == config


def test_extends_counts_on_the_command_line_too(here):
    data = (
        "datasets: {own: {source: folder, path: photos}}\ndata: {shifts: [v2, own]}\n"
    )
    config = located(data, command_line={"extends": "config.yaml"})
    assert config["data"]["train"] == "train"
    assert "extends" not in config
    with pytest.raises(StockpotError, match="^extends: 'mine.yaml' is not config.yaml"):
        located(data, command_line={"extends": "mine.yaml"})


def test_extends_names_the_embedded_study_alone(here, schema):
    with pytest.raises(
        StockpotError, match=r"^extends: 'mine\.yaml' is not config\.yaml"
    ):
        read_study(ROOT, study(OWN), {"extends": "mine.yaml"})
    (line,) = refused(schema, OWN + "extends: mine.yaml\n")
    assert line.startswith("extends: 'mine.yaml' is not config.yaml")
    assert "--configfile" in line


def test_figures_have_the_options_of_the_embedded_study():
    """A study of one's own draws them as the documented ones are drawn."""
    embedded = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))["figures"]
    assert read_defaults(ROOT)["figures"]["methods"].get("points_below_best") is None
    assert embedded["methods"].get("points_below_best") is None


def test_a_later_file_says_more_and_the_command_line_most(here, schema):
    config = located(
        OWN,
        "finetune: {defaults: {epochs: 7}, runs: {base: {lr: 1.0e-4}}}",
        command_line={"study": "named"},
    )
    assert config["study"] == "named"
    assert config["finetune"]["defaults"]["epochs"] == 7
    assert finetune_specs(config)["base"]["lr"] == 1.0e-4
    planned(config, schema)


def test_an_entry_is_back_after_it_was_taken_away():
    """With its defaults; it once stayed away, so that two studies lacked an analysis."""
    taken = lay_over(
        {"analyses": {"brittleness": {"models": ["a"]}}},
        {"analyses": {"brittleness": None}},
    )
    assert lay_over(taken, {"analyses": {"brittleness": {}}}) == {
        "analyses": {"brittleness": {}}
    }
    assert lay_over(taken, {"analyses": {"brittleness": {"x": 1}}})["analyses"][
        "brittleness"
    ] == {"x": 1}
    assert lay_over({"a": {"b": 1}}, {"a": {}}) == {"a": {"b": 1}}, (
        "an empty map takes nothing away"
    )
    assert lay_over({"a": 3}, {"a": {"b": 1}}) == {"a": {"b": 1}}


def test_an_entry_of_another_kind_in_a_later_file_keeps_nothing_of_the_earlier(
    here, schema
):
    later = "datasets: {drawings: {source: parquet, path: drawings}}"
    first = OWN.replace(
        "path: drawings}", "path: drawings, on_corrupt: skip, split: {part: test}}"
    )
    config = located(first, later)
    assert config["datasets"]["drawings"]["source"] == "parquet"


def test_every_default_is_one_that_a_study_may_have(here, schema):
    """The file is complete: a study needs nothing but its name and its data."""
    required = set(schema["required"]) - set(read_defaults(ROOT))
    assert required == {"study"}
    properties = (
        set(schema["properties"]) - set(read_defaults(ROOT)) - {"study", "extends"}
    )
    assert properties == set()


# Paths.


def test_paths_begin_at_their_file_then_here_then_at_the_checkout(
    here, tmp_path, monkeypatch
):
    folder = tmp_path / "studies"
    folder.mkdir()
    file = folder / "study.yaml"
    file.write_text(
        OWN + "head: {prompts: mine.txt, class_names: ../names.csv}\n", encoding="utf-8"
    )
    (folder / "mine.txt").write_text("a {}")
    (tmp_path / "names.csv").write_text("class,name\n")
    config = read_study(ROOT, [file]).located()
    assert config["head"] == {"prompts": "studies/mine.txt", "class_names": "names.csv"}
    assert config["datasets"]["photos"]["path"] == "photos", "only here"
    (folder / "photos").mkdir()
    assert (
        read_study(ROOT, [file]).located()["datasets"]["photos"]["path"]
        == "studies/photos"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert read_study(ROOT, [file]).located()["head"]["prompts"] == str(
        folder / "mine.txt"
    )


def test_every_file_has_its_own_paths(here, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("a {}")
        (tmp_path / name / "same.pt").touch()
    (tmp_path / "one/a.yaml").write_text(
        OWN + "checkpoints: {a: {path: same.pt}}\nhead: {prompts: one.txt}"
    )
    (tmp_path / "two/b.yaml").write_text("checkpoints: {b: {path: same.pt}}\n")
    config = read_study(
        ROOT, [tmp_path / "one/a.yaml", tmp_path / "two/b.yaml"]
    ).located()
    assert config["head"]["prompts"] == "one/one.txt"
    assert [entry["path"] for entry in config["checkpoints"].values()] == [
        "one/same.pt",
        "two/same.pt",
    ]


def test_the_same_file_keeps_its_name_and_so_its_ids(here):
    assert located(OWN)["datasets"]["photos"]["path"] == "photos"


def test_a_study_reached_through_a_link_has_the_same_paths(here, tmp_path, monkeypatch):
    """And so the same ids. A link to data keeps its name, and ".." begins at the linked folder."""
    real = tmp_path / "real"
    (real / "studies").mkdir(parents=True)
    (real / "studies/study.yaml").write_text(
        OWN + "head: {prompts: mine.txt, class_names: ../names.csv}\n"
    )
    (tmp_path / "a.txt").write_text("a {}")
    (real / "studies/mine.txt").symlink_to(tmp_path / "a.txt")
    (real / "names.csv").write_text("class,name\n")
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "deep").symlink_to(real / "studies")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outside = {
        "prompts": str(real / "studies/mine.txt"),
        "class_names": str(real / "names.csv"),
    }
    inside = {"prompts": "studies/mine.txt", "class_names": "names.csv"}
    for cwd, head in (
        (elsewhere, outside),
        (real, inside),
        (tmp_path / "link", inside),
    ):
        monkeypatch.chdir(cwd)
        for folder in (real / "studies", tmp_path / "link/studies", tmp_path / "deep"):
            assert read_study(ROOT, [folder / "study.yaml"]).located()["head"] == head


def test_a_path_that_is_nowhere_is_said_with_all_places(here, tmp_path):
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub/study.yaml"
    file.write_text(OWN.replace("path: drawings", "path: drawnings"), encoding="utf-8")
    given = read_study(ROOT, [file])
    config = given.located()
    (line,) = not_found(config, used_datasets(config), given.layers, ROOT)
    places = f"{tmp_path / 'sub'}, {tmp_path}, {ROOT}"
    assert (
        line
        == f"datasets.drawings.path: no file or folder 'drawnings' in any of {places}"
    )


@pytest.mark.parametrize("word", ["own", "all"])
def test_the_words_of_classes_are_no_paths(here, schema, word):
    """They were once looked for as files, so that the documented ``classes: own`` was refused."""
    text = OWN.replace("path: drawings}", f"path: drawings, classes: {word}}}")
    given = read_study(ROOT, study(text))
    config = given.located()
    check_config(config, schema, given.paths)
    assert not_found(config, used_datasets(config), given.layers, ROOT) == []
    spec.build(config, lambda path: Path(path) if Path(path).exists() else ROOT / path)


def test_words_stay_words_where_a_file_of_that_name_lies_beside(here, tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    for word in ("own", "random"):
        (folder / word).touch()
    text = OWN.replace("path: drawings}", "path: drawings, classes: own}")
    (folder / "study.yaml").write_text(text + "model: {weights: random}\n")
    config = read_study(ROOT, [folder / "study.yaml"]).located()
    assert config["datasets"]["drawings"]["classes"] == "own"
    assert config["model"]["weights"] == "random"


def test_a_list_of_classes_beside_its_study_is_found(here, tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "labels.txt").write_text("cat\ndog\n")
    drawings = "source: parquet, path: drawings, classes: own, class_list: labels.txt}"
    text = OWN.replace("source: folder, path: drawings}", drawings)
    (folder / "study.yaml").write_text(text)
    config = read_study(ROOT, [folder / "study.yaml"]).located()
    assert config["datasets"]["drawings"]["class_list"] == "studies/labels.txt"


def test_every_option_that_is_looked_up_as_a_file_is_a_path():
    """Sources pass such options to ``locate``, or to a function that names the file for it."""
    keys = {"path", "class_list", "classes"}
    for file in (ROOT / "workflow_scripts/stockpot/datasets/sources").glob("*.py"):
        keys.update(
            re.findall(r"""locate\(entry\[["'](\w+)["']\]\)""", file.read_text("utf-8"))
        )
    assert {"image_folder", "label_file"} <= keys
    for key in keys | {"annotations", "split.held_out_list"}:
        assert is_path(f"datasets.name.{key}", "file"), key


def test_braces_in_a_path_that_is_an_input_of_a_job_are_refused(here):
    more = "checkpoints: {a: {path: 'o{u}rs.pt'}}\nmodel: {name: m, architecture: '/x/m{i}ni'}\n"
    lines = unfit_inputs(located(OWN.replace("path: drawings", "path: 'd{r}'") + more))
    assert [line.split(":")[0] for line in lines] == [
        "model.architecture",
        "checkpoints.a.path",
    ]
    assert "Snakemake takes for wildcards; rename it" in lines[0]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a</script>.pt", "angle brackets"),
        ("\\e[31m.pt", "control"),
        ("\\u202ex.pt", "control"),
    ],
)
def test_inputs_that_reach_a_page_or_a_terminal_are_refused(here, name, what):
    (line,) = unfit_inputs(located(f'{OWN}checkpoints: {{a: {{path: "{name}"}}}}\n'))
    assert line.startswith("checkpoints.a.path: ")
    assert what in line
    assert line.isprintable()


def test_what_is_fetched_or_plays_no_part_need_not_be_there(here):
    more = """
  unused: {source: folder, path: nowhere}
checkpoints: {theirs: {path: theirs.pt, url: 'https://example.org/theirs.pt'}}
"""
    given = read_study(ROOT, study(OWN.rstrip() + more))
    config = given.located()
    assert not_found(config, used_datasets(config), given.layers, ROOT) == []


# What YAML makes of a file.

ODD = {
    "on as a name": (
        OWN.replace("drawings", "on"),
        "datasets: YAML reads the key on as true; quote it: 'on' (in study.yaml, line 8)",
    ),
    "no as a value": (
        OWN.replace("shifts: [drawings]", "shifts: [no]"),
        "data.shifts.0: False is not of type string; YAML reads no as false; quote it: 'no'",
    ),
    "a number as a name": (
        OWN.replace("drawings", "2024"),
        "datasets: YAML reads the key 2024 as a number; quote it",
    ),
    "a number as a value": (
        OWN.replace("study: mine", "study: 007"),
        "YAML reads 007 as a number; quote it: '007'",
    ),
    "a date": (
        OWN.replace("study: mine", "study: 2024-01-01"),
        "reads 2024-01-01 as a date; quote it",
    ),
    "null as a name": (
        OWN + "soups: {~: {method: uniform}}",
        "YAML reads the key ~ as null",
    ),
    "a list as a name": (OWN + "? [a, b]\n: 1\n", "config: a key must be text"),
    "an infinite number": (
        OWN + "threads: .inf\n",
        "threads: inf is not a finite number",
    ),
    "a huge number": (
        OWN + f"threads: {10**30}\n",
        "threads: an integer of 100 bits is too large",
    ),
    "a number of 5,000 digits": (OWN + f"threads: {'9' * 5000}\n", "not valid YAML"),
    "tabs": (OWN + "soups:\n\tuniform: {method: uniform}\n", "YAML allows no tabs"),
    "a key twice": (
        OWN + "study: again\n",
        "study: given twice in study.yaml, again in line 9",
    ),
    "a list": ("- study: mine\n", "must hold keys with values"),
    "a word": ("study\n", "must hold keys with values"),
    "itself": (
        OWN + "soups: &s {a: *s}\n",
        "nested more than 50 levels deep, or within itself",
    ),
    "brackets": (
        OWN + f"soups: {'[' * 3000}{']' * 3000}\n",
        "nested more than 50 levels deep",
    ),
    "a class of Python's": (
        OWN + "soups: !!python/object:os.system {}\n",
        "not valid YAML",
    ),
    "a name that ends in a new line": (
        OWN + 'soups: {"a\\n": {method: uniform}}\n',
        "letters, digits and hyphens",
    ),
    "a name of 200 letters": (
        OWN + f"finetune: {{runs: {{{'a' * 200}: {{}}}}}}\n",
        "has 200 characters, more than 80",
    ),
    "runs without end": (
        OWN + "finetune: {search: {runs: 1000000000}}\n",
        "maximum of 100000",
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_what_yaml_makes_of_it_is_said_in_a_line(here, schema, case):
    text, words = ODD[case]
    lines = refused(schema, text)
    assert words in lines[0]


ENCODINGS = {
    "utf-16": "study: mine\n".encode("utf-16"),
    "cp1252": "study: mine\n# café\n".encode("cp1252"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_file_that_is_not_utf_8_is_named(here, name):
    Path("study.yaml").write_bytes(ENCODINGS[name])
    with pytest.raises(
        StockpotError, match=r"study\.yaml: not UTF-8 text \(line \d\); save it as"
    ):
        read_study(ROOT, [Path("study.yaml")])


def test_a_byte_order_mark_and_json_with_tabs_are_read(here):
    Path("study.yaml").write_bytes(b"\xef\xbb\xbf" + OWN.encode())
    assert read_study(ROOT, [Path("study.yaml")]).located()["study"] == "mine"
    Path("study.json").write_text('{\n\t"study": "mine"\n}')
    assert read_study(ROOT, [Path("study.json")]).located()["study"] == "mine"


@pytest.mark.parametrize("form", ["[{0}]", "{{a: {0}, b: {0}}}"])
def test_aliases_do_not_multiply(here, schema, form):
    """Nine aliases of nine, nine times over: each node is visited once, and the sum is bounded."""
    lines = ["x0: &x0 [0, 0, 0, 0, 0, 0, 0, 0, 0]"]
    for i in range(1, 10):
        inner = ", ".join([f"*x{i - 1}"] * 9) if "[" in form else f"*x{i - 1}"
        lines.append(f"x{i}: &x{i} {form.format(inner)}")
    started = time.process_time()
    if "[" in form:
        assert (
            "its aliases stand for more than 500,000 values"
            in refused(schema, "\n".join(lines))[0]
        )
    else:
        assert refused(schema, "\n".join(lines))
    assert time.process_time() - started < 5


def test_every_wrong_line_of_a_long_value_is_short(here, schema):
    refused(schema, OWN + f"threads: {'x' * 100_000}\n")
    refused(
        schema,
        OWN
        + f"sweep: {{targets: [{', '.join(f'n{i}' for i in range(3))}, {'y' * 9_000}]}}\n",
    )


# The plan's lines of runs.


def test_the_plan_says_of_every_run_what_it_will_be(here):
    config = located(
        OWN + "finetune: {runs: {base: {}, soft: {mixup: 0.2, init_from: base}}}"
    )
    lines = run_lines(config)
    assert lines[0].split() == [
        "run",
        "variant",
        "epochs",
        "batch_size",
        "lr",
        "weight_decay",
        "warmup",
        "label_smoothing",
        "grad_clip_norm",
        "min_crop_area",
    ]
    assert lines[1].split() == [
        "base",
        "end-to-end",
        "3",
        "32",
        "1e-05",
        "0.1",
        "0.1",
        "0",
        "1",
        "0.9",
    ]
    assert lines[2].endswith("0.9   start base, mixup 0.2") or "mixup 0.2" in lines[2]
    assert len(lines) == 3
    assert lines[0].index("lr") == lines[1].index("1e-05")


def test_the_plan_names_what_is_made_of_the_runs(here):
    given = "finetune: {search: {runs: 1, space: {lr: {choice: [0.1]}}}}\nanalyses: {cost: null}"
    lines = other_lines(located(OWN + given))
    assert lines[:2] == [
        "soups: uniform, greedy, ensemble",
        "sweeps of 21 alphas: base, greedy",
    ]
    assert lines[2].startswith("analyses: choosing-alpha, ")
    assert "cost" not in lines[2]
    assert len(lines) == 3


def test_of_many_runs_the_first_are_shown(here):
    config = located(
        OWN + "finetune: {search: {runs: 76, space: {lr: {uniform: [0.1, 0.2]}}}}"
    )
    lines = run_lines(config)
    assert len(lines) == 1 + 1 + 12 + 1
    assert lines[-1] == "… and 64 more runs"


@pytest.mark.process
def test_a_locale_without_utf_8_reads_the_same(here, schema):
    study(OWN + "# Ein Häufchen Bilder – 図\n")
    code = f"""
import json, os, sys, yaml
sys.path.insert(0, {str(ROOT / "workflow_scripts")!r})
from pathlib import Path
from stockpot.planning import build_plan
from stockpot.config.check import check_config
from stockpot.config.read import read_study
root = Path({str(ROOT)!r})
given = read_study(root, [Path("study.yaml")])
schema = yaml.safe_load((root / "schemas/config.schema.yaml").read_text("utf-8"))
check_config(given.located(), schema, given.paths)
print(json.dumps(given.located()["study"]))
"""
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, '"mine"\n'), done.stderr


def test_every_text_is_read_as_utf_8():
    """Whatever the locale is. Our own JSON is ASCII, so that it needs no encoding."""
    for path in [
        *(ROOT / "workflow_scripts").rglob("*.py"),
        *(ROOT / "rules").glob("*.smk"),
    ]:
        for line in path.read_text("utf-8").splitlines():
            if ".read_text()" in line:
                assert "json.loads" in line, f"{path}: {line.strip()}"


@pytest.mark.process
@pytest.mark.slow
def test_a_workflow_that_uses_this_one_as_a_module_gives_its_config(here):
    """In the place of config files; it once was ignored."""
    Path("Snakefile").write_text(
        f"module stockpot:\n    snakefile: {str(ROOT / 'Snakefile')!r}\n"
        "    config: config['soups']\n\nuse rule * from stockpot as stockpot_*\n",
        encoding="utf-8",
    )
    given = {"soups": yaml.safe_load(OWN)}
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
