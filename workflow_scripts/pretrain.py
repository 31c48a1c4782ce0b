"""Pretrain the embedded CLIP model."""

import shutil
from pathlib import Path

from safetensors.torch import save_file

from stockpot.files import atomic
from stockpot.job import job
from stockpot.training.pretrain import pretrain

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    state = out.parent / ".state"
    tensors = pretrain(Path(snakemake.input.config).parent, spec, state / snakemake.params.code)
    with atomic(out) as path:
        save_file(tensors, path, {"format": "pt"})
    shutil.rmtree(state, ignore_errors=True)
