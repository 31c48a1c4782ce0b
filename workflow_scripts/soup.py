"""Make one soup."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.context import FolderContext
from stockpot.merging.soup import make_soup
from stockpot.models.card import read_card
from stockpot.runtime.job import job
from stockpot.runtime.sealed import write_sealed

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    start, *ingredients = [Path(card).parent for card in snakemake.input.cards]
    held_out = read_dataset(Path(snakemake.input.held_out_data[0]).parent)
    train = [
        read_dataset(Path(card).parent)
        for card in snakemake.input.get("train_data", [])
    ]
    context = FolderContext(
        spec, [start, *ingredients], held_out, train, out.parents[1] / "store"
    )
    recipe = make_soup([read_card(folder) for folder in ingredients], context)
    recipe["held_out"] = {"name": held_out.name, "fingerprint": held_out.fingerprint}
    context.report()
    write_sealed(out, recipe)
