"""Jobs on GPUs, as far as a machine without any shows it."""

import json

import pytest

from stockpot.models.classifier import Weights

GPU_OF = "on the CPU: torch cannot use GPU "


@pytest.fixture
def again(finished, tmp_path):
    """The finished study without three of its runs."""
    study = finished.copy(tmp_path)
    for name in ("base", "linear", "search"):
        for card in study.results.glob(f"classifiers/{name}-*/classifier.json"):
            card.unlink()
    return study


def card(study):
    (found,) = study.results.glob("classifiers/base-*/classifier.json")
    return json.loads(found.read_text())


def distance(a, b):
    return (
        sum(float((a[name] - b[name]).double().square().sum()) for name in a.names)
        ** 0.5
    )


def logs(study):
    return {
        p.stem: p.read_text()
        for p in (study.results / "logs" / "finetune").glob("*.log")
    }


def test_jobs_share_the_gpus_and_never_one(again, monkeypatch):
    """Two jobs at a time, each on another GPU: which one it has stands in its log."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    again.snakemake(
        "--cores",
        "2",
        "--config",
        "gpus=1",
        "--resources",
        "gpu=2",
        "--until",
        "finetune",
    )
    told = [
        text.split(GPU_OF)[1].split()[0]
        for text in logs(again).values()
        if GPU_OF in text
    ]
    assert len(told) == 3
    assert set(told) == {"GPU-a", "GPU-b"}


def test_two_processes_train_what_one_does(finished, again):
    (base,) = again.results.glob("classifiers/base-*")
    again.snakemake(
        "--config",
        "gpus=2",
        "--resources",
        "gpu=2",
        "--cores",
        "2",
        str(base.relative_to(again.folder) / "classifier.json"),
    )
    (one,), (two,) = card(finished)["history"], card(again)["history"]
    assert one["held_out_k"] == two["held_out_k"]
    assert one["loss"] == pytest.approx(two["loss"])
    start, *trained = (
        Weights(next(study.results.glob(f"classifiers/{name}-*")))
        for study, name in (
            (finished, "zero-shot"),
            (finished, "base"),
            (again, "base"),
        )
    )
    assert distance(*trained) < 5e-3 * distance(start, trained[0])
    (log,) = (text for name, text in logs(again).items() if name.startswith("base-"))
    assert log.count("epoch 1/1") == 1, "one of them writes"


def test_what_training_on_a_made_set_asks_for_is_known(study):
    """Such a set has no size of its own for its images."""
    hard = {"source": "adversarial", "pool": "wide", "images": 32}
    study.edit(
        lambda c: (
            c["datasets"].update(hard=hard),
            c["data"].update(shifts=["v2", "own"]),
        )
    )
    study.edit(lambda c: c["baselines"].update(train="hard", defaults={"images": 32}))
    for name in ("standard-600", "standard-1000", "standard-2000"):
        study.edit(
            lambda c, name=name: c["baselines"]["models"].update({name: {"images": 32}})
        )
    assert "finetune" in study.snakemake("-n").stdout
