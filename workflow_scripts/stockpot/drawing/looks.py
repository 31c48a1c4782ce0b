"""What has a colour of its own, the same in all figures. No look depends on what else is drawn."""

import hashlib

from .style import GREEN, ORANGE, PURPLE, VERMILION

# Selector of alpha -> colour.
SELECTORS = {
    "half": PURPLE,
    "held-out": VERMILION,
    "within-error": ORANGE,
    "within-point": GREEN,
}
# For those that are not listed.
SPARE_COLOURS = ("#882255", "#999933", "#332288", "#44AA99", "#661100", "#6699CC")


def selector_colour(name: str) -> str:
    """The colour of a rule that chooses alpha."""
    return SELECTORS.get(name) or SPARE_COLOURS[_stable(name, len(SPARE_COLOURS))]


def _stable(name: str, n: int) -> int:
    """A number below n that depends on the name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % n
