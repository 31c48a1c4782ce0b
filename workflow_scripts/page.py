"""One page of the report: texts, and figures with their captions."""

from pathlib import Path

from stockpot.report.page import figure, page, text
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job

with job(snakemake) as spec:
    texts = [Path(path).read_text("utf-8") for path in snakemake.input.get("texts", [])]
    parts = [
        text(f"{head}\n\n{told}")
        for head, told in zip(spec["heads"], texts, strict=True)
    ]
    drawn = zip(snakemake.input.get("figures", []), spec["captions"], strict=True)
    parts = [*(figure(Path(image), caption) for image, caption in drawn), *parts]
    with atomic(snakemake.output[0]) as path:
        path.write_text(page(spec["title"], parts), "utf-8")
