"""Damage files of a finished study one at a time, and see what the same command says of it.

    python -m tests.support.damage_trials [how many] [seed]

Each trial takes a copy of a finished small study, damages one file below results/ without
changing its time, adds an alpha to the sweep and runs the real command. It ends in one of

    no effect   the tables are those of an undamaged study, and the file is as it was damaged
    healed      the tables are those of an undamaged study, and the file was made anew
    named       one line names the file, and the command in it makes the study go on to these tables
    SILENT      the tables are others, and nothing was said
    TRACEBACK   somewhere a traceback was written
    UNNAMED     the command failed without naming the file, or its hint did not help

The last three are faults.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import SCRIPTS
from tests.support.warm_interpreter import warm_interpreter
from tests.support.workflow import copy_project, write_images

FAULTS = ("SILENT", "TRACEBACK", "UNNAMED")
# Kinds of files, and how often each is chosen in relation to the others.
KINDS = {
    "store/*/*.safetensors": 4,
    "classifiers/*/classifier.safetensors": 2,
    "classifiers/*/classifier.json": 2,
    "classifiers/*/.state/*/state.pt": 3,
    "recipes/*.json": 2,
    "datasets/*/dataset.json": 2,
    "datasets/*/images.npy": 2,
    "datasets/*/labels.npy": 2,
    "datasets/*/digests.npy": 1,
    "evaluations/*.json": 3,
}


def flip_bit(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def zero(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    length = min(512, len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def change_digit(content: bytes, rng: random.Random) -> bytes:
    places = [match.start() for match in re.finditer(rb"[0-9]", content)]
    place = rng.choice(places)
    digit = rng.choice([b for b in b"0123456789" if b != content[place]])
    return content[:place] + bytes([digit]) + content[place + 1 :]


def empty(content: bytes, rng: random.Random) -> bytes:
    return b""


CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "a bit": flip_bit,
    "512 zeros": zero,
    "cut": cut,
    "empty": empty,
}
OTHERS = ("swapped", "copied over", "deleted")


@dataclass
class Damage:
    path: Path  # below results/
    kind: str  # one of KINDS
    how: str
    other: Path | None = None  # the second of two swapped files, which is damaged too


def choose(results: Path, rng: random.Random) -> Damage:
    """A file and what happens to it; kinds of files first, so that rare ones are met too."""
    kinds = [kind for kind in KINDS if any(results.glob(kind))]
    kind = rng.choices(kinds, [KINDS[kind] for kind in kinds])[0]
    files = sorted(path for path in results.glob(kind) if path.stat().st_size)
    hows = [*CHANGES, *OTHERS, *(["a digit"] if kind.endswith(".json") else [])]
    return Damage(rng.choice(files).relative_to(results), kind, rng.choice(hows))


def apply(damage: Damage, results: Path, rng: random.Random) -> None:
    """Do it, with the times that the files had."""
    path = results / damage.path
    content = path.read_bytes()
    siblings = [other for other in sorted(results.glob(damage.kind)) if other != path]
    if damage.how in ("swapped", "copied over") and not siblings:
        damage.how = "cut"
    if damage.how == "deleted":
        path.unlink()
    elif damage.how in ("swapped", "copied over"):
        other = rng.choice(siblings)
        theirs = other.read_bytes()
        rewrite(path, theirs)
        if damage.how == "swapped":
            rewrite(other, content)
            damage.other = other.relative_to(results)
    elif damage.how == "a digit":
        rewrite(path, change_digit(content, rng))
    else:
        rewrite(path, CHANGES[damage.how](content, rng))


def rewrite(path: Path, content: bytes) -> None:
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def add_an_alpha(study) -> None:
    study.edit(lambda config: config["sweep"].update(alphas=[0.0, 0.25, 0.5, 1.0]))


def run(study) -> subprocess.CompletedProcess:
    return study.snakemake("--cores", "1", check=False)


def said(study, done: subprocess.CompletedProcess) -> str:
    """All that the command and its jobs have written."""
    logs = [
        path.read_text(errors="replace")
        for path in study.results.rglob("logs/**/*.log")
    ]
    return "\n".join([done.stdout, done.stderr, *logs])


def tables(study) -> dict[str, bytes]:
    """All that people read; of pictures and pages the data behind them, which say as much."""
    found = study.tables()
    return {
        name: text
        for name, text in found.items()
        if name.endswith((".csv", ".md", ".tex"))
    }


def trial(
    finished, folder: Path, expected: dict[str, bytes], seed: int
) -> tuple[Damage, str, str]:
    """(what was damaged, how it ended, the line that named it)."""
    rng = random.Random(seed)
    study = finished.copy(folder)
    study.python = finished.python
    damage = choose(study.results, rng)
    if damage.kind.endswith("state.pt"):  # a run that was stopped
        classifier = study.results / damage.path.parents[2]
        for file in classifier.glob("classifier.*"):
            file.unlink()
    apply(damage, study.results, rng)
    path = study.results / damage.path
    before = path.read_bytes() if path.exists() else None
    add_an_alpha(study)
    done = run(study)
    text = said(study, done)
    if "Traceback (most recent call last)" in text:
        return damage, "TRACEBACK", text[text.index("Traceback") :][-600:]
    if done.returncode == 0:
        if tables(study) != expected:
            return damage, "SILENT", ""
        after = path.read_bytes() if path.exists() else None
        return damage, "no effect" if after == before else "healed", ""
    errors = re.findall("^ *error: .*", text, re.M)
    damaged = [str(file) for file in (damage.path, damage.other) if file]
    lines = [line for line in errors if any(file in line for file in damaged)]
    if not lines:
        return damage, "UNNAMED", "\n".join(errors) or text[-600:]
    return damage, _mended(study, lines[0].strip(), expected), lines[0].strip()


def _mended(study, line: str, expected: dict[str, bytes]) -> str:
    """Run the command in the line, then the study; of two damaged files each has its turn."""
    for _ in range(3):
        command = re.search("; (rm .*) and the same command", line)
        if not command or "\n" in line or len(line) > 500:
            return "UNNAMED"
        subprocess.run(command[1], shell=True, check=True, cwd=study.folder)
        done = run(study)
        text = said(study, done)
        if "Traceback (most recent call last)" in text:
            return "TRACEBACK"
        if done.returncode == 0:
            return "named" if tables(study) == expected else "SILENT"
        line = next(
            iter(re.findall("^ *error: .*", done.stdout + done.stderr, re.M)), ""
        ).strip()
    return "UNNAMED"


def prepared(folder: Path, python: str | None = None):
    """A finished small study, with the states that its runs had while they trained."""
    sys.path[:0] = [str(SCRIPTS)]
    study = copy_project(folder)
    study.python = python or study.python
    write_images(study.folder / "own")
    loop = study.folder / "workflow_scripts/stockpot/training/checkpointer.py"
    loop.write_text(re.sub("SAVE_EVERY = 600", "SAVE_EVERY = 0", loop.read_text()))
    over = threading.Event()
    kept = folder.with_name(f"{folder.name}-states")
    watcher = threading.Thread(target=_keep_states, args=(study.results, kept, over))
    watcher.start()
    study.snakemake("--cores", "1")
    over.set()
    watcher.join()
    if kept.exists():
        shutil.copytree(kept, study.results / "classifiers", dirs_exist_ok=True)
    return study


def _keep_states(results: Path, kept: Path, over: threading.Event) -> None:
    """Link the states of runs, which are removed when a run ends."""
    while not over.is_set():
        for path in results.glob("classifiers/*/.state/*/state.pt"):
            target = kept / path.relative_to(results / "classifiers")
            target.parent.mkdir(parents=True, exist_ok=True)
            link = target.with_name("new")
            link.unlink(
                missing_ok=True
            )  # two names of one file do not replace each other
            try:
                os.link(path, link)
                os.replace(link, target)
            except FileNotFoundError:
                pass
        time.sleep(0.01)


def main(number: int, first: int) -> int:
    counts, faults = Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        finished = prepared(Path(folder) / "finished", warm_interpreter())
        clean = finished.copy(Path(folder) / "clean")
        clean.python = finished.python
        add_an_alpha(clean)
        clean.snakemake("--cores", "1")
        expected = tables(clean)
        for seed in range(first, first + number):
            copy = Path(folder) / "trial"
            damage, ended, line = trial(finished, copy, expected, seed)
            counts[damage.kind, ended] += 1
            faults += ended in FAULTS
            print(f"{seed:5}  {ended:9}  {damage.how:11}  {damage.path}", flush=True)
            if ended in FAULTS:
                print(line, flush=True)
            shutil.rmtree(copy)
    ends = ["no effect", "healed", "named", *FAULTS]
    print(f"\n| file | {' | '.join(ends)} |\n| :-- |{' --: |' * len(ends)}")
    for kind in KINDS:
        print(f"| {kind} | {' | '.join(str(counts[kind, end]) for end in ends)} |")
    totals = [
        sum(n for (_, ended), n in counts.items() if ended == end) for end in ends
    ]
    print(f"| all | {' | '.join(map(str, totals))} |")
    return 1 if faults else 0


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    sys.exit(main(number, first))
