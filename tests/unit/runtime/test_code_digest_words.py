"""Words and places of code that count in no digest, and the parts that name what changed."""

import pytest

from stockpot.runtime import code_digest as digest
from stockpot.runtime.code_digest import code_digest, code_parts
from tests.support.small_package import ENTRY_OF_COPY, NEAR, THING

pytestmark = pytest.mark.slow

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
def test_what_is_said_and_how_it_is_called_does_not_count(
    digest_in_small_package, what
):
    old, new = REWORDED[what]
    assert old in LOUD
    changed = LOUD.replace(old, new)
    if " as " in new:
        changed = changed.replace("near.g", "n.g").replace("near.e", "n.e")
        changed = changed.replace("= f()", "= ff()")
        changed = changed if new.endswith("ff") else changed.replace("ff()", "f()")
        changed = changed if new.endswith(" n") else changed.replace("+ n.", "+ near.")
    assert digest_in_small_package(changed) == digest_in_small_package(LOUD)


def test_a_module_that_moves_or_is_renamed_does_not_count(digest_in_small_package):
    moved = LOUD.replace("from . import near", "from ..new import elsewhere as near")
    moved = moved.replace("from .near import f", "from ..new.elsewhere import f")
    assert digest_in_small_package(
        moved, **{"new/elsewhere.py": NEAR}
    ) == digest_in_small_package(LOUD)


def test_a_function_that_moves_to_another_file_does_not_count(digest_in_small_package):
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
    assert digest_in_small_package(LOUD, **files) == digest_in_small_package(
        LOUD, **{"here/near.py": together}
    )


def test_the_words_of_options_do_not_count(digest_in_small_package):
    options = (
        'A = {"k": {"description": "%s", "default": 1}}\n'
        'B = Field(description="%s", default=1)'
    )
    assert digest_in_small_package(options % ("a", "b")) == digest_in_small_package(
        options % ("c", "d")
    )
    assert digest_in_small_package(options % ("a", "b")) != digest_in_small_package(
        (options % ("a", "b")).replace("1", "2")
    )


def test_parts_name_what_changed(digest_in_small_package):
    digest_in_small_package(LOUD)
    before = code_parts(f"stockpot/{ENTRY_OF_COPY}")
    assert {
        "here/entry.py run",
        "here/near.py f",
        "here/near.py inner",
        "other/thing.py one",
    } <= {*before}
    assert "here/near.py LIST" not in before
    digest_in_small_package(
        LOUD, **{"other/thing.py": THING.replace("return 1", "return 3")}
    )
    after = code_parts(f"stockpot/{ENTRY_OF_COPY}")
    assert {part for part in after if after[part] != before[part]} == {
        "other/thing.py one"
    }


def test_digests_of_the_last_plan_are_taken_while_no_file_changes(
    digest_in_small_package, monkeypatch, tmp_path
):
    results = tmp_path / "results"
    results.mkdir()
    monkeypatch.chdir(tmp_path)
    first = digest_in_small_package(LOUD)
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
