"""Write the weights of one merge that is not linear."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging.make_merge import write_merge
from stockpot.models.card import read_card
from stockpot.runtime.job import job

with job(snakemake) as spec:
    folder = Path(snakemake.output.card).parent
    results = folder.parents[1]
    # The first classifier is the zero-shot model, the others are the ingredients.
    classifiers = [Path(card).parent for card in snakemake.input.cards]
    ingredients = [read_card(classifier) for classifier in classifiers[1:]]
    held_out = read_dataset(Path(snakemake.input.held_out_data[0]).parent)
    # Only some methods read the training set.
    train_cards = snakemake.input.get("train_data", [])
    train = [read_dataset(Path(card).parent) for card in train_cards]
    context = FolderContext(spec, classifiers, held_out, train, results / "store")
    write_merge(folder, ingredients, context)
