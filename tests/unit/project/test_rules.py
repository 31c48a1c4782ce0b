"""Rule files hold paths, wildcards and directives; what they need they ask of the plan."""

import ast
import builtins
import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

RULES = sorted((ROOT / "rules").glob("*.smk"))
# Python's at the top of a rule file; the rest is Snakemake's.
STATEMENT = re.compile(
    r"(?m)^(?:import |from |def |class |for |if |else|with |try|@|[A-Za-z_]\w* *=)"
)
MOST_LAMBDAS = 10
MOST_LINES = 5
MOST_LINES_OF_THE_LIBRARY = 40
# The one name that rule files may share.
PLAN = "plan"


def python_of(path: Path) -> ast.Module:
    """The Python at the top level of a rule file, without its rules."""
    lines, taken = [], False
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line[0].isspace() and line[0] not in "#)":
            taken = bool(STATEMENT.match(line))
        lines.append(line if taken or line.startswith(")") else "")
    text = "\n".join(lines)
    # A loop over rules has no Python in it.
    text = re.sub(
        r"(?m)^( +)rule(?: \w+)?:\n(?:\1 +.*\n|\n)*", r"\1pass\n", text + "\n"
    )
    return ast.parse(text)


def names_set(path: Path) -> set[str]:
    """Names that the top level of a rule file sets, but for those that it imports."""
    found = set()
    for node in ast.walk(python_of(path)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
    return found


def functions(path: Path, tree: ast.Module) -> list[tuple[str, int]]:
    """(name, lines) of the functions of a file."""
    return [
        (f"{path.name}: {node.name}", node.end_lineno - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]


def test_rule_files_have_few_lambdas():
    count = sum(
        len(re.findall(r"\blambda\b", path.read_text("utf-8"))) for path in RULES
    )
    assert count <= MOST_LAMBDAS


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_helper_functions_of_rule_files_are_short(path):
    long = [
        name for name, lines in functions(path, python_of(path)) if lines > MOST_LINES
    ]
    assert long == []


def test_rule_files_share_the_plan_alone():
    """So their order does not matter."""
    texts = {path: path.read_text("utf-8") for path in (*RULES, ROOT / "Snakefile")}
    shared = set()
    for path in RULES:
        for name in names_set(path) - {PLAN}:
            others = [text for other, text in texts.items() if other != path]
            if any(
                re.search(rf"(?<![.\w{{\"']){name}\b(?!=)", code_of(text))
                for text in others
            ):
                shared.add((path.name, name))
    assert shared == set()


def code_of(text: str) -> str:
    """A rule file without its texts and remarks."""
    return re.sub(r'""".*?"""|"[^"\n]*"|#.*', "", text, flags=re.DOTALL | 0)


def test_the_snakefile_sets_the_plan_alone():
    assert names_set(ROOT / "Snakefile") == {PLAN}
    assert not names_set(ROOT / "Snakefile") & set(dir(builtins))


@pytest.mark.parametrize("package", ["config", "planning", "workflow"])
def test_functions_that_read_the_config_or_plan_are_short(package):
    long = []
    for path in sorted(
        (ROOT / "workflow_scripts" / "stockpot" / package).rglob("*.py")
    ):
        for name, lines in functions(path, ast.parse(path.read_text("utf-8"))):
            if lines > MOST_LINES_OF_THE_LIBRARY:
                long.append(name)
    assert long == []


def test_scripts_are_thin():
    """They map what Snakemake gives to one call of the library."""
    for path in (ROOT / "workflow_scripts").glob("*.py"):
        assert functions(path, ast.parse(path.read_text("utf-8"))) == [], path.name


def test_every_rule_names_an_environment_that_exists():
    for rules in (ROOT / "rules").glob("*.smk"):
        for line in rules.read_text().splitlines():
            if "envs/" in line:
                assert (rules.parent / line.strip().strip('"')).exists()


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
