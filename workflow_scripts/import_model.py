"""Import the weights of a pretrained model."""

from pathlib import Path

from stockpot.models.import_weights import write_model
from stockpot.runtime.job import job

with job(snakemake) as spec:
    # Without a checkpoint the weights are those of a published model.
    checkpoint = snakemake.input.get("checkpoint")
    write_model(
        Path(snakemake.output.config).parent,
        spec,
        Path(checkpoint) if checkpoint else None,
    )
