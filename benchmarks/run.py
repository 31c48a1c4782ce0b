"""Run the benchmarks and write docs/results/benchmarks.md. Names as arguments run only these."""

import platform
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(Path(__file__).parent)]

NAMES = (
    "study",
    "planning",
    "engine",
    "memory",
    "originals",
    "merging",
    "learned",
    "heads",
    "decode",
    "finetune",
)
INTRODUCTION = """# Benchmarks

Made by `make benchmarks`. Ratios compare alternatives within one run, on the same machine and
inputs; seconds are this machine's: {machine}, {cores} cores.

| what | measured | wanted |
| :-- | --: | --: |
"""


def processor() -> str:
    """Name the processor of this machine.

    Returns:
        The name, as Linux has it, else as Python has it.
    """
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    for line in lines:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main(names: list[str]) -> None:
    """Run benchmarks and print their rows; all of them make the page in docs/, too.

    Args:
        names: Of the benchmarks; empty for all.
    """
    import importlib

    from timing import cores

    rows = []
    for name in names or NAMES:
        measured_rows = importlib.import_module(name).measure()
        for what, measured, wanted in measured_rows:
            print(f"{what}: {measured} (wanted: {wanted})", flush=True)
        rows += measured_rows
    # A page of some benchmarks only would lack the others.
    if not names:
        introduction = INTRODUCTION.format(machine=processor(), cores=cores())
        lines = [f"| {' | '.join(row)} |\n" for row in rows]
        text = introduction + "".join(lines)
        (ROOT / "docs" / "results" / "benchmarks.md").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
