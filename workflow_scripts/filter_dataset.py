"""Filter a pool of images by an adversary."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.adversarial_filter import write_adversarial
from stockpot.runtime.job import job

with job(snakemake) as spec:
    pool = read_dataset(Path(snakemake.input.data[0]).parent)
    adversary = Path(snakemake.input.cards[0]).parent
    write_adversarial(Path(snakemake.output.card).parent, spec, pool, adversary)
