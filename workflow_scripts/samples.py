"""Show what the data sets of a study look like."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.drawing.contact_sheet import contact_sheet
from stockpot.drawing.style import save
from stockpot.runtime.job import job
from stockpot.tables.measurements import write_table

with job(snakemake) as spec:
    datasets = [read_dataset(Path(card).parent) for card in snakemake.input.data]
    figure, data = contact_sheet(datasets, **spec)
    save(figure, Path(snakemake.output.pdf))
    save(figure, Path(snakemake.output.png))
    write_table(data, snakemake.output.data)
