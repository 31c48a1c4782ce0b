"""Make a classifier of a checkpoint that was trained elsewhere."""

from pathlib import Path

from stockpot.merging.import_checkpoint import import_checkpoint
from stockpot.runtime.job import job

with job(snakemake) as spec:
    zero_shot_folder = Path(snakemake.input.start_cards[0]).parent
    folder = Path(snakemake.output.card).parent
    import_checkpoint(spec, zero_shot_folder, folder)
