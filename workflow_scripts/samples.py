"""Show what the data sets of a study look like."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.figures.samples import contact_sheet
from stockpot.figures.style import save
from stockpot.files import atomic
from stockpot.job import job

with job(snakemake) as spec:
    datasets = [read_dataset(Path(card).parent) for card in snakemake.input.data]
    figure, data = contact_sheet(datasets, **spec)
    for path in (snakemake.output.pdf, snakemake.output.png):
        save(figure, Path(path))
    with atomic(snakemake.output.data) as path:
        data.to_csv(path, index=False, lineterminator="\n")
