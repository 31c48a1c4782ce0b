"""Keep those images of a pool that an adversary gets wrong."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.adversarial_filter import write_adversarial
from stockpot.runtime.job import job

with job(snakemake) as spec:
    pool = read_dataset(Path(snakemake.input.data[0]).parent)
    adversary_folder = Path(snakemake.input.cards[0]).parent
    folder = Path(snakemake.output.card).parent
    write_adversarial(folder, spec, pool, adversary_folder)
