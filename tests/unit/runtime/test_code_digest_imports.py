"""Every form of import and use is followed in a small package."""

import pytest

from tests.support.small_package import ENTRY_OF_COPY, NEAR, THING

pytestmark = pytest.mark.slow

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
def test_all_forms_of_import_are_followed(digest_in_small_package, form):
    """At any depth of packages and of blocks."""
    file = FORMS[form]
    begun = THING if file == "other/thing.py" else "X = 0\n"
    changed = begun.replace("return 1", "return 3").replace("X = 0", "X = 4")
    assert digest_in_small_package(form, **{file: changed}) != digest_in_small_package(
        form, **{file: begun}
    )


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
def test_no_change_of_what_is_done_is_missed(digest_in_small_package, case):
    entry, file, old, new = STALE[case]
    before = {
        "here/near.py": NEAR,
        "other/thing.py": THING,
        ENTRY_OF_COPY: entry,
        **PREPARED,
    }
    assert old in before[file]
    after = before | {file: before[file].replace(old, new)}
    assert digest_in_small_package(entry, **before) != digest_in_small_package(
        entry, **after
    )
