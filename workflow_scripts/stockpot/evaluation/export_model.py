"""Write one model of a study for use elsewhere."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..merging.checks import check_lineage
from ..merging.export import materialize_recipe
from ..merging.recipe import interpolate
from ..models import formats
from ..models.card import read_card
from ..models.classifier import Weights
from ..runtime.sealed import read_sealed
from .cells import Recipe
from .evaluate_models import read_recipe


def export_model(
    spec: dict[str, Any],
    files: list[Path],
    classifiers: list[Path],
    recipe: Path | None,
    clip: tuple[Path, Path],
) -> None:
    """Write a model, or its mix with the zero-shot model, in a format.

    Args:
        spec: ``name``, ``format`` and ``alpha``, that of the mix or None.
        files: What the format writes, in one folder that holds nothing else.
        classifiers: Folders of the zero-shot model, then of all that the model is made of.
        recipe: Recipe file of the model; None where the model is the last of the classifiers.
        clip: Folder of the study's CLIP config, and its weights.
    """
    out = files[0].parent
    out.mkdir(parents=True, exist_ok=True)
    # Files of an earlier export would be taken for files of this one.
    remove_others(out, {file.name for file in files})
    exported = _exported_recipe(spec["alpha"], classifiers, recipe)
    folders = {read_card(folder).sha256: folder for folder in classifiers}
    weights = {
        sha256: Weights(folders[sha256])
        for sha256 in exported["ingredients"]
        if sha256 in folders
    }
    # The mix is a classifier of its own for as long as the format reads it.
    with tempfile.TemporaryDirectory(dir=out) as temporary:
        materialize_recipe(
            Path(temporary),
            exported,
            weights,
            spec["name"],
        )
        write_format = formats.load(spec["format"])
        write_format(out, Weights(temporary), clip)


def _exported_recipe(
    alpha: float | None,
    classifiers: list[Path],
    recipe: Path | None,
) -> Recipe:
    """The recipe of the model, or of its mix with the zero-shot model."""
    zero_shot = classifiers[0]
    model = classifiers[-1]
    model_recipe = read_sealed(recipe) if recipe else read_recipe(model)
    if alpha is None:
        return model_recipe
    # The lineage of a soup was checked when it was made.
    if not recipe:
        check_lineage(Weights(zero_shot), Weights(model))
    return interpolate(read_recipe(zero_shot), model_recipe, alpha)


def remove_others(folder: Path, files: set[str]) -> None:
    """Remove everything from an export's folder except these files.

    An export that is of another format or model now would keep the files of the old one, and a job
    that was killed leaves its temporary folder.

    Args:
        folder: Of the export.
        files: Names of the files that stay.
    """
    for path in folder.iterdir():
        if path.name in files:
            continue
        # A link to a folder is removed itself; what it points to stays.
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
