"""Write one model for use elsewhere."""

import shutil
import tempfile
from pathlib import Path

from stockpot.evaluation.family import read_recipe
from stockpot.merging.checks import check_line
from stockpot.merging.export import export
from stockpot.merging.recipe import interpolate
from stockpot.models import formats
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.job import job
from stockpot.runtime.sealed import read_sealed


def remove_others(folder: Path, files: set[str]) -> None:
    """Remove all from an export's folder but these files.

    An export that is of another format or model now would keep the files of the old one, and a job
    that was killed leaves its temporary folder.
    """
    for path in folder.iterdir():
        if path.name in files:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


with job(snakemake) as spec:
    out = Path(snakemake.output[0]).parent
    out.mkdir(parents=True, exist_ok=True)
    remove_others(out, {Path(file).name for file in snakemake.output})
    classifiers = [Path(card).parent for card in snakemake.input.cards]
    recipes = snakemake.input.get("recipe", [])
    recipe = read_sealed(recipes[0]) if recipes else read_recipe(classifiers[-1])
    if spec["alpha"] is not None:
        if not recipes:
            check_line(Weights(classifiers[0]), Weights(classifiers[-1]))
        recipe = interpolate(read_recipe(classifiers[0]), recipe, spec["alpha"])
    ingredients = {read_card(folder).sha256: folder for folder in classifiers}
    wanted = {sha: Weights(ingredients[sha]) for sha in recipe["ingredients"] if sha in ingredients}
    with tempfile.TemporaryDirectory(dir=out) as folder:
        export(Path(folder), recipe, wanted, spec["name"])
        clip = Path(snakemake.input.clip_config).parent, Path(snakemake.input.clip_weights)
        formats.load(spec["format"])(out, Weights(folder), clip)
