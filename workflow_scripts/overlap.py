"""Count the images that training, held-out and test sets of a study share."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from stockpot.datasets.overlap import overlaps
from stockpot.files import atomic
from stockpot.job import job

with job(snakemake) as spec:
    training, held_out, tests = (
        [Path(card).parent for card in snakemake.input[part]]
        for part in ("training_data", "held_out_data", "tests_data")
    )
    found = overlaps(training, held_out + tests) + overlaps(held_out, tests)
    for i, test in enumerate(tests):  # tests of one another may overlap, but must not be equal
        found += overlaps([test], tests[i + 1 :], most=0.99)
    with atomic(snakemake.output[0]) as path:
        pd.DataFrame(map(asdict, found)).to_csv(path, index=False, lineterminator="\n")
