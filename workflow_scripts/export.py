"""Write one model for use elsewhere."""

from pathlib import Path

from stockpot.evaluation.export_model import export_model
from stockpot.runtime.job import job

with job(snakemake) as spec:
    # Only a soup has a recipe.
    recipes = snakemake.input.get("recipe", [])
    architecture_folder = Path(snakemake.input.clip_config).parent
    pretrained_weights = Path(snakemake.input.clip_weights)
    export_model(
        spec,
        files=[Path(file) for file in snakemake.output],
        classifiers=[Path(card).parent for card in snakemake.input.cards],
        recipe=Path(recipes[0]) if recipes else None,
        clip=(architecture_folder, pretrained_weights),
    )
