"""Prepare one data set from its source."""

from pathlib import Path

from stockpot.datasets.dataset import write_dataset
from stockpot.datasets.sources import load
from stockpot.job import job

with job(snakemake) as spec:
    images, labels, class_names = load(spec["source"])(spec)
    write_dataset(
        Path(snakemake.output.card).parent, spec["name"], images, labels, class_names, spec
    )
