"""CLIP models are made of files and of open_clip's names."""

import torch
from safetensors import safe_open

from stockpot.models.clip import create_clip, tokenizer
from stockpot.models.files import WEIGHTS
from tests.support.paths import ARCHITECTURE


def test_create_clip_loads_the_files_weights_and_knows_open_clips_names():
    ours = create_clip(ARCHITECTURE).state_dict()
    with safe_open(ARCHITECTURE / WEIGHTS, framework="pt") as file:
        assert set(file.keys()) == set(ours)
        assert all(torch.equal(file.get_tensor(name), ours[name]) for name in ours)
    assert tokenizer("ViT-B-32").context_length == 77
