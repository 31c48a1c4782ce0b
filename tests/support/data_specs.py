"""Specifications of data sets, as the plan writes them."""


def encoded_spec(source: str, side: int = 16, **options) -> dict:
    """What a source of encoded images gets from the plan."""
    from stockpot.datasets.sources import with_defaults

    made = with_defaults({"name": "own", "source": source, **options})
    return made | {
        "image_size": side,
        "resize_mode": "shortest",
        "interpolation": "bicubic",
    }
