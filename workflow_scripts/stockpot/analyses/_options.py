"""Options that several analyses share."""

from typing import Annotated

from pydantic import Field

from ..runtime.options import Seeded

Names = Annotated[list[str], Field(json_schema_extra={"uniqueItems": True})]
Pairs = list[Annotated[list[str], Field(min_length=2, max_length=2)]]
MaxPairs = Annotated[
    int,
    Field(
        ge=1,
        description="largest number of pairs; if there are more, a random sample is taken (see "
        "seed)",
    ),
]


class SampledPairs(Seeded):
    """Options of an analysis that looks at pairs and draws some where there are many.

    Attributes:
        max_pairs: Largest number of pairs.
    """

    max_pairs: MaxPairs
