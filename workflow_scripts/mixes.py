"""Evaluate the mixes that one analysis looks at."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.mixes import evaluate_mixes
from stockpot.job import job

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    sets = {
        role: [read_dataset(Path(card).parent) for card in snakemake.input.get(f"{role}_data", [])]
        for role in ("held_out", "train", "reference", "shift")
    }
    classifiers = [Path(card).parent for card in snakemake.input.cards]
    evaluate_mixes(spec, classifiers, sets, out.parents[4] / "store", out)
