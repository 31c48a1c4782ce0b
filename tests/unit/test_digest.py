"""Digests of plain data, and of code with all that it imports."""

import ast
import json
import random
import re

import pytest
from conftest import ROOT, SCRIPTS, python

from stockpot import analyses, figures
from stockpot.datasets import sources
from stockpot.merging import methods
from stockpot.models import formats
from stockpot.runtime import code_digest as digest
from stockpot.runtime.code_digest import canonical, code_digest, sha256, sha256_file, short
from stockpot.training import variants

# training/images.py imports augment.py and, through models/tower.py, models/clip.py.
ENTRY, IMPORTED, TRANSITIVE = (
    "stockpot/training/images.py", "stockpot/training/augment.py", "stockpot/models/clip.py",
)  # fmt: skip
UNRELATED = "stockpot/tables/measurements.py"


def shuffled(value, rng):
    if isinstance(value, dict):
        items = list(value.items())
        rng.shuffle(items)
        return {key: shuffled(entry, rng) for key, entry in items}
    return [shuffled(entry, rng) for entry in value] if isinstance(value, list) else value


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
    with pytest.raises(ValueError):
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
    "comment on its own line": lambda text: text.replace("\n\n\n", "\n\n\n# a remark\n", 1),
    "comment behind code": lambda text: text.replace("import torch\n", "import torch  # new\n", 1),
    "comment at the end": lambda text: text + "\n\n# the end\n",
    "blank lines": lambda text: text.replace("\n\n\n", "\n\n\n\n\n"),
    "words of the module's docstring": lambda text: text.replace('"""', '"""Well: ', 1),
    "words of a function's docstring": lambda text: text.replace('    """', '    """Well: ', 1),
    "lines of a docstring": lambda text: text.replace(
        '    """', '    """Well:\n\n    yes.\n    ', 1
    ),
}


@pytest.mark.parametrize("file", [ENTRY, IMPORTED, TRANSITIVE])
@pytest.mark.parametrize("what", SILENT)
def test_comments_docstrings_and_blank_lines_do_not_count(digest_of, file, what):
    assert digest_of(ENTRY, file=file, edit=SILENT[what]) == digest_of(ENTRY)


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
    "a number": lambda text: text.replace("align_corners=False", "align_corners=not False"),
    "a string": lambda text: text.replace('"border"', '"zeros"'),
    "a statement": lambda text: text + "\n\nEXTRA = 1\n",
    "an order": lambda text: text.replace("scale = torch", "n += 0\n    scale = torch"),
}


@pytest.mark.parametrize("what", CODE)
def test_any_change_of_code_counts(digest_of, what):
    assert digest_of(ENTRY, file=IMPORTED, edit=CODE[what]) != digest_of(ENTRY)


@pytest.mark.parametrize(
    "file",
    [ENTRY, IMPORTED, TRANSITIVE, "stockpot/runtime/errors.py", "stockpot/models/__init__.py"],
)
def test_code_of_everything_imported_counts(digest_of, file):
    edited = digest_of(ENTRY, file=file, edit=lambda text: text + "\n\nEXTRA = 1\n")
    assert edited != digest_of(ENTRY)


