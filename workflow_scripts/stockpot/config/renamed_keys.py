"""Keys of the config that once had another name, so that an error can say the new one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

# Stands for any name in a key path, such as that of a run.
ANY = "*"


class RenamedKey(NamedTuple):
    """A key that is called something else now.

    Attributes:
        where: Key path of the map that has the key, with ``ANY`` for a name that a study chooses;
            "" for the top level.
        old: What it was called.
        new: What it is called now.
    """

    where: str
    old: str
    new: str


_RUNS = ("finetune.defaults", f"finetune.runs.{ANY}")
_BASELINES = ("baselines.defaults", f"baselines.models.{ANY}", "adversary")
_DRAWN = "finetune.search.space"

# Hyperparameters of every model that is trained.
_OF_ALL = {"clip": "grad_clip_norm", "crop": "min_crop_area"}
# Hyperparameters that a search can draw.
_OF_RUNS = {
    "aspect": "max_crop_aspect",
    "flip": "flip_probability",
    "sam": "sam_rho",
    "ema": "ema_decays",
    "swa": "swa_start",
    "l2_start": "l2_sp",
    "distill": "distillation_weight",
    "joint_share": "second_dataset_fraction",
    "settings": "trials",
    "settings_seed": "trials_seed",
}
# Keys of a run that a search cannot draw.
_OF_RUNS_ONLY = {"start": "init_from", "joint": "second_dataset"}
# Options of several merge methods, sources and analyses; an entry has some of them.
_OF_SOUPS = {
    "backbones": "towers_only",
    "allow_different_starts": "allow_different_lineages",
    "per": "granularity",
    "shares": "coefficients",
    "among": "alpha_grid",
    "step_size": "images_per_step",
    "first": "first_block",
    "last": "last_block",
}
_OF_DATASETS = {
    "of": "dataset",
    "side": "image_size",
    "answers": "label_file",
    "images": "image_folder",
}
# Old names that other plug-ins of the same place still have.
_STILL_USED = {"images"}
_OF_ANALYSES = {
    "most": "max_pairs",
    "barrier": "max_barrier",
    "step": "alpha_step",
    "points": "points_per_side",
    "curve": "sweep",
    "curves": "sweeps",
}


def _rows(
    places: Iterable[str],
    names: dict[str, str],
) -> list[RenamedKey]:
    """A row for each of these keys in each of these maps."""
    rows = []
    for where in places:
        rows += [RenamedKey(where, old, new) for old, new in names.items()]
    return rows


RENAMED_KEYS = (
    *_rows([*_RUNS, *_BASELINES, _DRAWN], _OF_ALL),
    *_rows([*_RUNS, _DRAWN], _OF_RUNS),
    *_rows(_RUNS, _OF_RUNS_ONLY),
    *_rows([f"soups.{ANY}"], _OF_SOUPS),
    *_rows([f"datasets.{ANY}"], _OF_DATASETS),
    *_rows([f"analyses.{ANY}"], _OF_ANALYSES),
    RenamedKey("", "standard", "baselines"),
    RenamedKey(f"{_DRAWN}.{ANY}", "either", "mixture"),
    RenamedKey(f"checkpoints.{ANY}", "settings", "hyperparameters"),
    RenamedKey(f"datasets.{ANY}.split", "list", "held_out_list"),
    RenamedKey("figures.methods", "span", "points_below_best"),
    RenamedKey("head", "names", "class_names"),
    RenamedKey("model.preprocess", "side", "image_size"),
    RenamedKey("model", "start", "zero_shot_run"),
    RenamedKey("statistics", "knots", "breakpoints"),
    RenamedKey("sweep", "of", "targets"),
    RenamedKey(f"tasks.{ANY}", "names", "class_names"),
)
# Values; where is the key path of the key that had them.
RENAMED_VALUES = (
    *_rows([f"{run}.initial_head" for run in _RUNS], {"start": "inherit"}),
    # Values that a search draws are checked as those of a run without a name.
    RenamedKey("initial_head", "start", "inherit"),
)


def renamed_hint(new_names: Mapping[str, str]) -> str:
    """Say what words are called now.

    Args:
        new_names: Old word -> new word, see ``renamed_words``.

    Returns:
        "; " and a clause per word; "" where there is none.
    """
    clauses = [f"{old!r} is now called {new!r}" for old, new in new_names.items()]
    return f"; {', '.join(clauses)}" if clauses else ""


def renamed_words(
    key_path: Sequence[str | int],
    words: Sequence[str],
    allowed: Collection[object],
) -> dict[str, str]:
    """Find what unknown words of one place are called now.

    Args:
        key_path: Where the words stand.
        words: Keys of the map at that key path, or a value that stands there.
        allowed: What may stand there. A new name that may not is not among the results.

    Returns:
        Old word -> new word, of those that have another name now.
    """
    new_names = {}
    for word in words:
        for row in (*RENAMED_KEYS, *RENAMED_VALUES):
            is_meant = row.old == word and row.new in allowed
            if is_meant and _is_place(row.where, key_path):
                new_names[word] = row.new
                break
    return new_names


def is_old_key(key_path: str) -> bool:
    """Tell whether a key has another name now, wherever it stands.

    Args:
        key_path: Key path, with the key last.

    Returns:
        Whether no plug-in has a key of that name in that place any more.
    """
    *place, key = key_path.split(".")
    if key in _STILL_USED:
        return False
    rows = [row for row in RENAMED_KEYS if row.old == key]
    return any(_is_place(row.where, place) for row in rows)


def _is_place(
    where: str,
    key_path: Sequence[str | int],
) -> bool:
    parts = where.split(".") if where else []
    if where == f"{_DRAWN}.{ANY}":
        # A mixture holds further distributions.
        key_path = key_path[: len(parts)]
    if len(parts) != len(key_path):
        return False
    return all(
        part in (ANY, str(key)) for part, key in zip(parts, key_path, strict=True)
    )
