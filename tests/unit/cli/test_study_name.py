"""The command stockpot study-name."""

from stockpot import cli


def test_a_study_is_named_by_its_files_and_settings(tmp_path, capsys):
    file = tmp_path / "study.yaml"
    file.write_text("study: mine\n", "utf-8")
    assert cli.main(["study-name"]) == 0
    assert cli.main(["study-name", "results/x.csv", "--configfile", str(file)]) == 0
    assert (
        cli.main(["study-name", "--configfile", str(file), "--config", "study=other"])
        == 0
    )
    assert capsys.readouterr().out.split() == ["objects", "mine", "other"]


def test_an_error_is_one_line(tmp_path, capsys):
    (tmp_path / "study.yaml").write_text("study: [\n", "utf-8")
    assert cli.main(["study-name", "--configfile", str(tmp_path / "study.yaml")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
