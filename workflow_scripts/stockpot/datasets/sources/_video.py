"""What the two sets of similar video frames have in common (Shankar et al., ICCV 2021)."""

from collections.abc import Iterable
from pathlib import Path

from ...runtime.errors import StockpotError

Frame = tuple[str, list[int]]


def of_sets(known, root: Path, sets: Iterable[list[Frame]], frames: str, **scoring):
    """Examples of sets of (path below ``root``, labels that count as right), an anchor first.

    frames: pm-0, the anchors alone; or pm-10, all, where a set is right if all of it is.
    """
    taken = [
        (number, frame)
        for number, own in enumerate(sets)
        for frame in (own[:1] if frames == "pm-0" else own)
    ]
    for _, (path, labels) in taken:
        if not labels or not all(
            0 <= label < len(known.class_names) for label in labels
        ):
            raise StockpotError(
                f"{root / path}: its labels are {labels}, not one or more of 0 to "
                f"{len(known.class_names) - 1}"
            )
    return known.listed(
        root,
        [(path, known.class_names[labels[0]]) for _, (path, labels) in taken],
        accepted=[labels for _, (_, labels) in taken],
        videos=[number for number, _ in taken] if frames == "pm-10" else [],
        **scoring,
    )
