"""Pretrain the embedded CLIP model."""

import shutil
from pathlib import Path

from stockpot.models.weights_file import save_weights
from stockpot.runtime.job import job
from stockpot.training.pretrain import pretrain

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    architecture_folder = Path(snakemake.input.config).parent
    # Saved progress counts only for the code that made it.
    progress_folder = out.parent / ".state"
    state_dir = progress_folder / snakemake.params.code
    tensors = pretrain(architecture_folder, spec, state_dir)
    save_weights(out, tensors)
    shutil.rmtree(progress_folder, ignore_errors=True)
