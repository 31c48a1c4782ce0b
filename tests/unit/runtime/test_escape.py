"""Text of any kind is one inert line."""

import json
import re

import pytest

from stockpot.runtime import escape
from stockpot.tables import escape as forms

NASTY = [
    "</script><script>alert(1)</script>",
    "![x](http://127.0.0.1/a.png)",
    "[x](javascript:alert(1))",
    "a|b`c*d_e",
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b[0m",
    "two\nlines\r\nand \u2028 more",
    "\u202egnp.exe",
    "$\\frac{$",
    "=1+1",
    "caf\udce9",
]


@pytest.mark.parametrize("text", NASTY)
def test_a_line_is_one_line_without_controls(text):
    line = escape.one_line(text)
    assert line.isprintable()
    assert line.encode()
    assert escape.one_line("plain café 图") == "plain café 图"


def test_a_long_line_keeps_its_ends():
    line = escape.one_line("a" * 10_000 + "\x00" * 600 + "b" * 10_000, 200)
    assert len(line) == 200
    assert line.startswith("aaa")
    assert line.endswith("bbb")
    assert len(escape.one_line("\x00" * 1000, 100)) == 100


@pytest.mark.parametrize("text", NASTY)
def test_text_is_inert_in_pages(text):
    import markdown

    assert not re.search("[<>\"']", forms.html(text))
    data = forms.json_for_script({text: [text]})
    assert "<" not in data
    assert json.loads(data) == {text: [text]}
    page = markdown.markdown(forms.markdown(text))
    assert re.findall("<(/?[a-z]+)", page) == ["p", "/p"]
    assert forms.spreadsheet("=1+1") == "'=1+1"
    assert forms.spreadsheet(-1.5) == -1.5


def test_an_error_of_a_library_is_its_first_line():
    assert escape.first_line(ValueError("\n a\x1b[0m: no\nmore")) == escape.one_line(
        "a\x1b[0m: no"
    )
    assert escape.first_line(KeyError()) == "KeyError()"
