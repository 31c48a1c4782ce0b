"""Contrastive pretraining of the embedded CLIP model (Radford et al. 2021, section 2.3)."""

import logging
import math
import time
from pathlib import Path
from typing import Any

import torch

from ..datasets.world.web import web_batch
from ..models.clip import create_clip, tokenizer
from ..models.third_party import open_clip
from ..models.tower import Normaliser
from .loop import parameter_groups
from .schedule import warmup_cosine
from .state_file import read_state, write_state

log = logging.getLogger(__name__)

# CLIP clips the temperature so that logits are never scaled by more than 100 (section 2.5).
MAX_LOGIT_SCALE = math.log(100)

# AdamW's, as for the ViTs of CLIP (table 18).
BETAS = (0.9, 0.98)
ADAM_EPSILON = 1e-6

MAX_GRADIENT_NORM = 1.0
SAVE_EVERY = 250  # steps


def pretrain(
    architecture: Path,
    spec: dict[str, Any],
    state_dir: Path,
) -> dict[str, torch.Tensor]:
    """Train a CLIP model from random weights on the rendered web.

    Step s sees ``web_batch(batch_size, seed, s)``, so each image is seen once.

    Args:
        architecture: Folder with the configuration and vocabulary of the model.
        spec: steps, batch_size, lr, weight_decay, warmup (steps) and seed.
        state_dir: Folder of the state that a stopped pretraining resumes from.

    Returns:
        The state dict, float32.
    """
    torch.manual_seed(spec["seed"])
    model = create_clip(architecture, load_weights=False).train()
    optimizer = torch.optim.AdamW(
        parameter_groups(model, spec["weight_decay"]),
        lr=spec["lr"],
        betas=BETAS,
        eps=ADAM_EPSILON,
    )
    # Pixels of the web are normalised here; nothing is augmented.
    batch_loss = _ClipBatchLoss(model, tokenizer(architecture), spec)
    state_path = state_dir / "state.pt"
    first_step = _resume(model, optimizer, state_path)
    start_time = time.monotonic()
    for step in range(first_step, spec["steps"]):
        lr_factor = warmup_cosine(step, spec["steps"], spec["warmup"])
        for group in optimizer.param_groups:
            group["lr"] = spec["lr"] * lr_factor
        loss = batch_loss(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        # The scale is stored as its logarithm.
        with torch.no_grad():
            model.logit_scale.clamp_(0, MAX_LOGIT_SCALE)
        steps_done = step + 1
        if steps_done % SAVE_EVERY == 0 or steps_done == spec["steps"]:
            seconds = time.monotonic() - start_time
            steps_per_second = (steps_done - first_step) / seconds
            scale = model.logit_scale.exp().item()
            _log_progress(
                spec,
                steps_done,
                steps_per_second,
                loss.item(),
                scale,
            )
            _save(model, optimizer, state_path, steps_done)
    state_dict = model.state_dict()
    return {name: tensor.detach().contiguous() for name, tensor in state_dict.items()}


class _ClipBatchLoss:
    """The contrastive loss of the batch of one step."""

    def __init__(
        self,
        model: torch.nn.Module,
        tokenize: Any,
        spec: dict[str, Any],
    ) -> None:
        self.model = model
        self.tokenize = tokenize
        self.spec = spec
        pixels = model.visual.preprocess_cfg
        self.normalise = Normaliser(pixels["mean"], pixels["std"])
        self.clip_loss = open_clip.ClipLoss()

    def __call__(self, step: int) -> torch.Tensor:
        images, texts = web_batch(self.spec["batch_size"], self.spec["seed"], step)
        image_features, text_features, logit_scale = self.model(
            self.normalise(torch.from_numpy(images)),
            self.tokenize(texts),
        )
        return self.clip_loss(image_features, text_features, logit_scale)


def _resume(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    state_path: Path,
) -> int:
    """Load the state of a pretraining that was stopped; returns the next step."""
    if not state_path.exists():
        return 0
    saved = read_state(state_path)
    if saved is None:
        return 0
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    log.info("resumed at step %d", saved["step"])
    return saved["step"]


def _save(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    state_path: Path,
    steps_done: int,
) -> None:
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": steps_done,
    }
    write_state(state_path, content)


def _log_progress(
    spec: dict[str, Any],
    steps_done: int,
    steps_per_second: float,
    loss: float,
    logit_scale: float,
) -> None:
    log.info(
        "step %d/%d  loss %.3f  scale %.1f  %.0f images/s  %.0f min left",
        steps_done,
        spec["steps"],
        loss,
        logit_scale,
        steps_per_second * spec["batch_size"],
        (spec["steps"] - steps_done) / steps_per_second / 60,
    )
