"""Contrastive pretraining of the embedded CLIP model (Radford et al. 2021, section 2.3)."""

import logging
import math
import time
from pathlib import Path

import torch

from ..datasets.world.web import web_batch
from ..models.clip import create_clip, tokenizer
from ..models.openclip import open_clip
from ..models.tower import Normaliser
from .loop import parameter_groups
from .saved import read_state, write_state
from .schedule import warmup_cosine

log = logging.getLogger(__name__)
MAX_LOGIT_SCALE = math.log(100)
SAVE_EVERY = 250


def pretrain(
    architecture: Path, spec: dict, state_dir: Path
) -> dict[str, torch.Tensor]:
    """Train from scratch on the rendered web; resumes from ``state_dir``.

    spec: steps, batch_size, lr, weight_decay, warmup (steps), seed. Step s sees
    ``web_batch(batch_size, seed, s)``, so each image is seen once.
    Returns the state dict (fp32).
    """
    torch.manual_seed(spec["seed"])
    model = create_clip(architecture, load_weights=False).train()
    tokenize = tokenizer(architecture)
    loss_function = open_clip.ClipLoss()
    optimizer = torch.optim.AdamW(
        parameter_groups(model, spec["weight_decay"]),
        lr=spec["lr"],
        betas=(0.9, 0.98),
        eps=1e-6,
    )
    normalise = Normaliser(
        model.visual.preprocess_cfg["mean"], model.visual.preprocess_cfg["std"]
    )
    first, state = 0, state_dir / "state.pt"
    if state.exists() and (saved := read_state(state)):
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["step"]
        log.info("resumed at step %d", first)

    steps, started = spec["steps"], time.monotonic()
    for step in range(first, steps):
        images, texts = web_batch(spec["batch_size"], spec["seed"], step)
        for group in optimizer.param_groups:
            group["lr"] = spec["lr"] * warmup_cosine(step, steps, spec["warmup"])
        image, text, scale = model(normalise(torch.from_numpy(images)), tokenize(texts))
        loss = loss_function(image, text, scale)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, MAX_LOGIT_SCALE)
        done = step + 1
        if done % SAVE_EVERY == 0 or done == steps:
            rate = (done - first) / (time.monotonic() - started)
            log.info(
                "step %d/%d  loss %.3f  scale %.1f  %.0f images/s  %.0f min left",
                done,
                steps,
                loss.item(),
                model.logit_scale.exp().item(),
                rate * spec["batch_size"],
                (steps - done) / rate / 60,
            )
            parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            write_state(state, {**parts, "step": done})
    return {
        name: tensor.detach().contiguous()
        for name, tensor in model.state_dict().items()
    }
