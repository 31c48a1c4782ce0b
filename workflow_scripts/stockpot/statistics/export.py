"""Tables for people: Markdown and LaTeX."""

import pandas as pd

LEFT = {"model", "kind", "finding", "on", "sweep", "curve", "selector", "label", "group", "what"}
LEFT |= {"dataset", "method", "run", "against", "members", "point", "joint run", "nothing"}
_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
        "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        "±": r"$\pm$", "α": r"$\alpha$", "−": "$-$", "|": r"\textbar{}", "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)  # fmt: skip


def to_markdown(table: pd.DataFrame) -> str:
    """A Markdown table of a data frame: text columns left, the others right."""
    rules = [":--" if name in LEFT else "--:" for name in table]
    rows = [list(table.columns), rules, *_texts(table)]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in escaped)


def to_latex(table: pd.DataFrame) -> str:
    """A LaTeX tabular with booktabs' rules, escaped; ``**bold**`` becomes bold.

    For \\input: needs \\usepackage{booktabs}.
    """
    columns = "".join("l" if name in LEFT else "r" for name in table)
    lines = [
        [_tex(str(name)) for name in table.columns],
        *[map(_tex, row) for row in _texts(table)],
    ]
    head, *body = [" & ".join(line) + r" \\" for line in lines]
    parts = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *body]
    return "\n".join([*parts, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _texts(table: pd.DataFrame) -> list[list[str]]:
    return [["" if pd.isna(cell) else str(cell) for cell in row] for row in table.to_numpy(object)]


def _tex(text: str) -> str:
    if text.startswith("**") and text.endswith("**") and len(text) > 4:
        return rf"\textbf{{{text[2:-2].translate(_TEX)}}}"
    return text.translate(_TEX)
