"""Prepare one data set from its source."""

from pathlib import Path

from stockpot.datasets.downloads.fetch import fetch
from stockpot.datasets.prepare import prepare
from stockpot.runtime.job import job

with job(snakemake) as spec:
    for download in snakemake.params.downloads:
        fetch(download)  # nothing to do, unless what was fetched is gone since
    places = snakemake.params.places
    prepare(Path(snakemake.output.card).parent, spec, snakemake.threads, places)
