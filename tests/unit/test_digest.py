"""Digests of plain data, and of code with all that it uses."""

import ast
import json
import random
import re

import pytest
import yaml

from stockpot.runtime import code_digest as digest
from stockpot.runtime.code_digest import code_digest, code_parts
from stockpot.runtime.code_reading import _WRITTEN_INTO_RESULTS, read_module
from stockpot.runtime.digest import canonical, sha256, sha256_file, short
from tests.support.code_that_counts import FILE, counting, entries
from tests.support.interpreter import python
from tests.support.paths import ROOT, SCRIPTS

pytestmark = pytest.mark.slow

# training/images.py imports augment.py and, through models/tower.py, models/clip.py.
ENTRY, IMPORTED, TRANSITIVE = (
    "stockpot/training/images.py",
    "stockpot/training/augment.py",
    "stockpot/models/clip.py",
)
UNRELATED = "stockpot/tables/measurements.py"


def shuffled(value, rng):
    if isinstance(value, dict):
        items = list(value.items())
        rng.shuffle(items)
        return {key: shuffled(entry, rng) for key, entry in items}
    return (
        [shuffled(entry, rng) for entry in value] if isinstance(value, list) else value
    )


def test_key_order_does_not_count_but_everything_else_does(config):
    for seed in range(5):
        assert canonical(shuffled(config, random.Random(seed))) == canonical(config)
        assert sha256(shuffled(config, random.Random(seed))) == sha256(config)
    assert sha256([1, 2]) != sha256([2, 1])
    assert sha256({"lr": 1, "wd": 2}) != sha256({"lr": 2, "wd": 1})
    assert sha256({"a": {"b": 1}}) != sha256({"a": 1, "b": 1})
    assert sha256("1") != sha256(1)


def test_canonical_is_json_and_refuses_what_json_has_not():
    value = {"b": [1, None, "ä"], "a": 0.1}
    assert json.loads(canonical(value)) == value
    with pytest.raises(ValueError, match="Out of range float values"):
        canonical(float("nan"))
    with pytest.raises(TypeError):
        canonical({1, 2})


def test_digests_are_those_of_the_standard(tmp_path):
    """Printed by: printf '{"a":1}' | sha256sum."""
    expected = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert sha256({"a": 1}) == expected
    assert short({"a": 1}) == expected[:8]
    (tmp_path / "x").write_text('{"a":1}')
    assert sha256_file(tmp_path / "x") == expected


@pytest.fixture
def digest_of(monkeypatch, package_copy):
    """The digest of entries in a copy of the package with one file edited."""

    def of(*entries, file=None, edit=None):
        monkeypatch.setattr(digest, "PACKAGE", package_copy(file, edit).resolve())
        return code_digest(*entries)

    return of


def test_place_of_the_package_does_not_count(digest_of):
    assert digest_of(ENTRY) == digest_of(ENTRY)


SILENT = {
    "comment on its own line": lambda text: text.replace(
        "\n\n\n", "\n\n\n# a remark\n", 1
    ),
    "comment behind code": lambda text: text.replace(
        "import torch\n", "import torch  # new\n", 1
    ),
    "comment at the end": lambda text: text + "\n\n# the end\n",
    "blank lines": lambda text: text.replace("\n\n\n", "\n\n\n\n\n"),
    "words of the module's docstring": lambda text: text.replace('"""', '"""Well: ', 1),
    "words of a function's docstring": lambda text: text.replace(
        '    """', '    """Well: ', 1
    ),
    "lines of a docstring": lambda text: text.replace(
        '    """', '    """Well:\n\n    yes.\n    ', 1
    ),
}


@pytest.mark.parametrize("file", [ENTRY, IMPORTED, TRANSITIVE])
@pytest.mark.parametrize("what", SILENT)
def test_comments_docstrings_and_blank_lines_do_not_count(digest_of, file, what):
    assert digest_of(ENTRY, file=file, edit=SILENT[what]) == digest_of(ENTRY)


def test_the_sentence_of_an_empty_table_counts(digest_of):
    """It is raised, and is the table that people read."""
    entry = "stockpot/analyses/frontier.py"

    def reword(text):
        return text.replace("and this study has none", "of which this study has none")

    assert digest_of(entry, file=entry, edit=reword) != digest_of(entry)


