"""Where the paths of a study begin, and which of them jobs cannot take."""

import re
from pathlib import Path

import pytest

from stockpot.config.check import check_config
from stockpot.config.paths import is_path, not_found, unfit_inputs
from stockpot.config.read import read_study
from stockpot.planning import build_plan
from stockpot.planning.data_roles import used_datasets
from tests.support.own_study import OWN_STUDY, read_config, write_study
from tests.support.paths import ROOT


def test_paths_begin_at_their_file_then_here_then_at_the_checkout(
    photo_folders, tmp_path, monkeypatch
):
    folder = tmp_path / "studies"
    folder.mkdir()
    file = folder / "study.yaml"
    file.write_text(
        OWN_STUDY + "head: {prompts: mine.txt, class_names: ../names.csv}\n",
        encoding="utf-8",
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


def test_every_file_has_its_own_paths(photo_folders, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("a {}")
        (tmp_path / name / "same.pt").touch()
    (tmp_path / "one/a.yaml").write_text(
        OWN_STUDY + "checkpoints: {a: {path: same.pt}}\nhead: {prompts: one.txt}"
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


def test_the_same_file_keeps_its_name_and_so_its_ids(photo_folders):
    assert read_config(OWN_STUDY)["datasets"]["photos"]["path"] == "photos"


def test_a_study_reached_through_a_link_has_the_same_paths(
    photo_folders, tmp_path, monkeypatch
):
    """And so the same ids. A link to data keeps its name, and ".." begins at the linked folder."""
    real = tmp_path / "real"
    (real / "studies").mkdir(parents=True)
    (real / "studies/study.yaml").write_text(
        OWN_STUDY + "head: {prompts: mine.txt, class_names: ../names.csv}\n"
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


def test_a_path_that_is_nowhere_is_said_with_all_places(photo_folders, tmp_path):
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub/study.yaml"
    file.write_text(
        OWN_STUDY.replace("path: drawings", "path: drawnings"), encoding="utf-8"
    )
    given = read_study(ROOT, [file])
    config = given.located()
    (line,) = not_found(config, used_datasets(config), given.layers, ROOT)
    places = f"{tmp_path / 'sub'}, {tmp_path}, {ROOT}"
    assert (
        line
        == f"datasets.drawings.path: no file or folder 'drawnings' in any of {places}"
    )


@pytest.mark.parametrize("word", ["own", "all"])
def test_the_words_of_classes_are_no_paths(photo_folders, schema, word):
    """They were once looked for as files, so that the documented ``classes: own`` was refused."""
    text = OWN_STUDY.replace("path: drawings}", f"path: drawings, classes: {word}}}")
    given = read_study(ROOT, write_study(text))
    config = given.located()
    check_config(config, schema, given.paths)
    assert not_found(config, used_datasets(config), given.layers, ROOT) == []
    build_plan.build(
        config, lambda path: Path(path) if Path(path).exists() else ROOT / path
    )


def test_words_stay_words_where_a_file_of_that_name_lies_beside(
    photo_folders, tmp_path
):
    folder = tmp_path / "studies"
    folder.mkdir()
    for word in ("own", "random"):
        (folder / word).touch()
    text = OWN_STUDY.replace("path: drawings}", "path: drawings, classes: own}")
    (folder / "study.yaml").write_text(text + "model: {weights: random}\n")
    config = read_study(ROOT, [folder / "study.yaml"]).located()
    assert config["datasets"]["drawings"]["classes"] == "own"
    assert config["model"]["weights"] == "random"


def test_a_list_of_classes_beside_its_study_is_found(photo_folders, tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "labels.txt").write_text("cat\ndog\n")
    drawings = "source: parquet, path: drawings, classes: own, class_list: labels.txt}"
    text = OWN_STUDY.replace("source: folder, path: drawings}", drawings)
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


def test_braces_in_a_path_that_is_an_input_of_a_job_are_refused(photo_folders):
    more = "checkpoints: {a: {path: 'o{u}rs.pt'}}\nmodel: {name: m, architecture: '/x/m{i}ni'}\n"
    lines = unfit_inputs(
        read_config(OWN_STUDY.replace("path: drawings", "path: 'd{r}'") + more)
    )
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
def test_inputs_that_reach_a_page_or_a_terminal_are_refused(photo_folders, name, what):
    (line,) = unfit_inputs(
        read_config(f'{OWN_STUDY}checkpoints: {{a: {{path: "{name}"}}}}\n')
    )
    assert line.startswith("checkpoints.a.path: ")
    assert what in line
    assert line.isprintable()


def test_what_is_fetched_or_plays_no_part_need_not_be_there(photo_folders):
    more = """
  unused: {source: folder, path: nowhere}
checkpoints: {theirs: {path: theirs.pt, url: 'https://example.org/theirs.pt'}}
"""
    given = read_study(ROOT, write_study(OWN_STUDY.rstrip() + more))
    config = given.located()
    assert not_found(config, used_datasets(config), given.layers, ROOT) == []
