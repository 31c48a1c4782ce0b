"""Make one soup."""

import json
from functools import cache
from pathlib import Path

from stockpot.datasets.dataset import read_dataset
from stockpot.files import atomic
from stockpot.job import job
from stockpot.merging.soup import make_soup
from stockpot.models.card import read_card

with job(snakemake) as spec:
    out = Path(snakemake.output[0])
    folders = [Path(card).parent for card in snakemake.input.cards]
    held_out = read_dataset(Path(snakemake.input.data[0]).parent)

    @cache
    def evaluator():
        """Loaded by methods that look at the held-out set; the others do without torch."""
        from stockpot.evaluation.evaluator import Evaluator
        from stockpot.evaluation.store import Store

        return Evaluator(Store(out.parents[1] / "store"), folders, spec)

    def measure(recipe):
        found = evaluator().predictions(recipe, held_out)[1]
        return found.k, found.n

    @cache
    def weights(sha256):
        from stockpot.models.classifier import Weights

        return Weights(next(f for f in folders if read_card(f).sha256 == sha256))

    recipe = make_soup(spec, [read_card(folder) for folder in folders[1:]], measure, weights)
    recipe["held_out"] = {"name": held_out.name, "fingerprint": held_out.fingerprint}
    if evaluator.cache_info().currsize:
        evaluator().report()
    with atomic(out) as path:
        path.write_text(json.dumps(recipe, indent=1) + "\n")
