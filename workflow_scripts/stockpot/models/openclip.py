"""open_clip, importable beside a CPU build of torch, and quickly.

Import open_clip, timm and torchvision's transforms through this module only.
"""

import sys
from types import ModuleType

from ..runtime import torchvision_operators


def _same(function=None, *_, **__):
    """What marks a function for the compiler, without one."""
    return function or (lambda other: other)


# timm and torchvision ask torch's compiler for two functions while they are imported. Nothing here
# compiles, and importing it takes every job a second.
_COMPILER = {
    name: ModuleType(name) for name in ("torch._dynamo", "torch._dynamo.utils")
}
_COMPILER["torch._dynamo"].disable = _same
_COMPILER["torch._dynamo.utils"].is_compile_supported = lambda device: False
_STANDS_IN = _COMPILER.keys().isdisjoint(sys.modules)
sys.modules |= _COMPILER if _STANDS_IN else {}

try:
    import torchvision  # noqa: F401
except RuntimeError:  # its operators do not fit this torch; nothing here calls them
    torchvision_operators.declare()

import open_clip  # noqa: E402
import timm  # noqa: E402
from torchvision.transforms import v2 as transforms  # noqa: E402

for _name in _COMPILER if _STANDS_IN else ():
    del sys.modules[_name]

__all__ = ["open_clip", "timm", "transforms"]
