"""A study of one's own folders of images, as it is read and refused."""

from pathlib import Path

import pytest

from stockpot.config.check import check_config
from stockpot.config.read import read_study
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ROOT

OWN_STUDY = """
study: mine
data: {train: photos-train, held_out: photos-held-out, reference: photos, shifts: [drawings]}
datasets:
  photos-train: {source: folder, path: photos, split: {part: train}}
  photos-held-out: {source: folder, path: photos, split: {part: held-out}}
  photos: {source: folder, path: photos, split: {part: test}}
  drawings: {source: folder, path: drawings}
"""


def write_study(text: str, *more: str) -> list[Path]:
    """Files with these texts in the working directory."""
    paths = []
    for i, content in enumerate((text, *more)):
        paths.append(Path.cwd() / ("study.yaml" if i == 0 else f"more-{i}.yaml"))
        paths[-1].write_text(content, encoding="utf-8")
    return paths


def read_config(*texts: str, command_line: dict | None = None) -> dict:
    return read_study(ROOT, write_study(*texts), command_line).located()


def refusal_lines(schema, *texts: str) -> list[str]:
    """The lines that a study is refused with, as its reader sees them."""

    def read():
        given = read_study(ROOT, write_study(*texts))
        check_config(given.located(), schema, given.paths)

    with pytest.raises(StockpotError) as error:
        read()
    lines = str(error.value).splitlines()
    assert all(len(line) <= 500 for line in lines)
    return lines
