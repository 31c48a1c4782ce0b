"""Compute the inner products of the updates of all runs: their lengths and angles."""

from pathlib import Path

from stockpot.runtime.job import job
from stockpot.tables.measurements import write_table
from stockpot.tables.update_products import products

with job(snakemake) as spec:
    folders = [Path(card).parent for card in snakemake.input.cards]
    zero_shot_folder = folders[0]
    table = products(zero_shot_folder, folders[1:])
    write_table(table, snakemake.output[0], "%.9g")
