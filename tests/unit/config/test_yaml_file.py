"""What YAML makes of a file, and the lines that say so."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stockpot.config.check import check_config
from stockpot.config.read import read_study
from stockpot.runtime.errors import StockpotError
from tests.support.config_mistakes import problems_of
from tests.support.own_study import OWN_STUDY, refusal_lines, write_study
from tests.support.paths import ROOT


def problems_of_text(tmp_path, config, schema, text):
    file = tmp_path / "study.yaml"
    file.write_text(text)
    return problems_of(config, schema, [str(file)])


@pytest.mark.parametrize(
    ("text", "where", "line"),
    [
        ("study: a\nthreads: 1\nstudy: b\n", "study", 3),
        (
            "finetune:\n  runs:\n    base: {}\n    base: {lr: 1.0}\n",
            "finetune.runs.base",
            4,
        ),
        ("x:\n- y: 1\n  z: 2\n  y: 3\n", "x.0.y", 4),
        ("datasets: {v2: {a: 1, b: 2,\n a: 3}}\n", "datasets.v2.a", 2),
    ],
)
def test_a_repeated_key_is_named(tmp_path, config, schema, text, where, line):
    (found,) = problems_of_text(tmp_path, config, schema, text)
    assert found.startswith(f"{where}: given twice in study.yaml")
    assert found.endswith(f"line {line}")


def test_a_merge_key_may_repeat(tmp_path, config, schema):
    file = tmp_path / "study.yaml"
    file.write_text("a: &a {x: 1}\nb: &b {y: 1}\nc:\n  <<: *a\n  <<: *b\n  x: 2\n")
    check_config(config, schema, [str(file)])


def test_broken_yaml_is_one_line(tmp_path, config, schema):
    (found,) = problems_of_text(tmp_path, config, schema, "study: a\n  b: : c\n")
    assert "study.yaml: not valid YAML" in found
    assert "line 2" in found


ODD_TEXTS = {
    "on as a name": (
        OWN_STUDY.replace("drawings", "on"),
        "datasets: YAML reads the key on as true; quote it: 'on' (in study.yaml, line 8)",
    ),
    "no as a value": (
        OWN_STUDY.replace("shifts: [drawings]", "shifts: [no]"),
        "data.shifts.0: False is not of type string; YAML reads no as false; quote it: 'no'",
    ),
    "a number as a name": (
        OWN_STUDY.replace("drawings", "2024"),
        "datasets: YAML reads the key 2024 as a number; quote it",
    ),
    "a number as a value": (
        OWN_STUDY.replace("study: mine", "study: 007"),
        "YAML reads 007 as a number; quote it: '007'",
    ),
    "a date": (
        OWN_STUDY.replace("study: mine", "study: 2024-01-01"),
        "reads 2024-01-01 as a date; quote it",
    ),
    "null as a name": (
        OWN_STUDY + "soups: {~: {method: uniform}}",
        "YAML reads the key ~ as null",
    ),
    "a list as a name": (OWN_STUDY + "? [a, b]\n: 1\n", "config: a key must be text"),
    "an infinite number": (
        OWN_STUDY + "threads: .inf\n",
        "threads: inf is not a finite number",
    ),
    "a huge number": (
        OWN_STUDY + f"threads: {10**30}\n",
        "threads: an integer of 100 bits is too large",
    ),
    "a number of 5,000 digits": (
        OWN_STUDY + f"threads: {'9' * 5000}\n",
        "not valid YAML",
    ),
    "tabs": (
        OWN_STUDY + "soups:\n\tuniform: {method: uniform}\n",
        "YAML allows no tabs",
    ),
    "a key twice": (
        OWN_STUDY + "study: again\n",
        "study: given twice in study.yaml, again in line 9",
    ),
    "a list": ("- study: mine\n", "must hold keys with values"),
    "a word": ("study\n", "must hold keys with values"),
    "itself": (
        OWN_STUDY + "soups: &s {a: *s}\n",
        "nested more than 50 levels deep, or within itself",
    ),
    "brackets": (
        OWN_STUDY + f"soups: {'[' * 3000}{']' * 3000}\n",
        "nested more than 50 levels deep",
    ),
    "a class of Python's": (
        OWN_STUDY + "soups: !!python/object:os.system {}\n",
        "not valid YAML",
    ),
    "a name that ends in a new line": (
        OWN_STUDY + 'soups: {"a\\n": {method: uniform}}\n',
        "letters, digits and hyphens",
    ),
    "a name of 200 letters": (
        OWN_STUDY + f"finetune: {{runs: {{{'a' * 200}: {{}}}}}}\n",
        "has 200 characters, more than 80",
    ),
    "runs without end": (
        OWN_STUDY + "finetune: {search: {runs: 1000000000}}\n",
        "maximum of 100000",
    ),
}


@pytest.mark.parametrize("case", ODD_TEXTS)
def test_what_yaml_makes_of_it_is_said_in_a_line(photo_folders, schema, case):
    text, words = ODD_TEXTS[case]
    lines = refusal_lines(schema, text)
    assert words in lines[0]


ENCODINGS = {
    "utf-16": "study: mine\n".encode("utf-16"),
    "cp1252": "study: mine\n# café\n".encode("cp1252"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_file_that_is_not_utf_8_is_named(photo_folders, name):
    Path("study.yaml").write_bytes(ENCODINGS[name])
    with pytest.raises(
        StockpotError, match=r"study\.yaml: not UTF-8 text \(line \d\); save it as"
    ):
        read_study(ROOT, [Path("study.yaml")])


def test_a_byte_order_mark_and_json_with_tabs_are_read(photo_folders):
    Path("study.yaml").write_bytes(b"\xef\xbb\xbf" + OWN_STUDY.encode())
    assert read_study(ROOT, [Path("study.yaml")]).located()["study"] == "mine"
    Path("study.json").write_text('{\n\t"study": "mine"\n}')
    assert read_study(ROOT, [Path("study.json")]).located()["study"] == "mine"


@pytest.mark.parametrize("form", ["[{0}]", "{{a: {0}, b: {0}}}"])
def test_aliases_do_not_multiply(photo_folders, schema, form):
    """Nine aliases of nine, nine times over: each node is visited once, and the sum is bounded."""
    lines = ["x0: &x0 [0, 0, 0, 0, 0, 0, 0, 0, 0]"]
    for i in range(1, 10):
        inner = ", ".join([f"*x{i - 1}"] * 9) if "[" in form else f"*x{i - 1}"
        lines.append(f"x{i}: &x{i} {form.format(inner)}")
    started = time.process_time()
    if "[" in form:
        assert (
            "its aliases stand for more than 500,000 values"
            in refusal_lines(schema, "\n".join(lines))[0]
        )
    else:
        assert refusal_lines(schema, "\n".join(lines))
    assert time.process_time() - started < 5


def test_every_wrong_line_of_a_long_value_is_short(photo_folders, schema):
    refusal_lines(schema, OWN_STUDY + f"threads: {'x' * 100_000}\n")
    refusal_lines(
        schema,
        OWN_STUDY
        + f"sweep: {{targets: [{', '.join(f'n{i}' for i in range(3))}, {'y' * 9_000}]}}\n",
    )


@pytest.mark.process
def test_a_locale_without_utf_8_reads_the_same(photo_folders, schema):
    write_study(OWN_STUDY + "# Ein Häufchen Bilder – 図\n")
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
