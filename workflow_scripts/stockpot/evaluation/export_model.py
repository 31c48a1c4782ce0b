"""Writes one model of a study for use elsewhere."""

import shutil
import tempfile
from pathlib import Path

from ..merging.checks import check_line
from ..merging.export import export
from ..merging.recipe import interpolate
from ..models import formats
from ..models.card import read_card
from ..models.classifier import Weights
from ..runtime.sealed import read_sealed
from .family import read_recipe


def export_model(
    spec: dict,
    files: list[Path],
    classifiers: list[Path],
    recipe: Path | None,
    clip: tuple[Path, Path],
) -> None:
    """Write a model, or its mix with the zero-shot model, in a format.

    Args:
        spec: ``name``, ``format`` and ``alpha``, that of the mix or None.
        files: What the format writes, in one folder of the export's own.
        classifiers: Folders of the zero-shot model, then of all that the model is made of.
        recipe: Of the model; None of one that is a classifier by itself, the last of them.
        clip: Folder of the study's CLIP config, and its weights.
    """
    out = files[0].parent
    out.mkdir(parents=True, exist_ok=True)
    remove_others(out, {file.name for file in files})
    wanted = _recipe(spec["alpha"], classifiers, recipe)
    folders = {read_card(folder).sha256: folder for folder in classifiers}
    weights = {
        sha: Weights(folders[sha]) for sha in wanted["ingredients"] if sha in folders
    }
    with tempfile.TemporaryDirectory(dir=out) as folder:
        export(Path(folder), wanted, weights, spec["name"])
        formats.load(spec["format"])(out, Weights(folder), clip)


def _recipe(alpha: float | None, classifiers: list[Path], recipe: Path | None) -> dict:
    """The recipe of what is exported."""
    zero_shot, model = classifiers[0], classifiers[-1]
    found = read_sealed(recipe) if recipe else read_recipe(model)
    if alpha is None:
        return found
    if not recipe:
        check_line(Weights(zero_shot), Weights(model))
    return interpolate(read_recipe(zero_shot), found, alpha)


def remove_others(folder: Path, files: set[str]) -> None:
    """Remove all from an export's folder but these files.

    An export that is of another format or model now would keep the files of the old one, and a job
    that was killed leaves its temporary folder.

    Args:
        folder: Of the export.
        files: Names of the files that stay.
    """
    for path in folder.iterdir():
        if path.name in files:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
