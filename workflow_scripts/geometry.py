"""Inner products of the updates of all runs: their lengths and angles."""

from pathlib import Path

from stockpot.job import job
from stockpot.merging.products import products
from stockpot.statistics.tables import write_table

with job(snakemake) as spec:
    start, *runs = [Path(card).parent for card in snakemake.input.cards]
    table = products(start, runs)
    write_table(table, snakemake.output[0], "%.9g")
