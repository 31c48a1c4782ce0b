"""Inner products of the updates of all runs: their lengths and angles."""

from pathlib import Path

from stockpot.runtime.job import job
from stockpot.tables.measurements import write_table
from stockpot.tables.products import products

with job(snakemake) as spec:
    start, *runs = [Path(card).parent for card in snakemake.input.cards]
    table = products(start, runs)
    write_table(table, snakemake.output[0], "%.9g")
