"""Pages of the report: texts are shown and never obeyed."""

import base64
import hashlib
import re

import pytest
from PIL import Image

from stockpot.report import page as pages
from stockpot.report.page import figure, render_page, text
from tests.support.nasty_names import NASTY


@pytest.mark.parametrize("text", NASTY)
def test_titles_and_captions(text, tmp_path):
    (tmp_path / "x.png").write_bytes(b"")
    page = pages.render_page(text, [pages.figure(tmp_path / "x.png", text)])
    assert (
        page.count("<script")
        == page.count("<iframe")
        == page.count("<meta http-equiv=r")
        == 0
    )
    assert page.count("<title>") == page.count("</body>") == page.count("<img") == 1
    assert "Content-Security-Policy" in page
    assert "script-src 'none'" in page


def test_a_script_of_a_page_is_known_by_its_digest():
    page = pages.render_page("x", [], scripts=["let a = 1;"])
    digest = base64.b64encode(hashlib.sha256(b"let a = 1;").digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "<script>let a = 1;</script>" in page
    with pytest.raises(ValueError, match="tag in it"):
        pages.render_page("x", [], scripts=["let a = '</SCRIPT>'"])


def test_a_page_shows_html_and_does_not_obey_it(tmp_path):
    source = "| model | x |\n| :-- | --: |\n| <script>alert(1)</script> | **2** |\n"
    found = render_page("<b>", [text(source)])
    assert "<script" not in found
    assert "&lt;script&gt;" in found
    assert "<strong>2</strong>" in found
    assert "<title>&lt;b&gt;</title>" in found
    assert found.count("<table>") == 1
    Image.new("RGB", (2, 2)).save(tmp_path / "x.png")
    shown = figure(tmp_path / "x.png", "**How** <to> read it")
    assert 'alt="x"' in shown
    assert "<strong>How</strong> &lt;to&gt;" in shown
    assert "data:image/png;base64,iVBOR" in shown
    assert re.findall(r"https?://", found + shown) == []
