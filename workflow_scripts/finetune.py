"""Train one run."""

from pathlib import Path

from stockpot.job import job
from stockpot.training.run import run

with job(snakemake) as spec:
    start = snakemake.input.get("start_cards", [])
    joint = snakemake.input.get("joint_data", [])
    run(
        spec,
        train=Path(snakemake.input.train_data[0]).parent,
        held_out=Path(snakemake.input.held_out_data[0]).parent,
        start=Path(start[0]).parent if start else None,
        folder=Path(snakemake.output.card).parent,
        code=snakemake.params.code,
        joint=Path(joint[0]).parent if joint else None,
        averages=bool(snakemake.output.get("averages")),
    )
