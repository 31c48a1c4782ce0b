"""Files that must agree with each other."""

import ast
import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from stockpot.drawing.style import save

ROOT = Path(__file__).parents[2]


def pins(lines: list[str]) -> list[str]:
    return sorted(line.split(" #")[0].strip() for line in lines if "==" in line)


def test_the_conda_environment_has_our_versions():
    environment = yaml.safe_load((ROOT / "envs" / "stockpot.yaml").read_text())
    packages = next(
        entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)
    )
    assert pins(packages) == pins((ROOT / "requirements.txt").read_text().splitlines())


def test_every_package_that_is_installed_with_ours_is_pinned():
    pinned, wanted, seen = set(), [], set()
    for file in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        lines = pins((ROOT / file).read_text().splitlines())
        pinned |= {canonicalize_name(line.split("==")[0]) for line in lines}
        wanted += (
            [] if file == "constraints.txt" else [Requirement(line) for line in lines]
        )
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in metadata.requires(name) or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    wanted.append(needed)
    assert {name for name, _ in seen} - pinned == set()


def test_every_rule_names_an_environment_that_exists():
    for rules in (ROOT / "rules").glob("*.smk"):
        for line in rules.read_text().splitlines():
            if "envs/" in line:
                assert (rules.parent / line.strip().strip('"')).exists()


@pytest.mark.process
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_takes_a_target_for_no_config_file():
    arguments = ["--dry-run", "report", "CONFIG=a.yaml b.yaml", "ARGS=one.csv"]
    shown = subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "--cores all one.csv --configfile a.yaml b.yaml\n" in shown.stdout
    assert "study-name one.csv --configfile a.yaml b.yaml) && " in shown.stdout


def test_a_rule_made_of_a_local_one_is_local():
    """Snakemake takes over all else, but submits such a job to the cluster."""
    text = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    bodies = dict(re.findall(r"^rule (\w+):\n((?:.*\n)*?)(?=^\S|\Z)", text, re.M))
    made = re.findall(
        r"^use rule (\w+) as (\w+) with:\n((?:.*\n)*?)(?=^\S|\Z)", text, re.M
    )
    assert {name for _, name, _ in made} >= {"overview", "sweep"}
    local = [
        (name, "localrule" in body)
        for base, name, body in made
        if "localrule" in bodies[base]
    ]
    assert local == [(name, True) for name, _ in local]
    assert local


def test_no_script_reads_the_config():
    for script in (ROOT / "workflow_scripts").rglob("*.py"):
        assert "snakemake.config" not in script.read_text()


def test_the_model_card_names_the_committed_weights():
    folder = ROOT / "resources" / "mini_clip"
    weights = (folder / "open_clip_model.safetensors").read_bytes()
    assert len(weights) < 8e6
    assert hashlib.sha256(weights).hexdigest() in (folder / "README.md").read_text()


def docs_figures():
    """The script that draws the figures of docs/."""
    path = ROOT / "docs" / "scripts" / "figures.py"
    spec = importlib.util.spec_from_file_location("docs_figures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown", docs_figures().in_docs(), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_figures_in_the_docs_follow_from_the_tables_beside_them(shown, tmp_path):
    save(docs_figures().draw(shown), tmp_path / "figure.png")
    drawn, committed = (
        np.asarray(Image.open(path).convert("RGB"), dtype=float)
        for path in (tmp_path / "figure.png", shown)
    )
    assert drawn.shape == committed.shape
    assert np.abs(drawn - committed).mean() < 0.1


def test_every_figure_of_the_pages_is_there():
    for page in (
        "README.md",
        "docs/results/README.md",
        "docs/guide/methods.md",
        "docs/results/choosing-alpha.md",
    ):
        text = (ROOT / page).read_text()
        links = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
        assert links or page == "docs/guide/methods.md"
        assert [
            link for link in links if not ((ROOT / page).parent / link).exists()
        ] == []


def test_figures_in_the_readme_are_there():
    assert (
        "docs/results/objects/effective-robustness.png"
        in (ROOT / "README.md").read_text()
    )


def test_an_unknown_class_leaves_a_gap_in_the_samples():
    from stockpot.datasets.dataset import Dataset
    from stockpot.drawing.contact_sheet import contact_sheet

    images = np.zeros((3, 8, 8, 3), np.uint8)
    whole = Dataset("whole", images, np.array([1, 0, 1]), ["a", "b"], "1")
    part = Dataset("part", images[:1], np.array([0]), ["b"], "2")
    _, data = contact_sheet([whole, part])
    assert data.to_dict("records") == [
        {"dataset": "whole", "class": "a", "row": 1},
        {"dataset": "whole", "class": "b", "row": 0},
        {"dataset": "part", "class": "b", "row": 0},
    ]


def test_samples_show_the_classes_that_most_sets_have():
    """Also of one that stands for several; a class without images is not shown."""
    from stockpot.datasets.dataset import Dataset, Scoring
    from stockpot.drawing.contact_sheet import contact_sheet

    names = [f"n{i}" for i in range(1000)]
    some = np.array([500, 7, 900, 500, 20])
    images = np.zeros((5, 8, 8, 3), np.uint8)
    whole = Dataset("whole", images, some, names, "1")
    clocks = Scoring(merges={"clock": ["n900", "n3"], "fish": ["n7"]})
    merged = Dataset(
        "merged", images[:2], np.array([1, 0]), ["clock", "fish"], "2", clocks
    )
    figure, data = contact_sheet(
        [whole, merged], columns=3, texts={"n900": "analog clock"}
    )
    assert list(zip(data["dataset"], data["class"], data["row"])) == [
        ("whole", "n7", 1),
        ("whole", "n900", 2),
        ("merged", "n3", 1),
        ("merged", "n7", 0),
        ("merged", "n900", 1),
    ]
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert "analog\nclock" in titles


def test_every_option_of_a_merge_method_is_in_the_docs():
    from stockpot.merging import methods

    rows = (
        (ROOT / "docs" / "guide" / "methods.md")
        .read_text()
        .split("## Options")[1]
        .splitlines()
    )
    cells = [
        [cell.strip(" `") for cell in row.split("|")]
        for row in rows
        if row[:3] == "| `"
    ]
    listed = {(method, key) for _, method, key, *_ in cells}
    assert listed == {
        (name, key) for name in methods.names() for key in methods.options(name)
    }
    assert all(text for _, _, _, _, _, text, _ in cells)


def test_every_merge_method_is_in_the_docs():
    from stockpot.merging import methods

    table = (ROOT / "docs" / "guide" / "methods.md").read_text().split("\n## ")[0]
    listed = [
        line.split("`")[1] for line in table.splitlines() if line.startswith("| `")
    ]
    assert sorted(set(listed) - {"method"}) == methods.names()


def test_every_analysis_selector_and_option_is_in_the_docs():
    from stockpot import analyses
    from stockpot.alpha import selectors

    text = (ROOT / "docs" / "guide" / "analyses.md").read_text()
    first, _, rest = text.partition("## Ways to choose alpha")
    listed = [
        line.split("`")[1] for line in first.splitlines() if line.startswith("| `")
    ]
    assert sorted(set(listed) - {"analysis"}) == analyses.names()
    assert all(
        f"`{name}`" in rest.split("## Statistics")[0] for name in selectors.names()
    )
    rows = [
        line
        for line in text.split("## Options")[1].splitlines()
        if line.startswith("| `")
    ]
    cells = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]
    options = {
        (name, key): analyses.options(name)[key]
        for name in analyses.names()
        for key in analyses.options(name)
    }
    assert {(name, key): [default, text] for name, key, default, _, text in cells} == {
        place: [json.dumps(schema["default"]), schema["description"]]
        for place, schema in options.items()
    }


