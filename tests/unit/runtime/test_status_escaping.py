"""What runs logged is printed without control characters."""

from stockpot.runtime.status import main


def test_what_runs_said_is_printed_without_controls(tmp_path, capsys):
    log = tmp_path / "logs" / "finetune" / "base.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"12:00:00  \x1b[31mred\x1b]0;title\x07 {'x' * 5000}\n")
    main(tmp_path)
    told = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() and len(line) <= 500 for line in told)
    assert "\\x1b[31mred" in told[1]
