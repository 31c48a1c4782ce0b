"""open_clip, importable beside a CPU build of torch.

The registry's torchvision has no compiled operators that fit such a build, and refuses to
import unless two operator schemas are known. Nothing here calls these operators. Import
open_clip, timm and torchvision's transforms through this module only.
"""

import torch

_LIBRARIES: list[torch.library.Library] = []


def _declare_operators() -> None:
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARIES.append(library)


_declare_operators()

import open_clip  # noqa: E402
import timm  # noqa: E402
from torchvision.transforms import v2 as transforms  # noqa: E402

__all__ = ["open_clip", "timm", "transforms"]
