"""Draw the interactive scatter plot of a study."""

from pathlib import Path

from stockpot.report.explore import robustness_scatter, to_html
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.job import job
from stockpot.runtime.sealed import read_sealed
from stockpot.tables.measurements import read_table

with job(snakemake) as spec:
    measurements = read_table(snakemake.input.measurements)
    fits = read_table(snakemake.input.fits)
    robustness = read_table(snakemake.input.robustness)
    # Recipes are named by the ids of soups, models by their names.
    soup_names = {soup_id: name for name, soup_id in spec["soups"].items()}
    for recipe_file in map(Path, snakemake.input.recipes):
        name = soup_names[recipe_file.stem]
        spec["models"][name]["recipe"] = read_sealed(recipe_file)
    chart = robustness_scatter(
        measurements, fits, robustness, spec["models"], spec["axis"]
    )
    study = snakemake.wildcards.study
    title = f"Every model of {study}, on the reference and under shift"
    with atomic(snakemake.output[0]) as path:
        path.write_text(to_html(chart, title), "utf-8")
