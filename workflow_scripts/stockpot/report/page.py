"""One self-contained HTML page of texts, tables and figures.

Whatever names, labels and settings say is shown and never obeyed: texts are escaped, Markdown makes
no links, images or HTML, and a Content-Security-Policy keeps the browser from loading anything and
from running any script but those that the page was made with.
"""

import base64
import hashlib
import string
from pathlib import Path

from markdown import Markdown
from markdown.util import Registry

from ..tables import escape

TEMPLATE = string.Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
  :root { color-scheme: light; }
  body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff;
         margin: 0 auto; padding: 1.5rem; max-width: 78rem; }
  h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 1rem; overflow-wrap: anywhere; }
  h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
  section { overflow-x: auto; }
  table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums;
          margin: 1rem 0; border-top: 2px solid #1a1a1a; border-bottom: 2px solid #1a1a1a; }
  th { border-bottom: 1px solid #1a1a1a; font-weight: 600; vertical-align: bottom; }
  th, td { padding: .2rem .7rem .2rem 0; text-align: left; }
  tbody tr:hover { background: #f2f6fa; }
  figure { margin: 1.5rem 0; }
  img { max-width: 100%; height: auto; }
  figcaption { color: #444; font-size: .87rem; max-width: 60rem; overflow-wrap: anywhere; }
  p { max-width: 60rem; overflow-wrap: anywhere; }
$style</style>
</head>
<body>
<h1>$title</h1>
$body
</body>
</html>
""")
# Of Markdown our own texts use these: headings, lists, tables, emphasis and code.
_BLOCKS = ("empty", "table", "hashheader", "olist", "ulist", "paragraph")
_INLINE = ("backtick", "escape", "em_strong")


def page(title: str, parts: list[str], scripts: list[str] = (), style: str = "") -> str:
    """A whole HTML document; nothing in it is loaded from anywhere.

    Args:
        title: Plain text, of the window and above the parts.
        parts: HTML.
        scripts: JavaScript that is run after the parts, and all that is.
        style: CSS beside that of every page.

    Raises:
        ValueError: A script would end its own element.
    """
    for script in scripts:
        if "</script" in script.lower() or "<!--" in script:
            raise ValueError("a script with a tag in it; write < as \\u003c")
    body = [*parts, *(f"<script>{script}</script>" for script in scripts)]
    return TEMPLATE.substitute(
        policy=_policy(scripts),
        title=escape.html(title),
        style=style,
        body="\n".join(body),
    )


def _policy(scripts: list[str]) -> str:
    """What a page may load and run: pictures within it, and these scripts, by their digests."""
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    known = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(known) or "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def text(source: str) -> str:
    """HTML of Markdown with tables; HTML, links and images in it are shown as they are written."""
    return f"<section>{_render(source)}</section>"


def figure(image: Path, caption: str) -> str:
    """An embedded PNG with its caption, which is Markdown."""
    data = base64.b64encode(Path(image).read_bytes()).decode()
    name = escape.html(Path(image).stem)
    source = f'<img alt="{name}" src="data:image/png;base64,{data}">'
    return f"<figure>{source}<figcaption>{_render(caption)}</figcaption></figure>"


def _render(source: str) -> str:
    """HTML of the Markdown that our own texts use, and of no more."""
    reader = Markdown(extensions=["tables"], output_format="html")
    reader.preprocessors = _only(reader.preprocessors, ("normalize_whitespace",))
    reader.parser.blockprocessors = _only(reader.parser.blockprocessors, _BLOCKS)
    reader.inlinePatterns = _only(reader.inlinePatterns, _INLINE)
    reader.treeprocessors["inline"].inlinePatterns = reader.inlinePatterns
    reader.ESCAPED_CHARS = list(string.punctuation)
    return reader.convert(source)


def _only(registry: Registry, names: tuple[str, ...]) -> Registry:
    """Of one step of Markdown these parts alone, in this order."""
    kept = Registry()
    for place, name in enumerate(names):
        kept.register(registry[name], name, priority=len(names) - place)
    return kept
