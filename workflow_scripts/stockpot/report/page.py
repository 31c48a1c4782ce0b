"""One self-contained HTML page of texts, tables and figures."""

import base64
import html
from pathlib import Path

from markdown import markdown

TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
  :root { color-scheme: light; }
  body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff;
         margin: 0 auto; padding: 1.5rem; max-width: 78rem; }
  h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 1rem; }
  h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
  section { overflow-x: auto; }
  table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums;
          margin: 1rem 0; border-top: 2px solid #1a1a1a; border-bottom: 2px solid #1a1a1a; }
  th { border-bottom: 1px solid #1a1a1a; font-weight: 600; vertical-align: bottom; }
  th, td { padding: .2rem .7rem .2rem 0; text-align: left; }
  tbody tr:hover { background: #f2f6fa; }
  figure { margin: 1.5rem 0; }
  img { max-width: 100%; height: auto; }
  figcaption { color: #444; font-size: .87rem; max-width: 60rem; }
  p { max-width: 60rem; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{{ body }}
</body>
</html>
"""


def page(title: str, parts: list[str]) -> str:
    """A whole HTML document; nothing in it is loaded from anywhere."""
    return TEMPLATE.replace("{{ title }}", html.escape(title)).replace(
        "{{ body }}", "\n".join(parts)
    )


def text(source: str) -> str:
    """HTML of Markdown with tables; HTML in it is shown as it is written, not obeyed."""
    return f"<section>{markdown(html.escape(source, quote=False), extensions=['tables'])}</section>"


def figure(image: Path, caption: str) -> str:
    """An embedded PNG with its caption, which is Markdown."""
    data = base64.b64encode(Path(image).read_bytes()).decode()
    told = markdown(html.escape(caption, quote=False))
    name = html.escape(Path(image).stem)
    source = f'<img alt="{name}" src="data:image/png;base64,{data}">'
    return f"<figure>{source}<figcaption>{told}</figcaption></figure>"
