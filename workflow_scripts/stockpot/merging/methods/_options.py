"""Options that several merge methods share."""

from typing import Literal

from pydantic import Field

from ...runtime.options import PluginOptions, Positive


class Coefficients(PluginOptions):
    """Coefficients that the config gives.

    Attributes:
        coefficients: Ingredient -> its coefficient, in proportion.
    """

    coefficients: dict[str, Positive] = Field(
        {},
        description="ingredient -> its coefficient; they are divided by their sum; by "
        "default all are equal",
    )


class Order(PluginOptions):
    """The order in which a greedy method tries ingredients.

    Attributes:
        order: By held-out accuracy, or random.
        seed: Seed of the random order.
    """

    order: Literal["held-out", "random"] = Field(
        "held-out",
        description="order in which ingredients are tried; held-out: from the best to "
        "the worst on the held-out set; random: by the seed",
    )
    seed: int = Field(
        0,
        ge=0,
        description="seed of the random order",
    )
