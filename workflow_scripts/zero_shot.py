"""Build the classifier that a study starts from: zero-shot, or with a random head."""

from pathlib import Path

from stockpot.models.random_head import write_random_head
from stockpot.models.zero_shot import write_zero_shot
from stockpot.runtime.job import job

with job(snakemake) as spec:
    write = write_zero_shot if "prompts" in spec else write_random_head
    write(
        Path(snakemake.output.card).parent,
        Path(snakemake.input.config).parent,
        Path(snakemake.input.weights),
        spec,
    )
