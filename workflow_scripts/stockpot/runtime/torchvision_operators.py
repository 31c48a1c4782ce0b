"""Make torchvision importable where its compiled operators do not fit the torch that is installed.

A package registry may serve a CPU build of torch beside a CUDA build of torchvision. Then
torchvision's compiled library does not load, and ``import torchvision`` fails with "operator
torchvision::nms does not exist", though open_clip and timm need its transforms alone. Two declared
operators without an implementation are enough for the import; calling one is still an error.

This module imports nothing but the standard library until torchvision is wanted: ``make`` copies it
into such an environment (envs/complete.py), where it is imported at every start of Python.
"""

_OPERATORS = ("nms", "qnms")
_declared = []


def declare() -> None:
    """Declare the operators, unless somebody has."""
    import torch

    if hasattr(torch.ops.torchvision, _OPERATORS[0]):
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        library.define(
            f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
    _declared.append(library)


class WhenImported:
    """A finder that finds nothing, but declares the operators before torchvision is imported."""

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            declare()
        return None
