"""Compute one analysis: a table from stored predictions."""

from pathlib import Path

from stockpot import analyses
from stockpot.runtime.job import job
from stockpot.tables.analysis_files import AnalysisFiles

with job(snakemake) as spec:
    inputs = snakemake.input
    # Only some analyses read these.
    mixes = inputs.get("mixes")
    geometry = inputs.get("geometry")
    files = AnalysisFiles(
        measurements=Path(inputs.measurements),
        evaluations=[Path(path) for path in inputs.evaluations],
        datasets=[Path(card).parent for card in inputs.cards],
        mixes=Path(mixes) if mixes else None,
        geometry=Path(geometry) if geometry else None,
        recipes=tuple(map(Path, inputs.get("recipes", []))),
    )
    evidence = files.evidence(spec)
    analysis = analyses.analyse(spec["analysis"], evidence, spec["options"])
    analysis.write(**dict(snakemake.output.items()))
