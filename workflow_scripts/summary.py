"""Put the seeds of a study side by side."""

from pathlib import Path

from stockpot.report.page import render_page, text
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job
from stockpot.tables.measurements import read_table
from stockpot.tables.summary import TITLE, summary

with job(snakemake) as spec:
    # Every seed has a folder, whose name is the key.
    findings = {}
    for file in map(Path, snakemake.input.findings):
        findings[file.parent.name] = read_table(file)
    main_tables = {}
    for file in map(Path, snakemake.input.main_tables):
        main_tables[file.parent.name] = file.read_text("utf-8")
    markdown = summary(findings, main_tables)
    with atomic(snakemake.output.text) as path:
        path.write_text(markdown, "utf-8")
    # The page has its title above the parts.
    body = text(markdown.removeprefix(f"# {TITLE}\n"))
    with atomic(snakemake.output.page) as path:
        path.write_text(render_page(TITLE, [body]), "utf-8")
