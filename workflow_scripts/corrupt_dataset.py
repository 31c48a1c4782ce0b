"""Corrupt the images of another data set."""

from pathlib import Path

from stockpot.datasets.corrupt import write_corrupted
from stockpot.datasets.dataset import read_dataset
from stockpot.runtime.job import job

with job(snakemake) as spec:
    clean = read_dataset(Path(snakemake.input.data[0]).parent)
    folder = Path(snakemake.output.card).parent
    write_corrupted(folder, spec, clean)