def test_the_variable_of_a_comprehension_is_no_constant(digest_of):
    """Functions that use its name for something else do not depend on the table."""
    table = "\n\nTABLE = {{scale: {value} for scale in range(3)}}\n"

    def one(text):
        return text + table.format(value=1)

    def two(text):
        return text + table.format(value=2)

    assert digest_of(ENTRY, file=IMPORTED, edit=one) == digest_of(
        ENTRY, file=IMPORTED, edit=two
    )


def test_the_lock_file_of_an_editor_is_no_code(monkeypatch, package_copy):
    """A hidden link that leads nowhere."""
    package = package_copy().resolve()
    (package / "training/.#images.py").symlink_to("somebody@somewhere.1")
    (package / "training/variants/.#linear.py").symlink_to("somebody@somewhere.1")
    monkeypatch.setattr(digest, "PACKAGE", package)
    assert code_digest("stockpot/training/run.py", ENTRY)


@pytest.mark.parametrize("level", ["module", "function"])
def test_a_docstring_that_comes_or_goes_does_not_count(digest_of, level):
    """As the words of one: only a change of the code changes the digest."""

    def drop(text):
        tree = ast.parse(text)
        node = tree
        if level == "function":
            node = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
        docstring, lines = node.body[0], text.splitlines(keepends=True)
        del lines[docstring.lineno - 1 : docstring.end_lineno]
        return "".join(lines)

    assert digest_of(ENTRY, file=IMPORTED, edit=drop) == digest_of(ENTRY)


CODE = {
    "a name": lambda text: text.replace("generator", "gen"),
    "a number": lambda text: text.replace(
        "align_corners=False", "align_corners=not False"
    ),
    "a string": lambda text: text.replace('"border"', '"zeros"'),
    "a statement": lambda text: text + "\n\ntorch.manual_seed(0)\n",
    "an order": lambda text: text.replace(
        "    side_fraction = torch", "    area += 0\n    side_fraction = torch"
    ),
}


@pytest.mark.parametrize("what", CODE)
def test_any_change_of_code_counts(digest_of, what):
    assert digest_of(ENTRY, file=IMPORTED, edit=CODE[what]) != digest_of(ENTRY)


@pytest.mark.parametrize(
    "file", [ENTRY, IMPORTED, TRANSITIVE, "stockpot/models/__init__.py"]
)
def test_what_importing_a_module_does_counts(digest_of, file):
    edited = digest_of(ENTRY, file=file, edit=lambda text: text + "\n\nprint()\n")
    assert edited != digest_of(ENTRY)


@pytest.mark.parametrize("file", [IMPORTED, TRANSITIVE, "stockpot/models/__init__.py"])
def test_what_nothing_uses_does_not_count(digest_of, file):
    unused = "\n\nEXTRA = 1\n\n\ndef unused():\n    return EXTRA\n"
    assert digest_of(ENTRY, file=file, edit=lambda text: text + unused) == digest_of(
        ENTRY
    )


@pytest.mark.parametrize(
    "file", ["stockpot/runtime/errors.py", "stockpot/datasets/downloads/fetch.py"]
)
def test_how_jobs_run_and_files_come_does_not_count(digest_of, file):
    entry = "stockpot/merging/import_checkpoint.py"  # it uses both
    edited = digest_of(entry, file=file, edit=lambda text: text + "\n\nprint()\n")
    assert edited == digest_of(entry)


def test_indentation_counts(digest_of):
    """The same words in another block are other code."""

    def outdent(text):
        return text.replace(
            "            images = self.change_pixels(images, generator)\n",
            "            pass\n        images = self.change_pixels(images, generator)\n",
        )

    assert digest_of(ENTRY, file=ENTRY, edit=outdent) != digest_of(ENTRY)


@pytest.mark.parametrize(
    "file", [UNRELATED, "stockpot/training/loop.py", "stockpot/merging/recipe.py"]
)
def test_code_that_is_not_imported_does_not_count(digest_of, file):
    entry = IMPORTED if file != UNRELATED else ENTRY
    edited = digest_of(entry, file=file, edit=lambda text: text + "\n\nEXTRA = 1\n")
    assert edited == digest_of(entry)


