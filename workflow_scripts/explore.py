"""The interactive scatter of a study."""

from pathlib import Path

from stockpot.report.explore import explore, to_html
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job
from stockpot.runtime.sealed import read_sealed
from stockpot.tables.measurements import read_table

with job(snakemake) as spec:
    names = ("measurements", "fits", "robustness")
    tables = [read_table(snakemake.input[name]) for name in names]
    ids = {id: soup for soup, id in spec["soups"].items()}
    for path in map(Path, snakemake.input.recipes):
        spec["models"][ids[path.stem]]["recipe"] = read_sealed(path)
    title = (
        f"Every model of {snakemake.wildcards.study}, on the reference and under shift"
    )
    chart = explore(*tables, spec["models"], spec["axis"])
    with atomic(snakemake.output[0]) as path:
        path.write_text(to_html(chart, title), "utf-8")
