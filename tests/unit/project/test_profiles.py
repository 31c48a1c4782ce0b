"""The profiles agree with the rules, with each other and with Snakemake."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT

pytestmark = pytest.mark.process

PROFILES = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "profiles").glob("*/config.yaml"))
}
CLUSTERS = [name for name in PROFILES if name != "default"]
RULES = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
OF_ONE_MACHINE = {"resources", "default-resources"}
OF_PLUGINS = {  # of which not all can be installed with our Snakemake
    "kubernetes-namespace",
    "kubernetes-persistent-volumes",
    "storage-s3-endpoint-url",
}


def test_there_is_a_profile_for_each_kind_of_cluster():
    assert CLUSTERS == ["cluster-generic", "kubernetes", "slurm"]


@pytest.fixture(scope="module")
def snakemake_options() -> set[str]:
    command = [sys.executable, "-m", "snakemake", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--([a-z0-9-]+)", text)) | OF_PLUGINS


@pytest.mark.parametrize("name", PROFILES)
def test_every_key_is_an_option_of_snakemake(name, snakemake_options):
    assert set(PROFILES[name]) - snakemake_options == set()


@pytest.mark.parametrize("name", CLUSTERS)
def test_what_reruns_is_the_same_everywhere(name):
    assert {
        key: PROFILES[name].get(key)
        for key in PROFILES["default"]
        if key not in OF_ONE_MACHINE
    } == {
        key: value
        for key, value in PROFILES["default"].items()
        if key not in OF_ONE_MACHINE
    }


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_rules_that_use_a_gpu_are_those_of_the_profile(name):
    with_gpu = set()
    for block in re.split(r"\n(?=rule |use rule )", "\n" + RULES):
        if found := re.match(r"use rule (\w+) as (\w+)", block):
            with_gpu |= {found[2]} if found[1] in with_gpu else set()
        elif re.search(r"^ +gpu=", block, re.M):
            with_gpu.add(re.match(r"rule (\w+)", block)[1])
    asked = PROFILES[name]["set-resources"]
    assert {rule for rule in asked if asked[rule]["gpu"] == 1} == with_gpu


@pytest.mark.parametrize("name", CLUSTERS)
def test_groups_are_of_rules_that_there_are(name):
    grouped = [entry.split("=") for entry in PROFILES[name].get("groups", [])]
    assert all(re.search(rf"^rule {rule}:", RULES, re.M) for rule, _ in grouped)
    sizes = [
        entry.split("=")[0] for entry in PROFILES[name].get("group-components", [])
    ]
    assert sorted({group for _, group in grouped}) == sorted(sizes)


def test_retries_are_of_the_profiles_alone():
    """Those of a rule would count inside the job as well."""
    assert "retries:" not in RULES


def test_what_failed_is_said_once():
    """The workflow itself ends with the lines of the logs that failed."""
    assert [name for name in PROFILES if PROFILES[name].get("show-failed-logs")] == []


STATES = {
    "COMPLETED": "success",
    "RUNNING": "running",
    "PENDING": "running",
    "COMPLETING": "running",
    "FAILED": "failed",
    "OUT_OF_MEMORY": "failed",
    "PREEMPTED": "failed",
    "TIMEOUT": "failed",
}


def write_fake_command(folder: Path, name: str, line: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def run_script(
    script: str, folder: Path, *arguments: str
) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    command = [str(ROOT / "profiles" / script), *arguments]
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("known", [True, False], ids=["scontrol", "sacct"])
def test_the_status_of_a_job(state, known, tmp_path):
    """From the controller, or, when it has forgotten the job, from the accounting."""
    told = (
        f"echo JobId=7 JobState={state} Reason=None"
        if known
        else "echo Invalid job id; exit 1"
    )
    write_fake_command(tmp_path, "scontrol", told.replace("echo JobId", "echo x JobId"))
    write_fake_command(tmp_path, "sacct", f'echo "{state}"')
    assert (
        run_script("cluster-generic/status", tmp_path, "7").stdout.strip()
        == STATES[state]
    )


def test_a_controller_that_does_not_answer_says_nothing_of_the_job(tmp_path):
    write_fake_command(
        tmp_path, "scontrol", "echo Unable to contact slurm controller; exit 1"
    )
    assert (
        run_script("cluster-generic/status", tmp_path, "7").stdout.strip() == "running"
    )


def test_jobs_are_not_said_to_be_cancelled_when_nobody_answers(tmp_path):
    write_fake_command(tmp_path, "squeue", "exit 1")
    assert run_script("cancel", tmp_path).returncode != 0
    write_fake_command(tmp_path, "squeue", "true")
    assert run_script("cancel", tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("script", "name"), [("cancel", "jobs"), ("cluster-generic/submit", "gpus")]
)
def test_an_empty_list_is_no_error_in_an_old_bash(script, name):
    """Before bash 4.4, set -u takes an empty list for an unset variable."""
    text = (ROOT / "profiles" / script).read_text()
    guarded = f'${{{name}[@]+"${{{name}[@]}}"}}'
    assert text.count(guarded) == 1
    assert "[@]" not in text.replace(guarded, "").replace(f"${{#{name}[@]}}", "")


@pytest.mark.parametrize(
    "name", ["plain", "a|b", "back\\slash", "quo'te $x `y`", "new\nline"]
)
def test_jobs_of_this_folder_alone_are_cancelled_whatever_its_name(name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    cancelled = tmp_path / "cancelled"
    queue = folder / "queue"
    queue.write_text(
        f"7|stockpot-x|{folder}\n8|other|{folder}\n9|stockpot-y|{folder}/below\n"
    )
    write_fake_command(folder, "squeue", 'cat "${0%/*}/queue"')
    write_fake_command(
        folder,
        "scancel",
        f'echo "$1" >> "{cancelled}"; sed -i "/^$1|/d" "${{0%/*}}/queue"',
    )
    done = run_script("cancel", folder)
    if "\n" in name:
        assert done.returncode == 1
        assert "line break" in done.stderr
        assert not cancelled.exists()
    else:
        assert done.returncode == 0, done.stderr
        assert cancelled.read_text() == "7\n"
