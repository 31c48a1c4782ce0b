"""Measure one study: all tables that figures and people read."""

from pathlib import Path

from stockpot.runtime.job import job
from stockpot.tables.study_tables import StudyFiles, study_tables

with job(snakemake) as spec:
    cloud = snakemake.input.get("cloud")
    files = StudyFiles(
        evaluations=[Path(path) for path in snakemake.input.evaluations],
        datasets=[Path(card).parent for card in snakemake.input.data],
        overlap=Path(snakemake.input.overlap),
        cloud=Path(cloud) if cloud else None,
    )
    study_tables(files, spec).write(**dict(snakemake.output.items()))
