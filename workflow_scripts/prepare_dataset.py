"""Prepare one data set from its source."""

from pathlib import Path

from stockpot.datasets.prepare import prepare
from stockpot.job import job

with job(snakemake) as spec:
    prepare(Path(snakemake.output.card).parent, spec, snakemake.threads)
