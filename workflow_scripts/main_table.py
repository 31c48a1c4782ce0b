"""Measure one study: write all tables that figures and people read."""

from pathlib import Path

from stockpot.runtime.job import job
from stockpot.tables.study_tables import StudyFiles, study_tables

with job(snakemake) as spec:
    # The table of published models, if the config names one.
    published = snakemake.input.get("published_models")
    files = StudyFiles(
        evaluations=[Path(path) for path in snakemake.input.evaluations],
        datasets=[Path(card).parent for card in snakemake.input.data],
        overlap=Path(snakemake.input.overlap),
        published_models=Path(published) if published else None,
    )
    tables = study_tables(files, spec)
    tables.write(**dict(snakemake.output.items()))
