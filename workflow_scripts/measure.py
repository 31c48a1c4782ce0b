"""Measure one study: all tables that figures and people read."""

import json
from pathlib import Path

import pandas as pd

from stockpot.evaluation.correctness import read_correct
from stockpot.files import atomic
from stockpot.job import job
from stockpot.statistics import tables
from stockpot.statistics.findings import findings
from stockpot.statistics.notes import notes

with job(snakemake) as spec:
    families = [json.loads(Path(path).read_text()) for path in snakemake.input.evaluations]
    cells = pd.DataFrame([cell for family in families for cell in family["cells"]])
    store = Path(snakemake.input.evaluations[0]).parents[1] / "store"
    measurements = tables.measure(cells, dict(spec["roles"]), spec["confidence"])
    fits, robustness = tables.robustness_table(measurements, spec["axis"], spec["confidence"])
    found = findings(
        cells, measurements, robustness, lambda key: read_correct(store, key), spec["confidence"]
    )
    status = {name: end for family in families for name, end in family["status"].items()}
    overlap = tables.read_table(snakemake.input.overlap)
    level = f"{100 * spec['confidence']:g} %"
    beside = [
        f"Accuracy in percent, ± half the {level} interval: Clopper-Pearson, for the mean of "
        "shifts a stratified bootstrap. n, k and both ends are in measurements.csv, effective "
        "robustness and the standard models in robustness.csv.",
        *notes(status, overlap, measurements, fits),
    ]
    overview = tables.to_markdown(tables.overview(measurements))
    overview += "".join(f"\n{sentence}\n" for sentence in beside)

    out = snakemake.output
    for path, table in (
        (out.measurements, measurements),
        (out.fits, fits),
        (out.robustness, robustness),
        (out.findings, found),
    ):
        with atomic(path) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6f")
    with atomic(out.overview) as temporary:
        temporary.write_text(overview)
