"""Evaluate one family."""

from pathlib import Path

from stockpot.evaluation.family import evaluate_models
from stockpot.evaluation.store import Store
from stockpot.runtime.job import job

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    results = out.parents[1]
    classifiers = {
        p.name: p for p in (Path(card).parent for card in snakemake.input.cards)
    }
    recipes = {Path(path).stem: Path(path) for path in snakemake.input.recipes}
    evaluate_models(
        spec,
        zero_shot=classifiers[start[0]] if (start := snakemake.params.start) else None,
        models=classifiers | recipes,
        classifiers=list(classifiers.values()),
        datasets=[Path(card).parent for card in snakemake.input.data],
        store=Store(results / "store"),
        out=out,
    )
