"""Fetch a published data set."""

import json
from pathlib import Path

from stockpot.datasets.downloads.fetch import fetch
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job

with job(snakemake) as spec:
    digests = fetch(spec)
    with atomic(Path(snakemake.output[0])) as path:
        path.write_text(json.dumps(digests, indent=1) + "\n")
