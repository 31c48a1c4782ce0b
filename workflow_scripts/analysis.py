"""One analysis: a table from stored predictions."""

from pathlib import Path

from stockpot import analyses
from stockpot.runtime.job import job
from stockpot.tables.analysis_files import AnalysisFiles

with job(snakemake) as spec:
    given = snakemake.input
    files = AnalysisFiles(
        measurements=Path(given.measurements),
        evaluations=[Path(path) for path in given.evaluations],
        datasets=[Path(card).parent for card in given.cards],
        mixes=Path(given.mixes) if given.get("mixes") else None,
        geometry=Path(given.geometry) if given.get("geometry") else None,
        recipes=tuple(map(Path, given.get("recipes", []))),
    )
    found = analyses.analyse(spec["analysis"], files.evidence(spec), spec["options"])
    found.write(**dict(snakemake.output.items()))
