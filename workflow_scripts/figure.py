"""Draw one figure from tables."""

from pathlib import Path

from stockpot import figures
from stockpot.drawing.style import save
from stockpot.runtime.job import job
from stockpot.tables.measurements import read_table, write_table

with job(snakemake) as spec:
    tables = {name: read_table(path) for name, path in snakemake.input.items()}
    draw = figures.load(spec["figure"])
    figure, data = draw(tables, spec["options"])
    save(figure, Path(snakemake.output.pdf))
    save(figure, Path(snakemake.output.png))
    write_table(data, snakemake.output.data, "%.6f")
