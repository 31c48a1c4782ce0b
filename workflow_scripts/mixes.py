"""Evaluate the mixtures of models that one analysis looks at."""

from pathlib import Path

from stockpot import analyses
from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.evaluate_mixes import evaluate_mixes
from stockpot.runtime.job import job

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    results = out.parents[4]
    datasets = {}
    for role in ("held_out", "train", "reference", "shift"):
        cards = snakemake.input.get(f"{role}_data", [])
        datasets[role] = [read_dataset(Path(card).parent) for card in cards]
    classifiers = [Path(card).parent for card in snakemake.input.cards]
    name = spec["analysis"]
    evaluate_mixes(
        analyses.load(name, "mixes"),
        analyses.evaluates(name),
        spec,
        classifiers,
        datasets,
        results / "store",
        out,
    )
