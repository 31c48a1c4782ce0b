"""The default study from nothing, again, and with one figure restyled."""

import shutil
import sys
import tempfile
from pathlib import Path

from timing import PROJECT, ROOT, run


def measure() -> list[tuple[str, str, str]]:
    """Run the default study three times.

    Returns:
        Rows: what, measured, wanted.
    """
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "all"]
    with tempfile.TemporaryDirectory() as folder:
        for name in PROJECT:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, Path(folder) / name)
        first = run(snakemake, folder)
        second = run(snakemake, folder)  # everything is there already
        style = Path(folder) / "style.yaml"
        style.write_text("figures: {alpha: {columns: 2}}\n")
        restyled = run([*snakemake, "--configfile", str(style)], folder)
    return [
        ("default study", f"{first.seconds:.0f} s", "240 s or less; aim: 150 s"),
        ("default study, peak memory", f"{first.peak_gib:.1f} GiB", "under 3 GB"),
        (
            "the same study again: nothing to do",
            f"{second.seconds:.1f} s",
            "3 s or less",
        ),
        (
            "the same study with one option of a figure changed",
            f"{restyled.seconds:.1f} s",
            "8 s or less",
        ),
    ]
