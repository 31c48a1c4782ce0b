"""Draw one figure from the tables."""

from pathlib import Path

from stockpot import figures
from stockpot.drawing.style import save
from stockpot.runtime.job import job
from stockpot.tables.measurements import read_table, write_table

with job(snakemake) as spec:
    tables = {name: read_table(path) for name, path in snakemake.input.items()}
    drawn, data = figures.load(spec["figure"])(tables, spec["options"])
    for path in (snakemake.output.pdf, snakemake.output.png):
        save(drawn, Path(path))
    write_table(data, snakemake.output.data, "%.6f")
