"""Evaluate the models of one job on every data set."""

from pathlib import Path

from stockpot.evaluation.evaluate_models import evaluate_models
from stockpot.evaluation.store import Store
from stockpot.runtime.job import job

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    results = out.parents[1]
    classifier_folders = [Path(card).parent for card in snakemake.input.cards]
    classifiers = {folder.name: folder for folder in classifier_folders}
    recipes = {Path(path).stem: Path(path) for path in snakemake.input.recipes}
    # The id of the zero-shot model, if there is a sweep.
    start_ids = snakemake.params.sweep_start
    evaluate_models(
        spec,
        zero_shot=classifiers[start_ids[0]] if start_ids else None,
        models=classifiers | recipes,
        classifiers=list(classifiers.values()),
        datasets=[Path(card).parent for card in snakemake.input.data],
        store=Store(results / "store"),
        out=out,
    )
