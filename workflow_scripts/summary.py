"""Put the seeds of a study side by side."""

from pathlib import Path

from stockpot.files import atomic
from stockpot.job import job
from stockpot.report.page import page, text
from stockpot.statistics.summary import TITLE, summary
from stockpot.statistics.tables import read_table

with job(snakemake) as spec:
    findings = {Path(p).parent.name: read_table(p) for p in snakemake.input.findings}
    overviews = {Path(p).parent.name: Path(p).read_text("utf-8") for p in snakemake.input.overviews}
    told = summary(findings, overviews)
    with atomic(snakemake.output.text) as path:
        path.write_text(told, "utf-8")
    with atomic(snakemake.output.page) as path:
        # The page has its title above the parts.
        path.write_text(page(TITLE, [text(told.removeprefix(f"# {TITLE}\n"))]), "utf-8")
