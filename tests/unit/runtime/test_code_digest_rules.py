"""The code of each rule: all that it loads is in its digest."""

import ast
import re

import pytest
import yaml

from stockpot.runtime import code_digest as digest
from stockpot.runtime.code_reading import _WRITTEN_INTO_RESULTS
from tests.support.code_that_counts import FILE, counting, entries
from tests.support.interpreter import python
from tests.support.paths import ROOT, SCRIPTS

pytestmark = pytest.mark.slow


def test_the_package_imports_itself_by_relative_imports_alone():
    """The form that code_digest follows inside the package; scripts use ``from stockpot``."""
    for path in (SCRIPTS / "stockpot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            names += (
                [node.module]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            assert not [n for n in names if n.split(".")[0] == "stockpot"], path


# The rules' own entries, read from the rules: a script, and the plug-in it loads by name.
RULES = {" ".join(stage).strip(): given for stage, given in entries().items()}


def test_every_script_of_a_rule_is_in_its_digest():
    """A rule names its own script first, so that a change of the script counts."""
    for path in (ROOT / "rules").glob("*.smk"):
        for rule in path.read_text().split("\nrule ")[1:]:
            if "script:" not in rule:
                continue  # it only waits for others
            script = re.search(r'script:\s+"../workflow_scripts/(\w+.py)"', rule).group(
                1
            )
            name = rule.split(":")[0]
            assert (
                re.search(rf"code=(plan\.{name}|exported)\.code,", rule) or not name
            ), name
            assert script in {entries[0] for entries in RULES.values()}


IMPORTS = """
import gc, json, os, sys
sys.path.insert(0, {scripts!r})
rules = {rules!r}

def load(entry):
    lines = ["import " + entry[:-3].replace("/", ".")]
    if "/" not in entry:  # a script runs only inside Snakemake: its imports alone
        lines = open({scripts!r} + "/" + entry).read().splitlines()
    for line in lines:
        if line.lstrip().startswith(("from ", "import ")):
            exec(line.strip(), {{}})

def own():
    return [name for name in sys.modules if name.split(".")[0] == "stockpot"]

# What others wrote is imported once; a fork then loads our own files alone.
for entry in sorted({{entry for entries in rules.values() for entry in entries}}):
    load(entry)
for name in own():
    del sys.modules[name]
# The first fork that imports a file of ours compiles it for all.
sys.pycache_prefix, sys.dont_write_bytecode = {compiled!r}, False
gc.freeze()  # a fork's collector would write to, and so copy, all of this memory
found = {{}}
for name, entries in rules.items():
    read, write = os.pipe()
    if os.fork() == 0:
        for entry in entries:
            load(entry)
        with os.fdopen(write, "w") as file:
            json.dump([sys.modules[name].__file__ for name in own()], file)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        found[name] = json.load(file)
    os.wait()
print(json.dumps(found), flush=True)
os._exit(0)  # nothing is kept for later processes
"""


@pytest.fixture(scope="module")
def loaded_files(once_value) -> dict[str, set[str]]:
    """Files of the package that importing the entries of each rule loads, in a fresh process."""

    def make(folder) -> dict[str, list[str]]:
        return python(
            IMPORTS.format(rules=RULES, scripts=str(SCRIPTS), compiled=str(folder))
        )

    found = once_value("unit-loaded", make)
    root = str(SCRIPTS) + "/"
    return {
        name: {f.removeprefix(root) for f in files} for name, files in found.items()
    }


def followed_modules(entries: list[str]) -> set[str]:
    """All modules that are followed."""
    walk = digest._Traversal([(SCRIPTS / entry).resolve() for entry in entries])
    walk.reached()
    return {str(path.relative_to(SCRIPTS)) for path in walk.loaded}


@pytest.mark.process
@pytest.mark.parametrize("rule", RULES)
def test_every_loaded_module_is_in_the_closure(loaded_files, rule):
    modules = {file for file in loaded_files[rule] if not file.endswith("__init__.py")}
    assert {entry for entry in RULES[rule] if "/" in entry} <= modules
    assert modules - followed_modules(RULES[rule]) == set()


@pytest.mark.process
def test_every_loaded_package_is_in_the_closure(loaded_files):
    """Python runs the __init__.py of every package on the way to a module."""
    missing = {
        (rule, file)
        for rule, entries in RULES.items()
        for file in loaded_files[rule] - followed_modules(entries)
        if file.endswith("__init__.py")
    }
    assert missing == set()


def test_the_files_that_count_are_those_that_are_listed():
    """A file that comes to a list makes results again from then on: is that meant?

    If so: python tests/support/code_that_counts.py
    """
    assert counting() == yaml.safe_load(FILE.read_text())


def test_exceptions_whose_messages_are_results_exist():
    texts = [path.read_text() for path in (SCRIPTS / "stockpot").rglob("*.py")]
    for name in _WRITTEN_INTO_RESULTS:
        assert any(f"class {name}(" in text for text in texts), name
