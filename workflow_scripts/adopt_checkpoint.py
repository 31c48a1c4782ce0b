"""Make a Classifier of a checkpoint that was trained elsewhere."""

from pathlib import Path

from stockpot.job import job
from stockpot.merging.adopted import adopt

with job(snakemake) as spec:
    start = Path(snakemake.input.start_cards[0]).parent
    adopt(spec, start, Path(snakemake.output.card).parent)
