"""What the two data sets of similar video frames share (Shankar et al., ICCV 2021).

Each set of frames has an anchor and up to 20 frames around it that look alike. pm-0 scores the
anchors; pm-k scores a set as right if the model is right on all of its frames.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...runtime.errors import StockpotError
from ._published import ImageRow, Published

if TYPE_CHECKING:
    from ..examples import Examples

Frame = tuple[str, list[int]]  # path below the root, labels that count as right


def of_sets(
    known: Published,
    root: Path,
    sets: Iterable[list[Frame]],
    frames: str,
    **scoring: Any,
) -> "Examples":
    """Make ``Examples`` of sets of similar frames.

    Args:
        known: The data set.
        root: The folder that paths are relative to.
        sets: The frames of each set, its anchor first.
        frames: "pm-0" for the anchors, or "pm-10" for all frames.
        scoring: Fields of ``Scoring``.

    Returns:
        The examples. With "pm-10" those of one set are scored together.

    Raises:
        StockpotError: A frame has no label, or a wrong one.
    """
    only_anchors = frames == "pm-0"
    rows: list[ImageRow] = []
    accepted_labels: list[list[int]] = []
    set_numbers: list[int] = []
    # The number of a set says which frames are scored together.
    for number, all_frames in enumerate(sets):
        chosen_frames = all_frames[:1] if only_anchors else all_frames
        for path, labels in chosen_frames:
            _check_labels(known, root / path, labels)
            # The first label is the one that tables show; all of them count as right.
            rows.append((path, known.class_names[labels[0]]))
            accepted_labels.append(labels)
            set_numbers.append(number)
    return known.listed(
        root,
        rows,
        accepted=accepted_labels,
        videos=set_numbers if frames == "pm-10" else [],
        **scoring,
    )


def _check_labels(
    known: Published,
    file: Path,
    labels: list[int],
) -> None:
    class_count = len(known.class_names)
    if labels and all(0 <= label < class_count for label in labels):
        return
    raise StockpotError(
        f"{file}: its labels are {labels}, not one or more of 0 to {class_count - 1}"
    )
