"""Prepare one data set from its source."""

from pathlib import Path

from stockpot.datasets.dataset import write_dataset
from stockpot.datasets.sources import load
from stockpot.job import job

with job(snakemake) as spec:
    images, labels, class_names = load(spec["source"])(spec)
    source = {key: value for key, value in spec.items() if key != "files"}
    folder = Path(snakemake.output.card).parent
    write_dataset(folder, spec["name"], images, labels, class_names, source)
