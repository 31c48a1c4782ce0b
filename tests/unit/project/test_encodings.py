"""Every text is read as UTF-8."""

from tests.support.paths import ROOT


def test_every_text_is_read_as_utf_8():
    """Whatever the locale is. Our own JSON is ASCII, so that it needs no encoding."""
    for path in [
        *(ROOT / "workflow_scripts").rglob("*.py"),
        *(ROOT / "rules").glob("*.smk"),
    ]:
        for line in path.read_text("utf-8").splitlines():
            if ".read_text()" in line:
                assert "json.loads" in line, f"{path}: {line.strip()}"
