"""Texts from outside are shown, never obeyed: in Markdown, LaTeX, CSV and scripts."""

import html
import json
import pickle
import re
from pathlib import Path

import pandas as pd
import pytest
from markdown import markdown as plain_markdown

from stockpot.report import page as pages
from stockpot.runtime.job_parameters import HiddenParameters
from stockpot.tables import escape
from stockpot.tables.display import to_latex, to_markdown
from stockpot.tables.measurements import read_table, write_table
from tests.support.nasty_names import NASTY

PACKAGE = Path(pages.__file__).parents[1]


TABLE_TAGS = {"section", "table", "thead", "tbody", "tr", "th", "td", "p", "strong"}


def shown_text(page: str) -> str:
    """The text that a browser shows."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def tag_names(page: str) -> set[str]:
    return set(re.findall(r"<\s*/?\s*([a-zA-Z!][^\s>/]*)", page))


@pytest.mark.parametrize("text", NASTY)
def test_a_cell_of_markdown_is_shown_as_it_is(text):
    table = pd.DataFrame(
        {"model": [text], "kind": [f"**{text}**"], "x": ["**1.2 ± 0.3**"]}
    )
    source = to_markdown(table)
    assert len(source.splitlines()) == 3
    page = pages.text(source)
    assert tag_names(page) <= TABLE_TAGS
    assert page.count("<td") == 3
    assert page.count("<strong>") == 1
    told = " ".join(escape.one_line(text, 10_000).split())
    assert (
        shown_text(page) == f"model kind x {told} **{told}** 1.2 ± 0.3"
        or text != text.strip()
    )


@pytest.mark.parametrize("text", NASTY)
def test_a_sentence_with_a_name_is_shown_as_it_is(text):
    """Escaped, by the project's pages and by any other reader of Markdown; and unescaped."""
    told = " ".join(escape.one_line(text, 10_000).split())
    for source in (f"x\n\n{escape.markdown(text)}\n\ny", escape.markdown(text)):
        page = pages.text(source)
        assert tag_names(page) <= {"section", "p"}
        assert told in shown_text(page)
    other = plain_markdown(escape.markdown(text), extensions=["tables"])
    assert tag_names(other) == {"p"}
    raw = pages.text(f"| a |\n| --- |\n| {text} |\n\n{text}\n\n{text}: x")
    assert tag_names(raw) <= TABLE_TAGS | {"em", "code", "h1", "ul", "li", "ol"}


def test_what_our_tables_write_stays_as_it_is():
    names = ("search-00", "a_b", "base, alpha 0.70 (best held-out)", "café 图")
    numbers = (
        "26.8 ± 6.1",
        "+14.5 [+13.2, +15.8]: yes",
        "-0.3",
        "− 3",
        "1.36, worst 3.3",
    )
    for cell in (*names, *numbers):
        assert escape.markdown(cell) == cell
    table = pd.DataFrame(
        {"model": ["x"], "seed": ["-0.7 [-1.4, -0.1] at alpha 0.5: **no**"]}
    )
    assert to_markdown(table).endswith(
        "| x | -0.7 [-1.4, -0.1] at alpha 0.5: **no** |\n"
    )
    assert r"at alpha 0.5: \textbf{no} \\" in to_latex(table)


@pytest.mark.parametrize("text", NASTY)
def test_latex_has_no_command_and_no_mathematics_of_a_text(text):
    rows = to_latex(pd.DataFrame({"model": [text], "dataset": ["x"]})).splitlines()
    assert len(rows) == 7
    cell = rows[4].removesuffix(r" & x \\")
    ours = (
        r"\textbackslash{}",
        r"\textasciitilde{}",
        r"\textasciicircum{}",
        r"\textbar{}",
        r"\textless{}",
        r"\textgreater{}",
        r"\&",
        r"\%",
        r"\$",
        r"\#",
        r"\_",
        r"\{",
        r"\}",
        "{[}",
        "{*}",
    )
    for known in sorted(ours, key=len, reverse=True):
        cell = cell.replace(known, "")
    assert not set(cell) & set("\\&%$#_{}~^|<>\n\r\t\x00\x1b")
    assert not rows[4].startswith(("[", "*"))


@pytest.mark.parametrize("text", NASTY)
def test_a_csv_runs_nothing_and_reads_back(text, tmp_path):
    table = pd.DataFrame(
        {"model": [text, "'" + text], "value": [-1.5, 2.0], text: ["-5", "+1e-3"]}
    )
    write_table(table, tmp_path / "t.csv", "%.6f")
    cells = pd.read_csv(
        tmp_path / "t.csv", dtype=str, keep_default_na=False, header=None
    )
    texts = cells.iloc[:, 0].tolist() + [cells.iloc[0, 2]]
    assert not [cell for cell in texts if re.match(r"\s*[=+\-@＝＋－＠]|[\t\r]", cell)]
    assert cells.iloc[1:, 1].tolist() == ["-1.500000", "2.000000"]
    assert cells.iloc[1:, 2].tolist() == ["-5", "+1e-3"]
    back = read_table(tmp_path / "t.csv")
    same = [value.replace("\r\n", "\n").replace("\r", "\n") for value in table["model"]]
    assert [v.replace("\r\n", "\n").replace("\r", "\n") for v in back["model"]] == same
    assert list(back["value"]) == [-1.5, 2.0]


@pytest.mark.parametrize("text", NASTY)
def test_data_in_a_script_stay_data(text):
    data = escape.json_for_script({text: [text]})
    assert not re.search("[<>&\u2028\u2029]", data)
    assert json.loads(data) == {text: [text]}
    hidden = HiddenParameters({text: [text]})
    assert re.fullmatch("sha256:[0-9a-f]{16}", f"{hidden}")
    assert str(hidden) == f"{hidden}"
    assert pickle.loads(pickle.dumps(hidden)) == {text: [text]}
    assert type(pickle.loads(pickle.dumps(hidden, protocol=4))) is dict


def test_tables_and_pages_are_written_in_one_place():
    """Where texts are made inert."""
    places = {"to_csv(": "tables/measurements.py", "markdown import": "report/page.py"}
    for word, place in places.items():
        users = [
            path for path in PACKAGE.rglob("*.py") if word in path.read_text("utf-8")
        ]
        users += [
            path
            for path in PACKAGE.parent.glob("*.py")
            if word in path.read_text("utf-8")
        ]
        assert users == [PACKAGE / place]
