"""Make torchvision importable if its compiled operators do not fit the installed torch.

A package registry may serve a CPU build of torch beside a CUDA build of torchvision. Then
torchvision's compiled library does not load, and ``import torchvision`` fails with "operator
torchvision::nms does not exist", although open_clip and timm need only its transforms. Two declared
operators without an implementation are enough for the import; calling one is still an error.

This module imports only the standard library until torchvision is imported: ``make`` copies it into
such an environment (envs/complete.py), where every start of Python imports it.
"""

from typing import Any

_OPERATORS = ("nms", "qnms")
# torch forgets the operators of a library that is no longer referenced.
_declared: list[Any] = []


def declare() -> None:
    """Declare the operators, unless torchvision or an earlier call has."""
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
    """An import hook that finds no module, but declares the operators before torchvision is found.

    It belongs at the start of ``sys.meta_path``.
    """

    def find_spec(
        self,
        name: str,
        path: Any = None,
        target: Any = None,
    ) -> None:
        """Declare the operators if torchvision is about to be imported.

        Args:
            name: Dotted name of the module that is imported.
            path: As for any finder; not used.
            target: As for any finder; not used.

        Returns:
            None: other finders go on.
        """
        if name == "torchvision":
            declare()
