"""Make a Classifier of a checkpoint that was trained elsewhere."""

from pathlib import Path

from stockpot.merging.adopt import import_checkpoint
from stockpot.runtime.job import job

with job(snakemake) as spec:
    start = Path(snakemake.input.start_cards[0]).parent
    import_checkpoint(spec, start, Path(snakemake.output.card).parent)
