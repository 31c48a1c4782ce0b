"""Every study of configs/ plans, together with the files that its first line names.

Data sets are folders with nothing in them but what planning looks at.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from stockpot.config.check import check_config
from stockpot.config.read import read_study
from stockpot.config.training_runs import run_specs
from stockpot.planning import build_plan as spec
from tests.support.paths import PROJECT, ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
FILES = [
    "imagenet/train/n01440764/",
    "imagenet/val/n01440764/",
    "imagenet/real.json",
    "imagenet/human_accuracy_v3.0.0.json",
    "objectnet/objectnet-1.0/images/alarm_clock/",
    "cifar10-2/cifar102_test.npz",
    "fmow/rgb_metadata.csv",
    "fmow/country_code_mapping.csv",
    "fmow/images/",
    "imagenet-vid-robust/metadata/labels.json",
    "imagenet-vid-robust/metadata/pmsets.json",
    "imagenet-vid-robust/val/",
    "ytbb-robust/ytbb_videos/",
    "ytbb-robust/metadata/anchor_labels.json",
    "ytbb-robust/metadata/pmk_labels.json",
    "ytbb-robust/metadata/ytbb_robustness_test_anchors_full.csv",
    "cars/cars_train/",
    "cars/cars_test/",
    "cars/devkit/cars_train_annos.mat",
    "cars/cars_test_annos_withlabels.mat",
    "sun397/SUN397/a/",
    "sun397/Training_01.txt",
    "sun397/Testing_01.txt",
    "mine/1.jpg",
    "mine/2.jpg",
    *(f"mine/photos/{c}/{i}.jpg" for c in "ab" for i in range(10)),
]
ALPHAS = [round(0.05 * i, 2) for i in range(21)]


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory) -> Path:
    """A working directory with what planning looks at below data/."""
    study_folder = tmp_path_factory.mktemp("study")
    for file in FILES:
        path = study_folder / "data" / file
        if file.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    held_out = np.zeros(1_281_167)
    held_out[: 26 * 1000] = 1
    np.save(study_folder / "data/imagenet/imagenet_98_idxs.npy", held_out)
    (study_folder / "data/mine/elsewhere.csv").write_text(
        "path,label\n1.jpg,a\n2.jpg,b\n"
    )
    columns = yaml.safe_load((ROOT / "configs/testbed.yaml").read_text())
    columns = columns["baselines"]["table"]["columns"].values()
    rows = [["model", *columns]] + [
        [f"m{i}", *(str(50 + i) for _ in columns)] for i in range(4)
    ]
    (study_folder / "data/testbed.csv").write_text(
        "".join(",".join(row) + "\n" for row in rows)
    )
    return study_folder


def files_of_study(file: Path) -> list[Path]:
    """The files of a study: those that the first line says, or the file alone."""
    found = re.search(r"--configfile (.+)$", file.read_text().splitlines()[0])
    names = shlex.split(found[1]) if found else [f"configs/{file.name}"]
    return [ROOT / name for name in names]


def read_and_plan(
    files: list[Path], schema: dict, study_folder: Path
) -> tuple[dict, spec.Plan]:
    """Config and plan, made as the Snakefile makes them."""
    given = read_study(ROOT, files)
    config = given.located()
    check_config(config, schema, given.paths)

    def locate(path: str) -> Path:
        return study_folder / path if (study_folder / path).exists() else ROOT / path

    return config, spec.build(config, locate)


@pytest.fixture(scope="module")
def plans(schema, study_folder):
    """Name of a file of configs/ -> config and plan, made once."""
    made = {}

    def plan(name: str) -> tuple[dict, spec.Plan]:
        if name not in made:
            made[name] = read_and_plan(
                files_of_study(ROOT / "configs" / f"{name}.yaml"), schema, study_folder
            )
        return made[name]

    return plan


@pytest.mark.process
@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_config_plans(file, plans):
    assert file in files_of_study(file)
    config, plan = plans(file.stem)
    assert plan.studies
    assert all(study.startswith(config["study"]) for study in plan.studies)


@pytest.mark.process
def test_studies_have_names_of_their_own(plans):
    lines = {tuple(files_of_study(file)) for file in CONFIGS}
    studies = Counter(plans(line[-1].stem)[0]["study"] for line in lines)
    shared = {name for name, times in studies.items() if times > 1}
    # The embedded study with other weights or seeds; a study on ImageNet with a line.
    assert shared == {"objects", "wise-ft-vit-b-16"}


TRANSFER = ("cars", "cifar100", "dtd", "food101", "sun397")
# runs trained, checkpoints, models that are not the ends of a sweep, sweeps
SIZES = {
    "imagenet": (2, 0, 1, 2),
    "wise-ft-vit-b-32": (2, 0, 1, 2),
    "wise-ft-vit-b-16": (2, 0, 1, 2),
    "wise-ft-vit-l-14-336": (2, 0, 1, 2),
    "wise-ft-ablations": (19, 0, 9, 7),
    "few-shot": (8, 0, 0, 8),
    "soups-vit-b-32": (73, 0, 9, 3),
    "soups-seeds": (21, 0, 2, 1),
    "public-soups": (0, 72, 10, 3),
    "public-soups-list": (0, 72, 10, 3),
    "cifar": (2, 0, 1, 2),
    "fmow": (2, 0, 1, 2),
    "iwildcam": (2, 0, 1, 2),
    "video": (2, 0, 1, 2),
    "real": (0, 72, 10, 3),
    "multilabel": (0, 72, 10, 3),
    "testbed": (2, 0, 1, 2),
    "transfer": (2, 0, 1, 2),
    **{
        f"transfer-{name}": (2, 0, 1, 2)
        for name in ("cars", "dtd", "sun397", "food101")
    },
    "transfer-cifar100": (2, 0, 1, 2),
    "cross-vit-b-32": (6, 0, 7, 1),
    "own-data": (5, 0, 4, 3),
}


USUAL_ANALYSES = {
    "choosing-alpha",
    "comparisons",
    "chords",
    "diagnosis",
    "frontier",
    "calibration",
    "diversity",
    "overrides",
    "brittleness",
    "cost",
}
ONE_RUN = USUAL_ANALYSES - {"diagnosis", "brittleness"}
MANY_RUNS = USUAL_ANALYSES | {"pairs", "growing", "landscape"}
ANALYSES = {
    **dict.fromkeys(
        ["colours", "digits", "pretrain", "seeds", "textures", "own-data"],
        USUAL_ANALYSES,
    ),
    **dict.fromkeys(
        ["imagenet", "testbed", "cifar", "fmow", "iwildcam", "video"], ONE_RUN
    ),
    **dict.fromkeys(
        [f"wise-ft-vit-{model}" for model in ("b-32", "b-16", "l-14-336")], ONE_RUN
    ),
    **dict.fromkeys(["transfer", *(f"transfer-{name}" for name in TRANSFER)], ONE_RUN),
    **dict.fromkeys(
        ["public-soups", "public-soups-list", "real", "multilabel"], MANY_RUNS
    ),
    "soups-vit-b-32": MANY_RUNS,
    "soups-seeds": ONE_RUN - {"diversity", "overrides"} | {"growing"},
    "wise-ft-ablations": ONE_RUN | {"brittleness"},
    "few-shot": ONE_RUN - {"diversity"} | {"low-shot"},
    "cross": {"choosing-alpha", "members"},
    "cross-vit-b-32": {"choosing-alpha", "members", "cost"},
    "methods": {"comparisons", "diagnosis", "frontier", "calibration", "cost"},
    "evidence": {
        "choosing-alpha",
        "diagnosis",
        "diversity",
        "brittleness",
        "pairs",
        "landscape",
        "growing",
        "growing-seeds",
        "low-shot",
        "joint",
    },
}


@pytest.mark.process
@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_config_has_the_analyses_and_pages_that_it_asks_for(file, plans):
    """None is lost where one file takes an entry away and a later one gives it again as {}."""
    config, _ = plans(file.stem)
    assert set(config["analyses"]) == ANALYSES[file.stem]
    assert config["pages"] == ["overview", "explore"]


@pytest.mark.process
def test_a_list_of_held_out_images_takes_the_warning_away(plans):
    drawn, listed = (plans(name)[1] for name in ("public-soups", "public-soups-list"))
    assert (
        "were trained on the held-out images (imagenet-held-out)" in drawn.held_out_note
    )
    assert drawn.held_out_note in drawn.summary
    assert listed.held_out_note == ""
    assert plans("soups-vit-b-32")[1].held_out_note == ""
    for name in ("real", "multilabel"):
        assert plans(name)[1].held_out_note == drawn.held_out_note
    for plan in (drawn, listed):
        assert plan.sizes["imagenet-held-out"] == 26_000
    (held_out,) = (
        job.spec
        for job in listed.datasets.values()
        if job.spec["name"] == "imagenet-held-out"
    )
    assert held_out["listed"]["path"].endswith("data/imagenet/imagenet_98_idxs.npy")


def test_every_config_of_the_papers_is_counted():
    embedded = {
        "colours",
        "cross",
        "digits",
        "evidence",
        "methods",
        "pretrain",
        "seeds",
        "textures",
    }
    assert set(SIZES) == {file.stem for file in CONFIGS} - embedded


@pytest.mark.process
@pytest.mark.parametrize("name", SIZES)
def test_what_a_config_plans(name, plans):
    runs, checkpoints, soups, sweeps = SIZES[name]
    config, plan = plans(name)
    assert (len(plan.runs), len(plan.checkpoints), len(plan.soups)) == (
        runs,
        checkpoints,
        soups,
    )
    evaluations = plan.studies[f"{config['study']}/seed0"].evaluations
    swept = [e for e in evaluations if plan.evaluations[e].sweep_start]
    assert len(swept) == sweeps
    assert all(plan.evaluations[e].spec["alphas"] == ALPHAS for e in swept)
    models = [
        m
        for e in evaluations
        if e not in swept
        for m in plan.evaluations[e].spec["members"]
    ]
    outside = len(config["tasks"])  # runs on other tasks are not evaluated
    assert len(models) == 1 + runs - outside + checkpoints + soups


@pytest.mark.process
def test_no_config_of_the_papers_trains_standard_models_or_uses_embedded_data(plans):
    for name in SIZES:
        config, plan = plans(name)
        assert config["baselines"]["models"] == {}
        sources = {job.spec["source"] for job in plan.datasets.values()}
        assert not sources & {"world", "handwriting", "adversarial"}


def test_imagenet_is_as_in_the_papers(plans):
    config, plan = plans("wise-ft-vit-b-16")
    assert plan.sizes == {
        "imagenet": 50000,
        "imagenet-v2": 10000,
        "imagenet-r": 30000,
        "imagenet-sketch": 50889,
        "objectnet": 18574,
        "imagenet-a": 7500,
        "imagenet-held-out": 26000,
    }
    assert sum(plan.sizes.values()) == 192963
    defaults = config["finetune"]["defaults"]
    expected = {
        "lr": 3.0e-5,
        "weight_decay": 0.1,
        "epochs": 10,
        "batch_size": 512,
        "grad_clip_norm": 1.0,
    }
    assert {key: defaults[key] for key in expected} == expected
    assert defaults["min_crop_area"] == 0.9
    (zero_shot,) = plan.zero_shots.values()
    assert len(zero_shot.spec["prompts"]) == 80
    assert len(zero_shot.spec["classes"]) == 1000


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("wise-ft-vit-b-32", 1255167),
        ("wise-ft-vit-l-14-336", 1255167),
        ("cifar", 49000),
        ("fmow", 76863),
        ("iwildcam", 129809),
    ],
)
def test_warm_up_is_500_steps(name, images, plans):
    defaults = plans(name)[0]["finetune"]["defaults"]
    steps = defaults["epochs"] * images / defaults["batch_size"]
    assert defaults["warmup"] * steps == pytest.approx(500, rel=0.02)


def test_studies_of_one_model_share_their_runs(plans):
    runs = set(plans("wise-ft-vit-b-16")[1].runs)
    assert runs <= set(plans("wise-ft-ablations")[1].runs)
    assert runs == set(plans("testbed")[1].runs)
    assert set(plans("wise-ft-vit-l-14-336")[1].runs) == set(plans("video")[1].runs)


def test_choices_are_made_on_the_same_images_with_and_without_training(plans):
    splits = [
        plans(name)[0]["datasets"]["imagenet-held-out"]["split"]
        for name in ("soups-vit-b-32", "public-soups")
    ]
    assert [(split["held_out"], split.get("seed", 0)) for split in splits] == [
        (26, 0)
    ] * 2


def test_the_published_models(plans):
    config, plan = plans("public-soups")
    assert list(config["checkpoints"]) == [f"model-{i}" for i in range(72)]
    for i, entry in enumerate(config["checkpoints"].values()):
        assert entry["path"].endswith(f"/model_{i}.pt")
        assert entry["url"].endswith(f"/v0.0.2/model_{i}.pt")
    settings = [
        entry["hyperparameters"] for entry in list(config["checkpoints"].values())[1:]
    ]
    assert settings[3] == settings[4]
    assert len({str(one) for one in settings}) == 70
    assert all(set(one) == set(settings[0]) for one in settings)
    assert 1.0e-6 <= min(one["lr"] for one in settings)
    assert max(one["lr"] for one in settings) <= 1.0e-4
    numbers = {name: len(soup.ingredients) for name, soup in _soups(plan).items()}
    assert numbers["uniform"] == numbers["ensemble"] == 72
    assert set(numbers.values()) == {71, 72}


def test_the_searched_models_begin_from_the_linear_classifier(plans):
    config, plan = plans("soups-vit-b-32")
    searched = {
        name: run for name, run in run_specs(config).items() if "search" in name
    }
    assert len(searched) == 72
    (linear,) = [
        run_id for run_id, run in plan.runs.items() if run.spec["name"] == "linear"
    ]
    starts = {tuple(run.start) for run_id, run in plan.runs.items() if run_id != linear}
    assert starts == {(linear,)}
    assert all(
        run["batch_size"] == 512 and run["min_crop_area"] == 0.9
        for run in searched.values()
    )


def _soups(plan) -> dict[str, dict]:
    return {soup_id.rpartition("-")[0]: soup for soup_id, soup in plan.soups.items()}


def test_the_page_of_the_papers_names_the_files_as_the_configs_do():
    """Those of a config's first line, in its order; or the example with another model."""
    page = (ROOT / "docs/guide/papers.md").read_text()
    known = {tuple(path.stem for path in files_of_study(file)) for file in CONFIGS}
    lists = re.findall(r"(?:configs/[\w-]+\.yaml\s+)+configs/[\w-]+\.yaml", page)
    named = [tuple(re.findall(r"configs/([\w-]+)\.yaml", text)) for text in lists]
    assert set(named) - known == {("imagenet", "wise-ft-vit-b-32", "cifar")}
    rows = dict(re.findall(r"^\| ([\w-]+) \| `(configs/[^`]+)` \|", page, re.MULTILINE))
    for study, files in rows.items():
        last = ROOT / files.split()[-1]
        assert files_of_study(last) == [ROOT / name for name in files.split()]
        assert yaml.safe_load(last.read_text())["study"] == study
    without_row = {"imagenet", "transfer", "testbed", "own-data"}
    assert set(rows) == set(SIZES) - without_row
    assert all(f"{name}.yaml" in page for name in without_row)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "public-soups",
            {"adopt_checkpoint": 72, "prepare_dataset": 8, "fetch_dataset": 4},
        ),
        ("own-data", {"finetune": 5, "prepare_dataset": 4}),
    ],
)
def test_snakemake_plans(name, expected, study_folder, tmp_path):
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(study_folder / "data", tmp_path / "data")
    for part in (*PROJECT, "configs"):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
        else:
            shutil.copy2(ROOT / part, tmp_path / part)
    files = [
        str(path.relative_to(ROOT))
        for path in files_of_study(ROOT / f"configs/{name}.yaml")
    ]
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "--cores",
        "2",
        "--configfile",
        *files,
    ]
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST"))
    }
    done = subprocess.run(
        command, cwd=tmp_path, env=kept, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert {rule: int(jobs.get(rule, 0)) for rule in expected} == expected
