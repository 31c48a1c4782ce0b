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
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [
        line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
    ]
    return names[0] if names else platform.processor()


def main(names: list[str]) -> None:
    import importlib

    from timing import cores

    rows = []
    for name in names or NAMES:
        measured_rows = importlib.import_module(name).measure()
        for what, measured, wanted in measured_rows:
            print(f"{what}: {measured} (wanted: {wanted})", flush=True)
        rows += measured_rows
    table = "".join(
        f"| {what} | {measured} | {wanted} |\n" for what, measured, wanted in rows
    )
    text = INTRODUCTION.format(machine=processor(), cores=cores()) + table
    if not names:
        (ROOT / "docs" / "results" / "benchmarks.md").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
