"""Make one page of the report: figures with their captions, then texts."""

from pathlib import Path

from stockpot.report.page import figure, render_page, text
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job

with job(snakemake) as spec:
    parts = []
    images = snakemake.input.get("figures", [])
    for image, caption in zip(images, spec["captions"], strict=True):
        parts.append(figure(Path(image), caption))
    text_files = snakemake.input.get("texts", [])
    for file, heading in zip(text_files, spec["heads"], strict=True):
        content = Path(file).read_text("utf-8")
        parts.append(text(f"{heading}\n\n{content}"))
    with atomic(snakemake.output[0]) as path:
        path.write_text(render_page(spec["title"], parts), "utf-8")
