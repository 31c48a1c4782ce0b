"""A real SLURM on this machine alone: three nodes, one of them with two fake GPUs, and no root."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.processes import wait_for
from tests.support.workflow import environment

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
CPU_NODES, GPU_NODE = ("n1", "n2"), "g1"
NODES = (*CPU_NODES, GPU_NODE)
FAKE_GPUS = (
    "/dev/null",
    "/dev/zero",
)  # SLURM wants device files, and does not look into them

# cred_expire is how long a job waits after SLURM has put it back into the queue.
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
TaskProlog={folder}/prolog
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=0,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=60
SlurmdTimeout=60
KillWait=2
MinJobAge=600
MailProg=/bin/true
GresTypes=gpu
PartitionName=cpu Nodes={cpu_nodes} Default=YES State=UP
PartitionName=gpu Nodes={gpu_node} State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=64000"


def missing() -> list[str]:
    """The programs that are not installed here."""
    return [name for name in PROGRAMS if not shutil.which(name, path=search_path())]


def search_path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Slurm:
    """The daemons, each a child of this process, and questions to them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}
        host, ports = socket.gethostname().split(".")[0], free_ports(1 + len(NODES))
        user = psutil.Process().username()
        for name in ("munge", "state", "bin", *(f"spool-{node}" for node in NODES)):
            (folder / name).mkdir(mode=0o755)
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        config = CONFIG.format(
            host=host,
            ports=ports,
            user=user,
            folder=folder,
            cpu_nodes=",".join(CPU_NODES),
            gpu_node=GPU_NODE,
        )
        for name, port in zip(NODES, ports[1:]):
            config += NODE.format(name=name, host=host, port=port)
            config += f" Gres=gpu:fake:{len(FAKE_GPUS)}\n" if name == GPU_NODE else "\n"
        self.config = folder / "slurm.conf"
        self.config.write_text(config)
        gpus = [
            f"NodeName={GPU_NODE} Name=gpu Type=fake File={file}" for file in FAKE_GPUS
        ]
        (folder / "gres.conf").write_text("\n".join(gpus) + "\n")
        # The executor takes SLURM_CONF away from its job steps; a cluster has /etc/slurm instead.
        real = shutil.which("srun", path=search_path())
        self.script("bin/srun", f'SLURM_CONF={self.config} exec {real} "$@"')
        seen = f"$SLURM_JOB_ID $SLURMD_NODENAME ${{CUDA_VISIBLE_DEVICES:--}} >> {folder}/seen"
        self.script("prolog", f"echo {seen}")

    def script(self, name: str, line: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def environment(self) -> dict:
        kept = {
            k: v
            for k, v in environment().items()
            if not k.startswith(("SLURM", "SBATCH"))
        }
        own = {
            "SLURM_CONF": str(self.config),
            "PATH": f"{self.folder}/bin:{search_path()}",
        }
        return kept | own

    def start(self, name: str, *command: str) -> None:
        """A daemon that ends with this process, even if that is killed."""
        with open(self.folder / f"{name}.log", "a") as log:
            self.daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_controller(self) -> None:
        self.start("slurmctld", "slurmctld", "-D", "-f", str(self.config))

    def start_node(self, name: str) -> None:
        self.start(name, "slurmd", "-D", "-N", name, "-f", str(self.config))

    def up(self) -> None:
        munge = self.folder / "munge"
        self.start(
            "munged",
            "munged",
            "--foreground",
            "--force",
            f"--key-file={self.folder}/munge.key",
            f"--socket={munge}/socket",
            f"--pid-file={munge}/pid",
            f"--seed-file={munge}/seed",
            f"--log-file={munge}/log",
        )
        wait_for((munge / "socket").exists)
        self.start_controller()
        for name in NODES:
            self.start_node(name)
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        states = ("sinfo", "--noheader", "--Node", "--format=%T")
        wait_for(lambda: set(self.ask(*states).split()) == {"idle"})

    def kill(self, name: str) -> None:
        self.daemons[name].send_signal(signal.SIGKILL)
        self.daemons[name].wait()

    def processes(self, **variables: str) -> list[psutil.Process]:
        """What was started with this SLURM, the daemons too, and has these variables."""
        variables["SLURM_CONF"] = str(self.config)
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if variables.items() <= process.environ().items():
                    found.append(process)
        return found

    def kill_node(self, name: str) -> None:
        """As by a power cut: the daemon, the keepers of its jobs, the jobs."""
        self.kill(name)
        jobs = self.processes(SLURMD_NODENAME=name)
        keepers = {
            p
            for job in jobs
            for p in job.parents()
            if p.name().startswith("slurmstepd")
        }
        for process in [*keepers, *jobs]:
            with suppress(psutil.Error):
                process.kill()

    def down(self) -> None:
        for daemon in self.daemons.values():
            daemon.terminate()
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()
        for daemon in self.daemons.values():
            daemon.wait(60)

    def ask(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True
        )
        return done.stdout

    def jobs(self) -> dict[str, dict]:
        """Every job there was: number -> state, node, start and end in seconds."""
        found = {}
        for line in self.ask("scontrol", "-o", "show", "jobs").splitlines():
            fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
            if "JobId" in fields:
                found[fields["JobId"]] = {
                    "state": fields["JobState"],
                    "node": fields.get("NodeList"),
                    "start": seconds(fields["StartTime"]),
                    "end": seconds(fields["EndTime"]),
                    "restarts": int(fields["Restarts"]),
                    "folder": fields["WorkDir"],
                    "trains": "finetune" in line,
                }
        return found

    def devices(self, job: str) -> set[tuple[str, str]]:
        """Node and CUDA_VISIBLE_DEVICES that the processes of a job saw."""
        lines = [
            line.split() for line in (self.folder / "seen").read_text().splitlines()
        ]
        return {(node, device) for number, node, device in lines if number == job}


def seconds(stamp: str) -> float:
    """SLURM's time; a job that waits has none."""
    if stamp == "Unknown":
        return float("inf")
    return time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%S"))
