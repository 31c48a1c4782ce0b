"""Inner products of the updates of all runs: their lengths and angles."""

from pathlib import Path

from stockpot.files import atomic
from stockpot.job import job
from stockpot.merging.products import products

with job(snakemake) as spec:
    start, *runs = [Path(card).parent for card in snakemake.input.cards]
    table = products(start, runs)
    with atomic(snakemake.output[0]) as path:
        table.to_csv(path, index=False, lineterminator="\n", float_format="%.9g")
