"""Digests of the library's code: which edits of a copy count."""

import ast

import pytest

from stockpot.runtime import code_digest as digest
from stockpot.runtime.code_digest import code_digest

pytestmark = pytest.mark.slow

# training/images.py imports augment.py and, through models/tower.py, models/clip.py.
ENTRY, IMPORTED, TRANSITIVE = (
    "stockpot/training/images.py",
    "stockpot/training/augment.py",
    "stockpot/models/clip.py",
)
UNRELATED = "stockpot/tables/measurements.py"


@pytest.fixture
def digest_of_copy(monkeypatch, package_copy):
    """The digest of entries in a copy of the package with one file edited."""

    def of(*entries, file=None, edit=None):
        monkeypatch.setattr(digest, "PACKAGE", package_copy(file, edit).resolve())
        return code_digest(*entries)

    return of


def test_place_of_the_package_does_not_count(digest_of_copy):
    assert digest_of_copy(ENTRY) == digest_of_copy(ENTRY)


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
def test_comments_docstrings_and_blank_lines_do_not_count(digest_of_copy, file, what):
    assert digest_of_copy(ENTRY, file=file, edit=SILENT[what]) == digest_of_copy(ENTRY)


def test_the_sentence_of_an_empty_table_counts(digest_of_copy):
    """It is raised, and is the table that people read."""
    entry = "stockpot/analyses/frontier.py"

    def reword(text):
        return text.replace("and this study has none", "of which this study has none")

    assert digest_of_copy(entry, file=entry, edit=reword) != digest_of_copy(entry)


def test_the_variable_of_a_comprehension_is_no_constant(digest_of_copy):
    """Functions that use its name for something else do not depend on the table."""
    table = "\n\nTABLE = {{scale: {value} for scale in range(3)}}\n"

    def one(text):
        return text + table.format(value=1)

    def two(text):
        return text + table.format(value=2)

    assert digest_of_copy(ENTRY, file=IMPORTED, edit=one) == digest_of_copy(
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
def test_a_docstring_that_comes_or_goes_does_not_count(digest_of_copy, level):
    """As the words of one: only a change of the code changes the digest."""

    def drop(text):
        tree = ast.parse(text)
        node = tree
        if level == "function":
            node = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
        docstring, lines = node.body[0], text.splitlines(keepends=True)
        del lines[docstring.lineno - 1 : docstring.end_lineno]
        return "".join(lines)

    assert digest_of_copy(ENTRY, file=IMPORTED, edit=drop) == digest_of_copy(ENTRY)


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
def test_any_change_of_code_counts(digest_of_copy, what):
    assert digest_of_copy(ENTRY, file=IMPORTED, edit=CODE[what]) != digest_of_copy(
        ENTRY
    )


@pytest.mark.parametrize(
    "file", [ENTRY, IMPORTED, TRANSITIVE, "stockpot/models/__init__.py"]
)
def test_what_importing_a_module_does_counts(digest_of_copy, file):
    edited = digest_of_copy(ENTRY, file=file, edit=lambda text: text + "\n\nprint()\n")
    assert edited != digest_of_copy(ENTRY)


@pytest.mark.parametrize("file", [IMPORTED, TRANSITIVE, "stockpot/models/__init__.py"])
def test_what_nothing_uses_does_not_count(digest_of_copy, file):
    unused = "\n\nEXTRA = 1\n\n\ndef unused():\n    return EXTRA\n"
    assert digest_of_copy(
        ENTRY, file=file, edit=lambda text: text + unused
    ) == digest_of_copy(ENTRY)


@pytest.mark.parametrize(
    "file", ["stockpot/runtime/errors.py", "stockpot/datasets/downloads/fetch.py"]
)
def test_how_jobs_run_and_files_come_does_not_count(digest_of_copy, file):
    entry = "stockpot/merging/import_checkpoint.py"  # it uses both
    edited = digest_of_copy(entry, file=file, edit=lambda text: text + "\n\nprint()\n")
    assert edited == digest_of_copy(entry)


def test_indentation_counts(digest_of_copy):
    """The same words in another block are other code."""

    def outdent(text):
        return text.replace(
            "            images = self.change_pixels(images, generator)\n",
            "            pass\n        images = self.change_pixels(images, generator)\n",
        )

    assert digest_of_copy(ENTRY, file=ENTRY, edit=outdent) != digest_of_copy(ENTRY)


@pytest.mark.parametrize(
    "file", [UNRELATED, "stockpot/training/loop.py", "stockpot/merging/recipe.py"]
)
def test_code_that_is_not_imported_does_not_count(digest_of_copy, file):
    entry = IMPORTED if file != UNRELATED else ENTRY
    edited = digest_of_copy(
        entry, file=file, edit=lambda text: text + "\n\nEXTRA = 1\n"
    )
    assert edited == digest_of_copy(entry)


def test_entries_count_together(digest_of_copy):
    both = digest_of_copy(IMPORTED, UNRELATED)
    assert both == digest_of_copy(UNRELATED, IMPORTED)
    assert both not in (digest_of_copy(IMPORTED), digest_of_copy(UNRELATED))
