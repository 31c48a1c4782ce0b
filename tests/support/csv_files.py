"""CSV files that tests write."""

from pathlib import Path


def write_csv(file: Path, header: str, *rows: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n")
