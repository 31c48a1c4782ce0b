"""Import the weights of a pretrained model."""

from pathlib import Path

from stockpot.job import job
from stockpot.models.imported import write_model

with job(snakemake) as spec:
    checkpoint = snakemake.input.get("checkpoint")
    write_model(
        Path(snakemake.output.config).parent, spec, Path(checkpoint) if checkpoint else None
    )