def test_entries_count_together(digest_of):
    both = digest_of(IMPORTED, UNRELATED)
    assert both == digest_of(UNRELATED, IMPORTED)
    assert both not in (digest_of(IMPORTED), digest_of(UNRELATED))


FILES = (
    "__init__.py",
    "here/__init__.py",
    "here/near.py",
    "here/far.py",
    "other/__init__.py",
    "other/thing.py",
    "here/deep/__init__.py",
    "here/deep/below.py",
    "runtime/__init__.py",
    "runtime/registry.py",
)
ENTRY_OF_COPY = "here/entry.py"
# What the modules begin as: code of one text that does two things, by what it uses.
NEAR = """
from ..other.thing import one, two

LIST = []
SCALE = 1


def f():
    return inner()


def g():
    return other_inner()


def inner():
    return one()


def other_inner():
    return two()


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


class Base:
    rate = 1

    def act(self):
        return self.rate
"""
THING = """
X = 0


def one():
    return 1


def two():
    return 2
"""


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A function: the digest of an entry in a small package, whose files may be given."""
    made = []

    def of(entry: str, **files: str) -> str:
        folder = tmp_path / str(len(made)) / "stockpot"
        made.append(folder)
        for name in FILES:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("X = 0\n")
        given = {
            "here/near.py": NEAR,
            "other/thing.py": THING,
            ENTRY_OF_COPY: entry,
            **files,
        }
        for name, text in given.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        monkeypatch.setattr(digest, "PACKAGE", folder.resolve())
        return code_digest(f"stockpot/{ENTRY_OF_COPY}")

    return of


FORMS = {
    "from ..other import thing\n\ndef run(): return thing.one()": "other/thing.py",
    "from ..other.thing import one\n\ndef run(): return one()": "other/thing.py",
    "from ..other.thing import one as f\n\ndef run(): return f()": "other/thing.py",
    "from .. import other\n\ndef run(): return other.thing.one()": "other/thing.py",
    "from .. import other\n\ndef run(): return other": "other/__init__.py",
    "from ..other import thing\n\ndef run(): return getattr(thing, 'o' + 'ne')": "other/thing.py",
    "from ..other import thing\n\ndef run(): return list(vars(thing))": "other/thing.py",
    "from ..other import thing\n\ndef run(): return thing.__name__": "other/thing.py",
    "from .. import other as o\n\nRUN = o.thing.one": "other/thing.py",
    "from .deep.below import X\n\ndef run(): return X": "here/deep/below.py",
    "def run():\n    from ..other.thing import one\n    return one()": "other/thing.py",
    "def run():\n    from ..other import thing\n    return thing.one": "other/thing.py",
    "if True:\n    from ..other.thing import (\n        one,\n    )\nRUN = one()": "other/thing.py",
    "try:\n    from ..other.thing import one\nexcept ImportError:\n    one = None\n"
    "RUN = one": "other/thing.py",
    "if C:\n    from ..other.thing import one\nelse:\n    from .deep.below import X as one\n"
    "RUN = one()": "other/thing.py",
    "from stockpot.other.thing import one\n\ndef run(): return one()": "other/thing.py",
    "from stockpot.other import thing\n\ndef run(): return thing.one()": "other/thing.py",
    "import stockpot.other.thing\n\ndef run(): return stockpot.other.thing.one()": "other/thing.py",
    "import stockpot.other.thing as t\n\ndef run(): return t.one()": "other/thing.py",
    "class A:\n    from ..other.thing import one": "other/thing.py",
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_import_are_followed(small, form):
    """At any depth of packages and of blocks."""
    file = FORMS[form]
    begun = THING if file == "other/thing.py" else "X = 0\n"
    changed = begun.replace("return 1", "return 3").replace("X = 0", "X = 4")
    assert small(form, **{file: changed}) != small(form, **{file: begun})


# Each changes what the entry does: name of the case -> (entry, file, what is replaced by what).
USES_NEAR = "from . import near\n\ndef run(): return near.f(), near.LIST, near.Base()\n"
STALE = {
    "imports swapped": (
        USES_NEAR,
        "here/near.py",
        "one, two",
        "one as two, two as one",
    ),
    "another name imported": (
        USES_NEAR,
        "here/near.py",
        "import one,",
        "import two as one,",
    ),
    "calls swapped": (
        USES_NEAR,
        "here/near.py",
        "return inner()",
        "return other_inner()",
    ),
    "a default": (USES_NEAR, "here/near.py", "def f():", "def f(n=SCALE):"),
    "a decorator": (USES_NEAR, "here/near.py", "def f():", "@g\ndef f():"),
    "a class attribute": (USES_NEAR, "here/near.py", "rate = 1", "rate = 2"),
    "a type of a field": (USES_NEAR, "here/near.py", "rate = 1", "rate: int = 1"),
    "a method": (USES_NEAR, "here/near.py", "return self.rate", "return -self.rate"),
    "a base": (USES_NEAR, "here/near.py", "class Base:", "class Base(list):"),
    "a list that is added to": (
        USES_NEAR,
        "here/near.py",
        "SCALE = 1",
        "LIST.append(1)",
    ),
    "an item that is set": (USES_NEAR, "here/near.py", "SCALE = 1", "LIST[0:] = [1]"),
    "an augmented constant": (USES_NEAR, "here/near.py", "SCALE = 1", "LIST += [1]"),
    "a constant set in a loop": (
        USES_NEAR,
        "here/near.py",
        "SCALE = 1",
        "for LIST in range(2): pass",
    ),
    "a function of the same name": (
        USES_NEAR,
        "here/near.py",
        "def even",
        "def f():\n    return 2\n\n\ndef even",
    ),
    "a patched function": (USES_NEAR, "here/near.py", "SCALE = 1", "list.f = SCALE"),
    "what an import does": (USES_NEAR, "other/thing.py", "X = 0", "print()"),
    "what the import of a package does": (
        USES_NEAR,
        "other/__init__.py",
        "X = 0",
        "print()",
    ),
    "a constant of a plug-in": (
        "MIXES = 'outputs'",
        ENTRY_OF_COPY,
        "outputs",
        "weights",
    ),
    "a function of a plug-in": (
        "def find(): return 1",
        ENTRY_OF_COPY,
        "return 1",
        "return 2",
    ),
    "a call within a call": (
        "from .near import even\n\ndef run(): return even(3)",
        "here/near.py",
        "n != 0",
        "n != 1",
    ),
    "a name bound by a block": (
        "from .far import chosen\n\ndef run(): return chosen()",
        "here/far.py",
        "return 1",
        "return 2",
    ),
    "a name that a module makes up": (
        "from . import far\n\ndef run(): return far.anything",
        "here/far.py",
        "return name",
        "return 1",
    ),
    "a star": (
        "from .deep import *\n\ndef run(): return X",
        "here/deep/__init__.py",
        "X = 0",
        "X = 1",
    ),
    "a name for others": (
        "from .deep import one\n\ndef run(): return one()",
        "other/thing.py",
        "return 1",
        "return 3",
    ),
    "another one for others": (
        "from .deep import one\n\ndef run(): return one()",
        "here/deep/__init__.py",
        "import one",
        "import two as one",
    ),
    "an order": (
        "def run(a):\n    a += 1\n    return a * 2",
        ENTRY_OF_COPY,
        "+= 1",
        "*= 1",
    ),
    "a global": (
        "from .near import SCALE\n\ndef run():\n    global SCALE\n    SCALE += 2",
        "here/near.py",
        "SCALE = 1",
        "SCALE = 3",
    ),
    "a name that hides one of the module": (
        "def a(): return 1\n\ndef b(): return 1\n\ndef run(a): return a",
        ENTRY_OF_COPY,
        "run(a): return a",
        "run(a): return b",
    ),
    "a test that only logs": (
        "def run(x):\n    if x.pop(): log.info(1)",
        ENTRY_OF_COPY,
        "pop",
        "top",
    ),
    "a call that raises": ("def run(x): raise x.why()", ENTRY_OF_COPY, "why", "how"),
    "a plug-in that is found by name": (
        "from . import found\n\ndef run(): return found.load('a')",
        "here/found/a.py",
        "return 1",
        "return 2",
    ),
    "a constant that is read by name": (
        "from . import found\n\ndef run(): return found.mixes('a')",
        "here/found/a.py",
        "MIXES = 1",
        "MIXES = 2",
    ),
}
PREPARED = {
    "here/far.py": "if True:\n    def chosen():\n        return 1\n\n"
    "def __getattr__(name):\n    return name\n",
    "here/deep/__init__.py": "from ...other.thing import one\n\nX = 0\n",
    "here/found/__init__.py": "from ...runtime import registry\n\n"
    "def load(name): return registry.load(__file__, name)\n\n"
    "def mixes(name): return registry.declaration(__file__, name, 'MIXES')\n",
    "here/found/a.py": "MIXES = 1\n\ndef find():\n    return 1\n",
    "other/__init__.py": "X = 0\n",
}


@pytest.mark.parametrize("case", STALE)
def test_no_change_of_what_is_done_is_missed(small, case):
    entry, file, old, new = STALE[case]
    before = {
        "here/near.py": NEAR,
        "other/thing.py": THING,
        ENTRY_OF_COPY: entry,
        **PREPARED,
    }
    assert old in before[file]
    after = before | {file: before[file].replace(old, new)}
    assert small(entry, **before) != small(entry, **after)


LOUD = """
import logging
import warnings

