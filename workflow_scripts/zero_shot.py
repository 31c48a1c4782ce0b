"""Build the zero-shot classifier."""

from pathlib import Path

from stockpot.job import job
from stockpot.models.zero_shot import write_zero_shot

with job(snakemake) as spec:
    write_zero_shot(
        Path(snakemake.output.card).parent,
        Path(snakemake.input.config).parent,
        Path(snakemake.input.weights),
        spec,
    )
