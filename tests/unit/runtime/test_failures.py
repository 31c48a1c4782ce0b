"""What is said of a run that failed: each error once."""

from stockpot.runtime.failures import failed_lines, jobs_left

SAID = """Error in rule prepare_dataset:
    output: results/datasets/a/dataset.json
    log: {logs}/a.log (check log file(s) for error details)
Error in rule finetune:
    log: {logs}/b.log (check log file(s) for error details)
Error in rule prepare_dataset:
    log: {logs}/a.log (check log file(s) for error details)
Error in rule zero_shot:
    log: {logs}/gone.log (check log file(s) for error details)
"""


def test_every_error_is_told_once_and_of_a_traceback_the_end(tmp_path):
    (tmp_path / "a.log").write_text(
        "12:00:00  reads\nerror: a.png: not a readable image\n"
    )
    trace = [f"line {i}" for i in range(40)]
    (tmp_path / "b.log").write_text(
        "\n".join([*trace, "ValueError: \x1b[31mé"]), "utf-8"
    )
    log = tmp_path / "snakemake.log"
    log.write_text(SAID.format(logs=tmp_path))
    first, where, *end = failed_lines([str(log), str(tmp_path / "none.log")])
    assert first == "error: a.png: not a readable image"
    assert where == f"{tmp_path}/b.log ends with"
    assert end == [*trace[-11:], "ValueError: \\x1b[31mé"]


def test_a_run_that_was_interrupted_has_no_errors(tmp_path):
    (tmp_path / "log").write_text("Terminating processes on user request\n")
    assert failed_lines([str(tmp_path / "log")]) == []


def test_jobs_that_were_submitted_and_have_not_finished_are_left(tmp_path):
    log = tmp_path / "snakemake.log"
    log.write_text(
        "Submitted job 6 with external jobid '21'.\n"
        "Submitted job 8 with external jobid '22'.\n"
        "Submitted group job 3f-a1 with external jobid '23'.\n"
        "Job 9 has been submitted with SLURM jobid 24 (log: x.log).\n"
        "Finished jobid: 6 (Rule: finetune)\n"
        "Submitted job 8 with external jobid '25'.\n"
    )
    assert jobs_left([str(log)]) == ["25", "23", "24"]
    assert jobs_left([str(tmp_path / "none")]) == []
