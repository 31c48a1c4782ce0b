"""Count and name the images that training, held-out and test sets of a study share."""

from pathlib import Path

import pandas as pd

from stockpot.datasets.dataset import read_card
from stockpot.datasets.overlap import TWICE, overlaps, shared_names
from stockpot.runtime.job import job
from stockpot.tables.measurements import write_table

with job(snakemake) as spec:
    training, held_out, tests = (
        [Path(card).parent for card in snakemake.input[part]]
        for part in ("training_data", "held_out_data", "tests_data")
    )
    folders = {read_card(folder)["name"]: folder for folder in (*training, *held_out, *tests)}
    found = overlaps(training, held_out + tests) + overlaps(held_out, tests)
    for i, test in enumerate(tests):  # tests may overlap, but not be equal and scored alike
        for other in tests[i + 1 :]:
            alike = read_card(test)["scoring"] == read_card(other)["scoring"]
            found += overlaps([test], [other], 0.99 if alike else 1, TWICE)
    counts = [[pair.seen_in, pair.dataset, pair.shared, pair.n] for pair in found]
    named = [
        [pair.dataset, name, pair.seen_in, there]
        for pair in found
        for name, there in shared_names(pair, folders[pair.seen_in], folders[pair.dataset])
    ]
    table = pd.DataFrame(counts, columns=["seen_in", "dataset", "shared", "n"])
    write_table(table, snakemake.output.table)
    images = pd.DataFrame(named, columns=["dataset", "image", "seen_in", "same_as"])
    write_table(images, snakemake.output.images)
