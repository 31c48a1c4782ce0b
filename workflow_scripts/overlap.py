"""Count the images that training, held-out and test sets of a study share."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from stockpot.datasets.dataset import read_card
from stockpot.datasets.overlap import overlaps
from stockpot.job import job
from stockpot.statistics.tables import write_table

with job(snakemake) as spec:
    training, held_out, tests = (
        [Path(card).parent for card in snakemake.input[part]]
        for part in ("training_data", "held_out_data", "tests_data")
    )
    found = overlaps(training, held_out + tests) + overlaps(held_out, tests)
    for i, test in enumerate(tests):  # tests may overlap, but not be equal and scored alike
        for other in tests[i + 1 :]:
            alike = read_card(test)["scoring"] == read_card(other)["scoring"]
            found += overlaps([test], [other], most=0.99 if alike else 1)
    write_table(pd.DataFrame(map(asdict, found)), snakemake.output[0])
