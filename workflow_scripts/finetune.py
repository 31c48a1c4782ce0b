"""Train one run."""

from pathlib import Path

from stockpot.runtime.job import job
from stockpot.training import variants
from stockpot.training.launch import launch_distributed
from stockpot.training.run import run

with job(snakemake) as spec:
    # A baseline starts from random weights, and only some runs train on two data sets at once.
    start_cards = snakemake.input.get("start_cards", [])
    second_dataset_cards = snakemake.input.get("second_dataset_data", [])
    arguments = dict(
        spec=spec,
        train=Path(snakemake.input.train_data[0]).parent,
        held_out=Path(snakemake.input.held_out_data[0]).parent,
        start=Path(start_cards[0]).parent if start_cards else None,
        folder=Path(snakemake.output.card).parent,
        code=snakemake.params.code,
        second_dataset=Path(second_dataset_cards[0]).parent
        if second_dataset_cards
        else None,
        averages=bool(snakemake.output.get("averages")),
    )
    gpus = snakemake.resources.get("gpu", 1)
    nodes = snakemake.resources.get("nodes", 1)
    if max(gpus, nodes) > 1 and variants.shared(spec["variant"]):
        processes_per_node = max(gpus // nodes, 1)
        launch_distributed(arguments, processes_per_node, nodes, snakemake.threads)
    else:
        run(**arguments)
