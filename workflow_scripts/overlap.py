"""Count and name the images that training, held-out and test sets of a study share."""

from pathlib import Path

from stockpot.runtime.job import job
from stockpot.tables.overlap_tables import overlap_tables

with job(snakemake):
    tables = overlap_tables(
        training=[Path(card).parent for card in snakemake.input.training_data],
        held_out=[Path(card).parent for card in snakemake.input.held_out_data],
        tests=[Path(card).parent for card in snakemake.input.tests_data],
    )
    tables.write(snakemake.output.table, snakemake.output.images)
