"""Pretrain the embedded CLIP model."""

import shutil
from pathlib import Path

from stockpot.models.weights_file import save_weights
from stockpot.runtime.job import job
from stockpot.training.pretrain import pretrain

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    state = out.parent / ".state"
    tensors = pretrain(
        Path(snakemake.input.config).parent, spec, state / snakemake.params.code
    )
    save_weights(out, tensors)
    shutil.rmtree(state, ignore_errors=True)
