"""Fetch a published data set."""

import json
from pathlib import Path

from stockpot.datasets.fetch import fetch
from stockpot.files import atomic
from stockpot.job import job

with job(snakemake) as spec:
    found = fetch(spec)
    with atomic(Path(snakemake.output[0])) as path:
        path.write_text(json.dumps(found, indent=1) + "\n")