from . import near
from .near import f

log = logging.getLogger(__name__)


def run(x: int) -> int:
    log.info("running %s", x)
    if x < 0:
        raise ValueError(f"{x} is negative")
    assert x < 9, "too large"
    warnings.warn("slow", stacklevel=2)
    y: int = f()
    return y + near.g() + near.even(x)
"""
REWORDED = {
    "a log line": ("running %s", "now at %s"),
    "an error": ('f"{x} is negative"', 'f"negative: {x}", x'),
    "an assertion": ("too large", "too big"),
    "a warning": ('"slow"', '"this is slow"'),
    "an annotation": ("x: int", "x: float"),
    "an annotation of what is returned": (" -> int", ""),
    "an annotation of a variable": ("y: int", "y"),
    "a comment": ("    y: int", "    # why\n    y: int"),
    "another name of an import": ("from . import near", "from . import near as n"),
    "a name of an imported function": ("import f", "import f as ff"),
    "a log line less": ('    log.info("running %s", x)\n', ""),
    "an import that nothing uses": ("import warnings", "import warnings\nimport json"),
    "types for a checker": (
        "from . import near",
        "from typing import TYPE_CHECKING\n\nfrom . import near\nif TYPE_CHECKING: import torch",
    ),
}


@pytest.mark.parametrize("what", REWORDED)
def test_what_is_said_and_how_it_is_called_does_not_count(small, what):
    old, new = REWORDED[what]
    assert old in LOUD
    changed = LOUD.replace(old, new)
    if " as " in new:
        changed = changed.replace("near.g", "n.g").replace("near.e", "n.e")
        changed = changed.replace("= f()", "= ff()")
        changed = changed if new.endswith("ff") else changed.replace("ff()", "f()")
        changed = changed if new.endswith(" n") else changed.replace("+ n.", "+ near.")
    assert small(changed) == small(LOUD)


def test_a_module_that_moves_or_is_renamed_does_not_count(small):
    moved = LOUD.replace("from . import near", "from ..new import elsewhere as near")
    moved = moved.replace("from .near import f", "from ..new.elsewhere import f")
    assert small(moved, **{"new/elsewhere.py": NEAR}) == small(LOUD)


def test_a_function_that_moves_to_another_file_does_not_count(small):
    inner = "def inner():\n    return one()\n"
    begun = NEAR.replace(
        "from ..other.thing import one, two", "from .far import inner\n"
    )
    begun = begun.replace(inner, "").replace("return two()", "return 2")
    far = f"from ..other.thing import one\n\n{inner}"
    together = f"from ..other.thing import one\n{inner}{begun}".replace(
        "from .far import inner", ""
    )
    files = {"here/near.py": begun, "here/far.py": far}
    assert small(LOUD, **files) == small(LOUD, **{"here/near.py": together})


def test_the_words_of_options_do_not_count(small):
    options = (
        'A = {"k": {"description": "%s", "default": 1}}\n'
        'B = Field(description="%s", default=1)'
    )
    assert small(options % ("a", "b")) == small(options % ("c", "d"))
    assert small(options % ("a", "b")) != small(
        (options % ("a", "b")).replace("1", "2")
    )


def test_parts_name_what_changed(small):
    small(LOUD)
    before = code_parts(f"stockpot/{ENTRY_OF_COPY}")
    assert {
        "here/entry.py run",
        "here/near.py f",
        "here/near.py inner",
        "other/thing.py one",
    } <= {*before}
    assert "here/near.py LIST" not in before
    small(LOUD, **{"other/thing.py": THING.replace("return 1", "return 3")})
    after = code_parts(f"stockpot/{ENTRY_OF_COPY}")
    assert {part for part in after if after[part] != before[part]} == {
        "other/thing.py one"
    }


def test_digests_of_the_last_plan_are_taken_while_no_file_changes(
    small, monkeypatch, tmp_path
):
    results = tmp_path / "results"
    results.mkdir()
    monkeypatch.chdir(tmp_path)
    first = small(LOUD)
    scripts = digest.PACKAGE.parent
    sources = digest._digest_of_sources(scripts)
    digest._remember(scripts, results / ".code-digests.json", sources, {"a": "b"}, 0)
    digest._known_digests.cache_clear()
    assert digest._known_digests(scripts) == {"a": "b"}
    (digest.PACKAGE / "here/near.py").write_text(NEAR + "\nprint()\n")
    digest._known_digests.cache_clear()
    assert digest._known_digests(scripts) == {}
    digest._remember(scripts, results / ".code-digests.json", sources, {"a": "c"}, 0)
    assert '"b"' in (results / ".code-digests.json").read_text()
    assert (
        code_digest(f"stockpot/{ENTRY_OF_COPY}") == first
    )  # files are read once per process


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
def loaded(once_value) -> dict[str, set[str]]:
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


def closure(entries: list[str]) -> set[str]:
    """All modules that are followed."""
    walk = digest._Traversal([(SCRIPTS / entry).resolve() for entry in entries])
    walk.reached()
    return {str(path.relative_to(SCRIPTS)) for path in walk.loaded}


@pytest.mark.process
@pytest.mark.parametrize("rule", RULES)
def test_every_loaded_module_is_in_the_closure(loaded, rule):
    modules = {file for file in loaded[rule] if not file.endswith("__init__.py")}
    assert {entry for entry in RULES[rule] if "/" in entry} <= modules
    assert modules - closure(RULES[rule]) == set()


@pytest.mark.process
def test_every_loaded_package_is_in_the_closure(loaded):
    """Python runs the __init__.py of every package on the way to a module."""
    missing = {
        (rule, file)
        for rule, entries in RULES.items()
        for file in loaded[rule] - closure(entries)
        if file.endswith("__init__.py")
    }
    assert missing == set()


def test_the_files_that_count_are_those_that_are_listed():
    """A file that comes to a list makes results again from then on: is that meant?

    If so: python tests/support/code_that_counts.py
    """
    assert counting() == yaml.safe_load(FILE.read_text())


@pytest.mark.parametrize(
    ("exception", "counts"),
    [("NothingToShowError", True), ("DivergedError", True), ("ValueError", False)],
)
def test_messages_of_exceptions_count_only_where_they_are_results(
    tmp_path, exception, counts
):
    """These sentences stand in a table or in the card of a run."""
    digests = []
    for message in ("one", "two"):
        file = tmp_path / f"{message}.py"
        file.write_text(f"def f():\n    raise {exception}('{message}')\n")
        digests.append(read_module(file).definitions["f"].digest)
    assert (digests[0] != digests[1]) == counts


def test_exceptions_whose_messages_are_results_exist():
    texts = [path.read_text() for path in (SCRIPTS / "stockpot").rglob("*.py")]
    for name in _WRITTEN_INTO_RESULTS:
        assert any(f"class {name}(" in text for text in texts), name
