"""The lines of runs, soups and analyses that a plan begins with."""

from stockpot.planning.run_summary import other_lines, run_lines
from tests.support.own_study import OWN_STUDY, read_config


def test_the_plan_says_of_every_run_what_it_will_be(empty_folder):
    config = read_config(
        OWN_STUDY + "finetune: {runs: {base: {}, soft: {mixup: 0.2, init_from: base}}}"
    )
    lines = run_lines(config)
    assert lines[0].split() == [
        "run",
        "variant",
        "epochs",
        "batch_size",
        "lr",
        "weight_decay",
        "warmup",
        "label_smoothing",
        "grad_clip_norm",
        "min_crop_area",
    ]
    assert lines[1].split() == [
        "base",
        "end-to-end",
        "3",
        "32",
        "1e-05",
        "0.1",
        "0.1",
        "0",
        "1",
        "0.9",
    ]
    assert lines[2].endswith("0.9   start base, mixup 0.2") or "mixup 0.2" in lines[2]
    assert len(lines) == 3
    assert lines[0].index("lr") == lines[1].index("1e-05")


def test_the_plan_names_what_is_made_of_the_runs(empty_folder):
    given = "finetune: {search: {runs: 1, space: {lr: {choice: [0.1]}}}}\nanalyses: {cost: null}"
    lines = other_lines(read_config(OWN_STUDY + given))
    assert lines[:2] == [
        "soups: uniform, greedy, ensemble",
        "sweeps of 21 alphas: base, greedy",
    ]
    assert lines[2].startswith("analyses: choosing-alpha, ")
    assert "cost" not in lines[2]
    assert len(lines) == 3


def test_of_many_runs_the_first_are_shown(empty_folder):
    config = read_config(
        OWN_STUDY + "finetune: {search: {runs: 76, space: {lr: {uniform: [0.1, 0.2]}}}}"
    )
    lines = run_lines(config)
    assert len(lines) == 1 + 1 + 12 + 1
    assert lines[-1] == "… and 64 more runs"
