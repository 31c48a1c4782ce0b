"""Measure one study: all tables that figures and people read."""

import json
from pathlib import Path

import pandas as pd

from stockpot.evaluation.correctness import read_correct
from stockpot.files import atomic
from stockpot.job import job
from stockpot.statistics import tables
from stockpot.statistics.findings import findings

with job(snakemake) as spec:
    families = [json.loads(Path(path).read_text()) for path in snakemake.input.evaluations]
    cells = pd.DataFrame([cell for family in families for cell in family["cells"]])
    store = Path(snakemake.input.evaluations[0]).parents[1] / "store"
    measurements = tables.measure(cells, dict(spec["roles"]), spec["confidence"])
    fits, robustness = tables.robustness_table(measurements, spec["axis"], spec["confidence"])
    found = findings(
        cells, measurements, robustness, lambda key: read_correct(store, key), spec["confidence"]
    )
    overview = tables.to_markdown(tables.overview(measurements))
    failed = {n: s for family in families for n, s in family["status"].items() if s != "ok"}
    overview += "".join(
        f"\n{name}: no result, this run {status}\n" for name, status in failed.items()
    )

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
