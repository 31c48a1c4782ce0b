"""Options that several training variants share."""

from typing import Literal

from pydantic import Field

from ...runtime.options import PluginOptions, from_paper


class InitialHead(PluginOptions):
    """The head that a run starts with."""

    initial_head: Literal["inherit", "random"] = Field(
        "inherit",
        description="inherit: the head of the model that the run starts from, zero-shot "
        "or trained (LP-FT); random: a random head. WiSE-FT is poor with a "
        "random head, because the zero-shot model has another head. Such "
        "runs can be averaged only with each other, so list the ingredients "
        "of soups",
        json_schema_extra=from_paper("WiSE-FT, C.3.3"),
    )
    head_seed: int = Field(
        0,
        ge=0,
        description="seed of a random head; runs that are averaged need the same seed",
    )


class FewShots(PluginOptions):
    """Training on a few images per class."""

    shots: int = Field(
        0,
        ge=0,
        description="training images per class, drawn with a seed; 0 is all. The images for k "
        "shots are a subset of those for more shots",
        json_schema_extra=from_paper("WiSE-FT, C.7"),
    )
    shots_seed: int = Field(0, ge=0, description="seed of the draw of shots")


class NearStart(PluginOptions):
    """Terms of the loss that keep a run near its initial model."""

    l2_sp: float = Field(
        0.0,
        ge=0,
        description='λ of λ ‖θ − θ_start‖² in the loss (L2-SP, "regularise to zero-shot")',
        json_schema_extra=from_paper("WiSE-FT, section 4"),
    )
    distillation_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="a of (1 − a) CE(f, y) + a CE(f, f_start) as the loss",
        json_schema_extra=from_paper("WiSE-FT, C.3.3, equation 3"),
    )
