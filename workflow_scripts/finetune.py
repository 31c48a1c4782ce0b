"""Train one run."""

from pathlib import Path

from stockpot.runtime.job import job
from stockpot.training import variants
from stockpot.training.run import run
from stockpot.training.together import launch_distributed

with job(snakemake) as spec:
    start = snakemake.input.get("start_cards", [])
    joint = snakemake.input.get("joint_data", [])
    arguments = dict(
        spec=spec,
        train=Path(snakemake.input.train_data[0]).parent,
        held_out=Path(snakemake.input.held_out_data[0]).parent,
        start=Path(start[0]).parent if start else None,
        folder=Path(snakemake.output.card).parent,
        code=snakemake.params.code,
        joint=Path(joint[0]).parent if joint else None,
        averages=bool(snakemake.output.get("averages")),
    )
    gpus, nodes = (snakemake.resources.get(name, 1) for name in ("gpu", "nodes"))
    if max(gpus, nodes) > 1 and variants.shared(spec["variant"]):
        launch_distributed(arguments, max(gpus // nodes, 1), nodes, snakemake.threads)
    else:
        run(**arguments)
