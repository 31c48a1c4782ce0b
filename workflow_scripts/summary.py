"""Put the seeds of a study side by side."""

from pathlib import Path

from stockpot.report.page import page, text
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job
from stockpot.tables.measurements import read_table
from stockpot.tables.summary import TITLE, summary

with job(snakemake) as spec:
    findings = {Path(p).parent.name: read_table(p) for p in snakemake.input.findings}
    main_tables = {
        Path(p).parent.name: Path(p).read_text("utf-8")
        for p in snakemake.input.main_tables
    }
    told = summary(findings, main_tables)
    with atomic(snakemake.output.text) as path:
        path.write_text(told, "utf-8")
    with atomic(snakemake.output.page) as path:
        # The page has its title above the parts.
        path.write_text(page(TITLE, [text(told.removeprefix(f"# {TITLE}\n"))]), "utf-8")
