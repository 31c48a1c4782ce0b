"""open_clip, importable beside a CPU build of torch, and quickly.

Import open_clip, timm and torchvision's transforms only through this module. It works around two
things at the time of the import, and only then:

1. timm and torchvision import torch's compiler (``torch._dynamo``) for two functions. Nothing here
   compiles, and importing the compiler takes every job a second. So it is replaced by empty
   modules, unless somebody has imported it before.
2. Beside a CPU build of torch, torchvision's compiled operators may not load. Nothing here calls
   them, so it is enough to declare them.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..runtime import torchvision_operators


def _leave_as_it_is(function: Callable | None = None, *_: Any, **__: Any) -> Callable:
    """Stand in for ``torch._dynamo.disable``, which is a decorator with or without arguments."""
    if function is None:
        return _leave_as_it_is
    return function


def _compiler_stand_ins() -> dict[str, ModuleType]:
    """Modules with the two functions that timm and torchvision import."""
    dynamo = ModuleType("torch._dynamo")
    dynamo.disable = _leave_as_it_is
    dynamo_utils = ModuleType("torch._dynamo.utils")
    dynamo_utils.is_compile_supported = lambda device: False
    return {module.__name__: module for module in (dynamo, dynamo_utils)}


_STAND_INS = _compiler_stand_ins()
_REPLACES_COMPILER = _STAND_INS.keys().isdisjoint(sys.modules)
if _REPLACES_COMPILER:
    sys.modules.update(_STAND_INS)

try:
    import torchvision  # noqa: F401
except RuntimeError:  # "operator torchvision::nms does not exist"
    torchvision_operators.declare()

import open_clip  # noqa: E402
import timm  # noqa: E402
from torchvision.transforms import v2 as transforms  # noqa: E402

# Whoever wants the compiler later gets the real one.
if _REPLACES_COMPILER:
    for _name in _STAND_INS:
        del sys.modules[_name]

__all__ = ["open_clip", "timm", "transforms"]
