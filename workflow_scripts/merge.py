"""Write the weights of one merge that is not linear."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.context import FolderContext
from stockpot.merging.soup import write_merge
from stockpot.models.card import read_card
from stockpot.runtime.job import job

with job(snakemake) as spec:
    folder = Path(snakemake.output.card).parent
    start, *ingredients = [Path(card).parent for card in snakemake.input.cards]
    held_out = read_dataset(Path(snakemake.input.held_out_data[0]).parent)
    train = [
        read_dataset(Path(card).parent)
        for card in snakemake.input.get("train_data", [])
    ]
    store = folder.parents[1] / "store"
    context = FolderContext(spec, [start, *ingredients], held_out, train, store)
    write_merge(folder, [read_card(path) for path in ingredients], context)
