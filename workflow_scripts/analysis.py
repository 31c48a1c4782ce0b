"""One analysis: a table from stored predictions."""

from pathlib import Path

from stockpot import analyses
from stockpot.datasets.dataset import LABELS, read_card
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.escape import one_line
from stockpot.runtime.job import job
from stockpot.runtime.sealed import read_sealed
from stockpot.tables.display import to_latex, to_markdown, unbroken
from stockpot.tables.escape import markdown
from stockpot.tables.evidence import Evidence, Nothing
from stockpot.tables.measurements import read_table, write_table

with job(snakemake) as spec:
    given, out, name = snakemake.input, snakemake.output, spec["analysis"]
    results = Path(given.evaluations[0]).parents[1]
    ids = {id: soup for soup, id in spec["soups"].items()}
    cards = [(Path(path).parent, read_card(Path(path).parent)) for path in given.cards]
    evidence = Evidence(
        measurements=read_table(given.measurements),
        evaluations=[read_sealed(path) for path in given.evaluations],
        store=results / "store",
        labels={card["name"]: folder / LABELS for folder, card in cards},
        scorings={card["name"]: card["scoring"] for _, card in cards},
        label_digests={card["name"]: card["digests"][LABELS] for _, card in cards},
        models=spec["models"],
        confidence=spec["confidence"],
        mixes=read_sealed(given.mixes) if given.get("mixes") else None,
        geometry=read_table(given.geometry) if given.get("geometry") else None,
        recipes={ids[Path(path).stem]: Path(path) for path in given.get("recipes", [])},
        results=results,
    )
    try:
        table = analyses.load(name)(evidence, spec["options"])
        people = analyses.for_people(name, table, evidence.shifts)
    except Nothing as reason:
        table = people = reason.table()
    write_table(table, out.table, "%.6g")
    with atomic(out.markdown) as path:
        notes = "".join(f"\n{markdown(note)}\n" for note in evidence.notes)
        path.write_text(to_markdown(unbroken(people)) + notes, "utf-8")
    with atomic(out.latex) as path:
        notes = "".join(f"% {one_line(note, 10_000)}\n" for note in evidence.notes)
        path.write_text(to_latex(people) + notes, "utf-8")
