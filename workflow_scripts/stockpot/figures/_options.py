"""Options that several figures share."""

from typing import Annotated, Literal

from pydantic import Field

from ..runtime.options import PluginOptions

# The default differs from figure to figure.
Intervals = Annotated[bool, Field(description="draw intervals as bars")]


class Columns(PluginOptions):
    """Options of a figure with a grid of panels."""

    columns: int = Field(4, ge=1, description="number of panels side by side")


class Axis(PluginOptions):
    """Options of a figure with accuracies on both axes."""

    axis: Literal["logit", "probit", "linear"] | None = Field(
        None,
        description="scale of both axes; null: the scale of the fits (statistics.axis)",
    )
