"""Build the zero-shot classifier."""

from pathlib import Path

from stockpot.datasets.dataset import read_card
from stockpot.job import job
from stockpot.models.zero_shot import write_zero_shot

with job(snakemake) as spec:
    write_zero_shot(
        Path(snakemake.output.card).parent,
        Path(snakemake.input.config).parent,
        Path(snakemake.input.weights),
        read_card(Path(snakemake.input.data).parent)["class_names"],
        spec,
    )
