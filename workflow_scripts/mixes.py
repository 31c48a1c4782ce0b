"""Evaluate the mixes that one analysis looks at."""

from pathlib import Path

from stockpot import analyses
from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.mixes import evaluate_mixes
from stockpot.runtime.job import job

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    sets = {
        role: [
            read_dataset(Path(card).parent)
            for card in snakemake.input.get(f"{role}_data", [])
        ]
        for role in ("held_out", "train", "reference", "shift")
    }
    classifiers = [Path(card).parent for card in snakemake.input.cards]
    name, store = spec["analysis"], out.parents[4] / "store"
    mixes, roles = analyses.load(name, "mixes"), analyses.evaluates(name)
    evaluate_mixes(mixes, roles, spec, classifiers, sets, store, out)
