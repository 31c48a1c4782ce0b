"""The last lines of a run that finished and of one that failed."""

from stockpot.workflow.end_of_run import failure_text, success_text

# Ends.


def test_a_finished_study_says_what_to_read(embedded_plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert success_text(embedded_plan) == "", "nothing was made"
    page = tmp_path / "results/studies/objects/seed0/overview.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert (
        success_text(embedded_plan)
        == "\nRead results/studies/objects/seed0/overview.html first"
    )


def test_a_failed_study_says_how_to_go_on(tmp_path):
    log = tmp_path / "log"
    log.write_text("nothing")
    assert failure_text([str(log)]).splitlines() == [
        "",
        "Not finished: interrupted, or see above",
        "What is done is kept; the same command goes on.",
    ]
