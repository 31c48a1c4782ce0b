"""One self-contained HTML page of texts, tables and figures."""

import base64
import html
from pathlib import Path

from markdown import markdown

TEMPLATE = Path(__file__).with_name("page.html")


def page(title: str, parts: list[str]) -> str:
    """A whole HTML document; nothing in it is loaded from anywhere."""
    text = TEMPLATE.read_text("utf-8")
    return text.replace("{{ title }}", html.escape(title)).replace("{{ body }}", "\n".join(parts))


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
