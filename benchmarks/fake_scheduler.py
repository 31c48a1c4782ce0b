"""A scheduler for Snakemake's executor cluster-generic that runs all jobs on this machine.

python fake_scheduler.py run submit <jobscript>       start the job, print its id
python fake_scheduler.py instant submit <jobscript>   write what the job declares, and be done
python fake_scheduler.py <either> status <id>         running, success or failed

Its folder is $FAKE_SCHEDULER: a file per job with the status and, once it ended, its seconds of
processor and wall clock.
"""

import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

FOLDER = Path(os.environ["FAKE_SCHEDULER"])


def note(job_id: str, status: str, *seconds: float) -> None:
    """Write the file of a job, whole or not at all.

    Args:
        job_id: The job.
        status: What Snakemake is told of it.
        *seconds: Of processor and wall clock.
    """
    temporary = FOLDER / f".{job_id}"
    temporary.write_text(" ".join([status, *(f"{s:.3f}" for s in seconds)]))
    temporary.rename(FOLDER / job_id)


# What a group makes for its own jobs is not declared; but its jobs are named, as rule:wildcard=id.
MADE = {
    "finetune": [
        "classifiers/{}/classifier.json",
        "classifiers/{}/classifier.safetensors",
    ],
    "evaluate": ["evaluations/{}.json"],
    "sweep": ["evaluations/{}.json"],
}


def outputs(script: str) -> list[str]:
    """What the jobs of a jobscript make."""
    declared = json.loads(re.search("^# properties = (.*)$", script, re.M).group(1))[
        "output"
    ]
    named = re.findall(r"'(\w+):\w+=([^']+)'", script)
    return declared + [
        f"results/{path.format(artefact_id)}"
        for rule, artefact_id in named
        for path in MADE.get(rule, [])
    ]


def submit(how: str, script: Path) -> str:
    """Do what a jobscript declares, or start it in a process of its own.

    Args:
        how: "instant" or "run".
        script: The jobscript.

    Returns:
        The id of the job, "" in the process that has run it.
    """
    job_id = uuid4().hex
    note(job_id, "running", 0)
    if how == "instant":
        for path in map(Path, outputs(script.read_text())):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}\n")
        note(job_id, "success")
    elif os.fork() == 0:
        os.setsid()
        log = os.open(FOLDER / f"{job_id}.log", os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        started = time.monotonic()
        done = subprocess.run(["bash", script])
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        status = "failed" if done.returncode else "success"
        note(job_id, status, used.ru_utime + used.ru_stime, time.monotonic() - started)
    else:
        return job_id
    return job_id if how == "instant" else ""


if __name__ == "__main__":
    how, what, which = sys.argv[1:]
    if what == "status":
        print((FOLDER / which).read_text().split()[0])
    elif job_id := submit(how, Path(which)):
        print(job_id, flush=True)
