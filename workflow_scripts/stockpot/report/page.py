"""Write one self-contained HTML page of texts, tables and figures.

Names, labels and settings come from users, so whatever they contain is shown and never obeyed:
texts are escaped, Markdown makes no links, images or HTML, and a Content-Security-Policy keeps the
browser from loading anything and from running any script except those of the page itself.
"""

import base64
import hashlib
import string
from collections.abc import Sequence
from pathlib import Path

from markdown import Markdown
from markdown.util import Registry

from ..tables import escape

# A $ followed by a name is replaced.
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
# Our own texts use these parts of Markdown: headings, lists, tables, emphasis and code. They are
# names of the library's processors, in the order in which these are tried.
_BLOCK_PROCESSORS = ("empty", "table", "hashheader", "olist", "ulist", "paragraph")
_INLINE_PROCESSORS = ("backtick", "escape", "em_strong")


def render_page(
    title: str,
    parts: Sequence[str],
    scripts: Sequence[str] = (),
    style: str = "",
) -> str:
    """Write a whole HTML document, which loads nothing from anywhere.

    Args:
        title: Plain text, of the window and above the parts.
        parts: HTML.
        scripts: JavaScript that is run after the parts; nothing else is run.
        style: CSS in addition to that of every page.

    Returns:
        The document.

    Raises:
        ValueError: A script would end its own element.
    """
    for script in scripts:
        if "</script" in script.lower() or "<!--" in script:
            raise ValueError("a script with a tag in it; write < as \\u003c")
    elements = [f"<script>{script}</script>" for script in scripts]
    return TEMPLATE.substitute(
        policy=_policy(scripts),
        title=escape.html(title),
        style=style,
        body="\n".join([*parts, *elements]),
    )


def _policy(scripts: Sequence[str]) -> str:
    """What a page may load and run: pictures within it, and these scripts, by their digests."""
    sources = []
    for script in scripts:
        digest = hashlib.sha256(script.encode()).digest()
        sources.append(f"'sha256-{base64.b64encode(digest).decode()}'")
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(sources) or "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def text(source: str) -> str:
    """Convert Markdown to a section of a page.

    Args:
        source: Markdown with tables. HTML, links and images in it are shown as they are written.

    Returns:
        HTML.
    """
    return f"<section>{_render(source)}</section>"


def figure(image: Path, caption: str) -> str:
    """Embed an image with its caption.

    Args:
        image: A PNG file.
        caption: Markdown.

    Returns:
        HTML that contains the image.
    """
    data = base64.b64encode(Path(image).read_bytes()).decode()
    name = escape.html(Path(image).stem)
    element = f'<img alt="{name}" src="data:image/png;base64,{data}">'
    return f"<figure>{element}<figcaption>{_render(caption)}</figcaption></figure>"


def _render(source: str) -> str:
    """Convert the Markdown that our own texts use, and nothing more, to HTML."""
    reader = Markdown(extensions=["tables"], output_format="html")
    reader.preprocessors = _select(reader.preprocessors, ("normalize_whitespace",))
    reader.parser.blockprocessors = _select(
        reader.parser.blockprocessors,
        _BLOCK_PROCESSORS,
    )
    reader.inlinePatterns = _select(reader.inlinePatterns, _INLINE_PROCESSORS)
    # This processor keeps a reference to the patterns of its own.
    reader.treeprocessors["inline"].inlinePatterns = reader.inlinePatterns
    reader.ESCAPED_CHARS = list(string.punctuation)
    return reader.convert(source)


def _select(registry: Registry, names: tuple[str, ...]) -> Registry:
    """Keep these processors of one step of Markdown only, in this order."""
    kept = Registry()
    for i, name in enumerate(names):
        # The highest priority comes first.
        kept.register(registry[name], name, priority=len(names) - i)
    return kept
