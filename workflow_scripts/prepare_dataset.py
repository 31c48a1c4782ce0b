"""Prepare one data set from its source."""

from importlib import import_module
from pathlib import Path

from stockpot.datasets.prepare import prepare
from stockpot.runtime.job import job

# By name, and so not in the digest of this job's code: how the files come is no part of what is
# made of them.
fetch = import_module("stockpot.datasets.downloads.fetch").fetch

with job(snakemake) as spec:
    for download in snakemake.params.downloads:
        fetch(download)  # nothing to do, unless what was fetched is gone since
    prepare(Path(snakemake.output.card).parent, spec, snakemake.threads)
