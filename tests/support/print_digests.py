"""Prints digests of recipes, tables and figures: the program of project/test_hash_seeds."""

import hashlib
import json
import tempfile
from pathlib import Path

import torch

from stockpot import analyses, figures
from stockpot.drawing.style import save
from stockpot.merging import methods
from stockpot.merging.methods.lines import scales_by_depth
from stockpot.tables.display import to_latex, to_markdown
from stockpot.tables.main_table import overview
from stockpot.training.loop import Batches
from tests.support.merge_methods import (
    Tensors,
    helpful_and_harmful,
    merged_weights,
    random_context,
    random_model,
    recipe_and_tensors,
    small_network,
)
from tests.support.synthetic_study import make_study, tabulate

GIVEN = {
    "slerp": {"names": "ab"},
    "mono-soup": {"names": "a"},
    "wise-ft": {"alpha": {"": 0.5, "head.": 1.0, "visual.blocks.1.": 0.0}},
    "logit-ensemble": {"coefficients": {"a": 0.3, "b": 0.2, "c": 0.4, "d": 0.1}},
}
ELSEWHERE = {
    "fisher",
    "learned",
    "ema",
    "swa",
}  # they need a model, or a run that saved averages


def digest(content) -> str:
    if not isinstance(content, bytes):
        content = repr(content).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def recipes() -> dict:
    models = {"start": random_model(0)}
    models |= {f"sha-{name}": random_model(i) for i, name in enumerate("abcd", 1)}
    found = {}
    for method in sorted(set(methods.names()) - ELSEWHERE):
        given = {"names": "abcd"} | GIVEN.get(method, {})
        if methods.mixes(method) == "weights":
            weights = merged_weights(models, method, **given)
            found[method] = digest([(name, t.tolist()) for name, t in weights.items()])
        elif "greedy" in method:
            found[method] = digest(
                json.dumps(
                    recipe_and_tensors(models, method, held_out=helpful_and_harmful)[0]
                )
            )
        else:
            ingredients = {name: f"sha-{name}" for name in given.pop("names")}
            made = methods.load(method)(
                ingredients, random_context(models, method, **given)
            )
            found[method] = digest(json.dumps(made))
    names = [
        "visual.trunk.stem.0.weight",
        "visual.trunk.stem.1.weight",
        "visual.trunk.pos_embed",
    ]
    names += [f"visual.trunk.stages.{i}.w" for i in range(4)] + [
        "visual.trunk.norm.bias"
    ]
    found["lines of a trunk"] = digest(json.dumps(scales_by_depth(names, 0.0, 1.0)))
    return found | {"learned": learned()}


def learned() -> str:
    """Coefficients for each tensor, of networks that differ in all of them."""
    torch.manual_seed(1)
    models = {f"sha-{name}": Tensors(small_network().state_dict()) for name in "abc"}
    x, labels = torch.randn(20, 6).double(), torch.arange(20) % 5
    batches = Batches(x, labels, lambda x, generator: x)
    given = random_context(
        models,
        "learned",
        lambda recipe: (15, 20),
        granularity="tensor",
        epochs=2,
        images_per_step=10,
    )
    given.model = lambda: (small_network(), batches)
    return digest(
        json.dumps(methods.load("learned")({n: f"sha-{n}" for n in "abc"}, given))
    )


# Those that are quick, and look at sets of models.
ANALYSES = ("brittleness", "cost", "diagnosis", "diversity", "overrides")


def tables_and_figures(folder: Path) -> dict:
    study = make_study(folder)
    found, tables = {}, {}
    for name in ANALYSES:
        mixes = study.mixes(name) if analyses.evaluates(name) else None
        evidence = study.evidence(
            mixes=mixes, geometry=study.geometry, recipes=study.recipe_files
        )
        tables[name] = tabulate(name, evidence)
        people = analyses.short_table_of(name)(tables[name])
        found[name] = digest(
            tables[name].to_csv() + to_markdown(people) + to_latex(people)
        )
    for name in ("diversity", "diagnosis"):
        drawn, _ = figures.load(name)({"table": tables[name]}, {})
        save(drawn, folder / "figure.png")
        found[f"figure {name}"] = digest((folder / "figure.png").read_bytes())
    measured = study.evidence().measurements
    return found | {
        "measurements": digest(measured.to_csv()),
        "overview": digest(to_markdown(overview(measured))),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({**recipes(), **tables_and_figures(Path(folder))}))
