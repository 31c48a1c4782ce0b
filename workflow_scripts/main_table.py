"""Measure one study: all tables that figures and people read."""

from functools import cache
from pathlib import Path

import pandas as pd

from stockpot.datasets.dataset import read_card
from stockpot.datasets.remarks import remarks
from stockpot.evaluation.answers import answers
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job
from stockpot.runtime.sealed import read_sealed
from stockpot.statistics.intervals import tails
from stockpot.tables import measurements as tables
from stockpot.tables.escape import markdown
from stockpot.tables.findings import findings
from stockpot.tables.main_table import main_table
from stockpot.tables.notes import arithmetic, notes
from stockpot.tables.published_models import read_cloud
from stockpot.tables.resampled import with_intervals
from stockpot.tables.subsets import subset_cells

with job(snakemake) as spec:
    families = [read_sealed(path) for path in snakemake.input.evaluations]
    cells = pd.DataFrame([cell for family in families for cell in family["cells"]])
    store = Path(snakemake.input.evaluations[0]).parents[1] / "store"
    roles, confidence = dict(spec["roles"]), spec["confidence"]
    folders = [Path(card).parent for card in snakemake.input.data]
    every = [with_intervals(cells, folders, store, tails(confidence))]
    if spec["class_subset"]:
        parts = subset_cells(cells, roles, folders, store, tails(confidence))
        roles |= dict.fromkeys(parts["dataset"].unique(), "subset")
        every.append(parts)
    if snakemake.input.get("cloud"):
        reference, *shifts = (
            name for role in ("reference", "shift") for name in roles if roles[name] == role
        )
        published = read_cloud(snakemake.input.cloud, spec["cloud"], reference, shifts)
        every.append(tables.published_cells(published))
        roles |= {name: "subset" for _, name, _ in published if name not in roles}
    measurements = tables.measure(pd.concat(every, ignore_index=True), roles, confidence)
    fits, robustness = tables.robustness_table(
        measurements, spec["axis"], confidence, spec["knots"]
    )
    keys = {(cell.model, cell.dataset): cell.key for cell in cells.itertuples()}
    right = cache(lambda key: answers(store, key).correct)
    found = findings(cells, measurements, robustness, right, confidence)
    status = {name: end for family in families for name, end in family["status"].items()}
    overlap = tables.read_table(snakemake.input.overlap)
    cards = [read_card(folder) for folder in folders]
    left_out = {card["name"]: card["source"].get("left_out", 0) for card in cards}
    level = f"{100 * confidence:g} %"
    people = main_table(measurements, lambda m, d: right(keys[m, d]), confidence)
    lines = "effective robustness and the standard models in robustness.csv."
    beside = [
        f"Accuracy in percent, ± half the {level} interval: Clopper-Pearson, for the mean of "
        "shifts a stratified bootstrap. Bold: the best of a column and all that are not "
        "significantly worse (exact McNemar test, for the mean a permutation test, corrected for "
        "all pairs of the column). Oracle: chosen on the test sets, for comparison. n, k and both "
        f"ends are in measurements.csv{', ' + lines if len(fits) else '.'}",
        *people.rule,
        *people.notes,
        arithmetic(measurements, spec["trained_in_bf16"]),
        *([spec["held_out_note"]] if spec["held_out_note"] else []),
        *(f"{name}: {classes}." for name, classes in spec["class_notes"].items()),
        *(sentence for card in cards for sentence in remarks(card)),
        *notes(status, overlap, measurements, fits, spec["knots"], left_out),
    ]
    sentences = "".join(f"\n{markdown(sentence)}\n" for sentence in beside)
    text = people.markdown() + sentences

    out = snakemake.output
    for path, table in (
        (out.measurements, measurements),
        (out.fits, fits),
        (out.robustness, robustness),
        (out.findings, found),
    ):
        tables.write_table(table, path, "%.6f")
    with atomic(out.markdown) as temporary:
        temporary.write_text(text, "utf-8")
    with atomic(out.latex) as temporary:
        temporary.write_text(people.latex(), "utf-8")