# From the ground up: what stands first knows nothing of what follows.
LAYERS = [
    "runtime",
    "statistics",
    "metrics",
    "alpha",
    "datasets",
    "models",
    "training",
    "merging",
    "evaluation",
    "tables",
    "drawing",
    "analyses",
    "figures",
    "report",
    "config",
    "planning",
    "cli",
    "workflow",
]


def imported_packages(path: Path, package: Path) -> set[str]:
    """Packages of the library that a module imports from, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1].relative_to(package).parts
            target = [*base, *(node.module.split(".") if node.module else [])]
            names |= {target[0]} if target else {alias.name for alias in node.names}
    return names


@pytest.mark.slow
def test_imports_run_downward():
    package = ROOT / "workflow_scripts" / "stockpot"
    assert {path.parent.name for path in package.glob("*/__init__.py")} == set(LAYERS)
    assert [path.name for path in package.glob("*.py")] == ["__init__.py"]
    upward = []
    for height, layer in enumerate(LAYERS):
        for path in sorted((package / layer).rglob("*.py")):
            above = imported_packages(path, package) & set(LAYERS[height + 1 :])
            upward += [f"{layer}/{path.name} imports {name}" for name in sorted(above)]
    assert upward == []


def errands() -> list[list[str]]:
    """Errand, files to open, what to look for, what comes then: a row each."""
    text = (ROOT / "docs" / "develop" / "errands.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_there_are_seven_errands_of_two_files_at_most():
    rows = errands()
    assert len(rows) == 7
    assert all(len(row) == 4 for row in rows)
    assert all(1 <= len(re.findall(r"`[^`]+`", row[1])) <= 2 for row in rows)


@pytest.mark.parametrize("errand", errands(), ids=lambda row: row[0])
def test_every_file_of_an_errand_is_there(errand):
    """And what to look for is in one of them."""
    _, opened, wanted, then = errand
    files = re.findall(r"`([^`]+)`", opened)
    copied = re.findall(r"`(\w+\.py)`", wanted)
    texts = []
    for file in files:
        names = copied if file.endswith("<name>.py") else [Path(file).name]
        folder = (ROOT / file).parent
        if file.endswith("<name>.csv"):
            names = [Path(name).stem + ".csv" for name in copied]
        assert names, file
        assert all((folder / name).is_file() for name in names), file
        texts += [(folder / name).read_text() for name in names]
    for symbol in re.findall(r"`(\w+)`", wanted):
        assert any(
            re.search(rf"^(def |class |){symbol}\b", text, re.M) for text in texts
        ), symbol
    targets = (ROOT / "Makefile").read_text()
    for reference in re.findall(r"`([^`]+)`", then):
        if reference.startswith("make "):
            assert f"\n{reference.split()[1]}:" in targets
        else:
            assert (ROOT / reference).is_file(), reference


def anchors(page: Path) -> set[str]:
    """The names that links to the headings of a Markdown page use, as on GitHub."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in words}


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if heading and target.suffix == ".md":
            assert heading in anchors(target), link
