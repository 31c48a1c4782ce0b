"""Make one soup."""

from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging.make_merge import make_soup
from stockpot.models.card import read_card
from stockpot.runtime.job import job
from stockpot.runtime.sealed import write_sealed

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    results = out.parents[1]
    # The first classifier is the zero-shot model, the others are the ingredients.
    classifiers = [Path(card).parent for card in snakemake.input.cards]
    ingredients = [read_card(classifier) for classifier in classifiers[1:]]
    held_out = read_dataset(Path(snakemake.input.held_out_data[0]).parent)
    # Only some methods read the training set.
    train_cards = snakemake.input.get("train_data", [])
    train = [read_dataset(Path(card).parent) for card in train_cards]
    context = FolderContext(spec, classifiers, held_out, train, results / "store")
    recipe = make_soup(ingredients, context)
    recipe["held_out"] = {"name": held_out.name, "fingerprint": held_out.fingerprint}
    context.report()
    write_sealed(out, recipe)