def test_indentation_counts(digest_of):
    """The same words in another block are other code."""

    def outdent(text):
        return text.replace(
            "            return fitted(x, card.image_size)\n        return",
            "            pass\n        return",
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


def test_all_forms_of_import_are_followed(monkeypatch, tmp_path):
    """At any depth of packages and of blocks."""
    forms = {
        "from ..other import thing": "other/thing.py",
        "from ..other.thing import X": "other/thing.py",
        "from ..other.thing import X as Y": "other/thing.py",
        "from .. import other": "other/__init__.py",
        "from .near import X": "here/near.py",
        "from . import near": "here/near.py",
        "from .deep.below import X": "here/deep/__init__.py",
        "def f():\n    from .near import X": "here/near.py",
        "if True:\n    from .near import (\n        X,\n    )": "here/near.py",
        "from stockpot.other.thing import X": "other/thing.py",
        "from stockpot.other import thing": "other/thing.py",
        "from stockpot import other": "other/__init__.py",
    }
    for i, (form, target) in enumerate(forms.items()):
        digests = []
        for edit in ("", "EXTRA = 1\n"):
            folder = tmp_path / f"{i}{bool(edit)}" / "stockpot"
            for file in (
                "__init__.py", "here/__init__.py", "here/near.py", "other/__init__.py",
                "other/thing.py", "here/deep/__init__.py", "here/deep/below.py",
            ):  # fmt: skip
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text("X = 0\n")
            (folder / target).write_text("X = 0\n" + edit)
            (folder / "here/entry.py").write_text(form + "\n")
            monkeypatch.setattr(digest, "PACKAGE", folder.resolve())
            digests.append(code_digest("stockpot/here/entry.py"))
        assert digests[0] != digests[1], form


def test_the_package_imports_itself_by_relative_imports_alone():
    """The form that code_digest follows inside the package; scripts use ``from stockpot``."""
    for path in (SCRIPTS / "stockpot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [n for n in names if n.split(".")[0] == "stockpot"], path


def module(folder: str, name: str) -> str:
    return f"stockpot/{folder}/{name.replace('-', '_')}.py"


# The rules' own entries, read from the rules: a script, and the plug-in it loads by name.
RULES = {
    **{
        f"source {n}": ["prepare_dataset.py", module("datasets/sources", n)]
        for n in sources.names()
    },
    **{f"training {n}": ["finetune.py", module("training/variants", n)] for n in variants.names()},
    **{
        f"soup {n}": [
            "merge.py" if methods.mixes(n) == "weights" else "soup.py",
            module("merging/methods", n),
        ]
        for n in methods.names()
    },
    **{f"figure {n}": ["figure.py", module("figures", n)] for n in figures.names()},
    **{f"analysis {n}": ["analysis.py", module("analyses", n)] for n in analyses.names()},
    **{
        f"mixes {n}": ["mixes.py", module("analyses", n)]
        for n in analyses.names()
        if analyses.evaluates(n)
    },
    **{
        script: [f"{script}.py"]
        for script in (
            "filter_dataset", "overlap", "zero_shot", "pretrain", "evaluate", "main_table",
            "summary", "samples", "corrupt_dataset", "import_model", "fetch_dataset", "geometry",
            "page", "explore", "adopt_checkpoint",
        )
    },
    **{f"export {n}": ["export.py", module("models/formats", n)] for n in formats.names()},
    "store": ["stockpot/evaluation/store.py"],
}  # fmt: skip


def test_every_script_of_a_rule_is_in_its_digest():
    """A rule names its own script first, so that a change of the script counts."""
    for path in (ROOT / "rules").glob("*.smk"):
        for rule in path.read_text().split("\nrule ")[1:]:
            if "script:" not in rule:
                continue  # it only waits for others
            script = re.search(r'script:\s+"../workflow_scripts/(\w+.py)"', rule).group(1)
            name = rule.split(":")[0]
            assert re.search(rf"code=(plan\.{name}|exported)\.code,", rule) or not name, name
            assert script in {entries[0] for entries in RULES.values()}


IMPORTS = """
import importlib, json, os, sys
# What is heavy, once; a fork then loads little but our own files.
import jsonschema, matplotlib.backends.backend_agg, matplotlib.backends.backend_pdf, numpy, pandas
import PIL.Image, safetensors.torch, scipy.ndimage, scipy.optimize, scipy.stats, sklearn.datasets
import statsmodels.stats.multitest, torch, torch.utils.data, yaml
sys.path.insert(0, {scripts!r})
import stockpot.models.openclip  # open_clip and timm
for name in [name for name in sys.modules if name.split(".")[0] == "stockpot"]:
    del sys.modules[name]
found = {{}}
for name, entries in {rules!r}.items():
    read, write = os.pipe()
    if os.fork() == 0:
        for entry in entries:
            lines = ["import " + entry[:-3].replace("/", ".")]
            if "/" not in entry:  # a script runs only inside Snakemake: its imports alone
                lines = open({scripts!r} + "/" + entry).read().splitlines()
            for line in lines:
                if line.lstrip().startswith(("from ", "import ")):
                    exec(line.strip())
        loaded = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "stockpot"]
        with os.fdopen(write, "w") as file:
            json.dump(loaded, file)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        found[name] = json.load(file)
    os.wait()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """Files of the package that importing the entries of each rule loads, in a fresh process."""
    found = python(IMPORTS.format(rules=RULES, scripts=str(SCRIPTS)))
    root = str(SCRIPTS) + "/"
    return {name: {f.removeprefix(root) for f in files} for name, files in found.items()}


def closure(entries: list[str]) -> set[str]:
    modules = set()
    for entry in entries:
        digest._collect((SCRIPTS / entry).resolve(), modules)
    return {str(path.relative_to(SCRIPTS)) for path in modules}


@pytest.mark.parametrize("rule", RULES)
def test_every_loaded_module_is_in_the_closure(loaded, rule):
    modules = {file for file in loaded[rule] if not file.endswith("__init__.py")}
    assert {entry for entry in RULES[rule] if "/" in entry} <= modules
    assert modules - closure(RULES[rule]) == set()


def test_every_loaded_package_is_in_the_closure(loaded):
    """Python runs the __init__.py of every package on the way to a module."""
    missing = {
        (rule, file)
        for rule, entries in RULES.items()
        for file in loaded[rule] - closure(entries)
        if file.endswith("__init__.py")
    }
    assert missing == set()
