"""Prepare one data set from its source."""

from pathlib import Path

from stockpot.datasets.downloads.fetch import fetch
from stockpot.datasets.prepare import prepare
from stockpot.runtime.job import job

with job(snakemake) as spec:
    # This does nothing, unless what the rule fetch_dataset made was removed since.
    for download in snakemake.params.downloads:
        fetch(download)
    folder = Path(snakemake.output.card).parent
    prepare(folder, spec, snakemake.threads, snakemake.params.current_paths)
