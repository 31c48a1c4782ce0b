"""Names of model files, and a check of safetensors files that needs no library."""

import json
import struct
from pathlib import Path

from ..errors import StockpotError

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"


def check_safetensors(path: Path, key: str) -> None:
    """Read the header and compare it with the file's size.

    Raises StockpotError naming the config's ``key`` for a file that is missing, no
    safetensors file, or cut short.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size - 8:
                raise ValueError(f"its header claims {length} bytes, the file has {size}")
            header = json.loads(file.read(length))
        end = max(
            (entry["data_offsets"][1] for k, entry in header.items() if k != "__metadata__"),
            default=0,
        )
        if 8 + length + end != size:
            raise ValueError(f"it has {size} bytes, its header describes {8 + length + end}")
    except OSError as error:
        raise StockpotError(f"{key}: cannot read {path} ({error.strerror})") from error
    except (ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise StockpotError(f"{key}: {path} is not a whole safetensors file ({error})") from error
