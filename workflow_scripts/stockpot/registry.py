"""Plug-ins by file name: a module in a package's folder is found under its own name."""

import importlib
from pathlib import Path

from .errors import StockpotError


def names(package_file: str) -> list[str]:
    """Names of the modules beside a package's ``__init__.py``, with - for _."""
    files = Path(package_file).parent.glob("*.py")
    return sorted(p.stem.replace("_", "-") for p in files if p.stem != "__init__")


def load(package: str, package_file: str, name: str, function: str, what: str):
    """``function`` of the module ``name``. Raises StockpotError naming what there is."""
    known = names(package_file)
    if name not in known:
        raise StockpotError(f"unknown {what} '{name}'; there are {', '.join(known)}")
    return getattr(importlib.import_module(f"{package}.{name.replace('-', '_')}"), function)
