"""Run the benchmarks and write docs/results/benchmarks.md. Names as arguments run only these."""

import datetime
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
    "step",
)
INTRODUCTION = """# Benchmarks

`make benchmarks` makes this table. A ratio compares two ways within one run, on the same machine
and inputs. Seconds hold for this machine: {machine}, {cores} cores. Measured on {date}.

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
    """Run benchmarks and print their rows; a run of all also writes the page in docs/.

    Args:
        names: Names of the benchmarks; an empty list means all.
    """
    import importlib

    from timing import cores

    rows = []
    for name in names or NAMES:
        measured_rows = importlib.import_module(name).measure()
        for what, measured, wanted in measured_rows:
            print(f"{what}: {measured} (wanted: {wanted})", flush=True)
        rows += measured_rows
    # A page of only some benchmarks would lack the others.
    if not names:
        introduction = INTRODUCTION.format(
            machine=processor(), cores=cores(), date=datetime.date.today()
        )
        lines = [f"| {' | '.join(row)} |\n" for row in rows]
        text = introduction + "".join(lines)
        (ROOT / "docs" / "results" / "benchmarks.md").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
