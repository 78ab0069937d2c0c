"""A lab's photographs: for readers without JavaScript, for paper, and for the moment before a lab starts.

`make stills` takes them, in Chromium. Beside each lab lie `stills/NAME_WIDTH_THEME.webp` and `stills/about.json`, which
keeps the pictures' sizes, a sentence for who cannot see them, and a digest of what they show.
"""

import base64
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

STATIC = Path(__file__).parents[1] / "static"
THEMES = ("light", "dark")
WIDTHS = ("wide", "narrow")


@dataclass(frozen=True)
class Still:
    """A lab in one of its views."""

    folder: Path
    name: str
    alt: str  #: a sentence for who cannot see it
    sizes: dict[str, list[int]]  #: width and height on the page, by "wide" and "narrow"
    exact: bool  #: whether it shows the very state that was asked for

    def path(self, width: str, theme: str) -> Path:
        """The file of one picture."""
        return self.folder / f"{self.name}_{width}_{theme}.webp"

    def png(self) -> str:
        """The wide, light one as every notebook viewer shows it, in base 64; what it is stands below it."""
        picture = Image.open(self.path("wide", "light")).convert("RGB")
        lines = ["A photograph of this lab. The lab itself moves in JupyterLab, in Colab and in the book."]
        lines += [] if self.exact else ["Here it holds other numbers than in the picture."]
        size = picture.width // 48
        place = (size // 2, picture.height + size // 2)
        picture = ImageOps.expand(picture, (0, 0, 0, size * (3 * len(lines) + 2) // 2), "white")
        ImageDraw.Draw(picture).text(place, "\n".join(lines), "#59636e", ImageFont.load_default(size))
        content = io.BytesIO()
        picture.quantize(256).save(content, "PNG", optimize=True)
        return base64.b64encode(content.getvalue()).decode()


def folder_of(lab: Any) -> Path:
    """Where a lab's photographs lie."""
    return STATIC.parent / lab.lab / "stills"


def still(lab: Any, state: dict[str, Any]) -> Still:
    """The photograph of a lab's class that is nearest to a state: of the same view, or the first."""
    folder = folder_of(lab)
    about = json.loads((folder / "about.json").read_text())["stills"]
    shown = _plain({name: value for name, value in state.items() if name[0] != "_" and not isinstance(value, bytes)})
    first = lab()
    at_first = {name: getattr(first, name) for name in shown}
    same = [name for name, view in lab.stills.items() if _plain(at_first | dict(view)) == shown]
    name = (same or list(lab.stills))[0]
    return Still(folder, name, about[name]["alt"], about[name]["sizes"], bool(same))


def digest(lab: Any) -> str:
    """One number for all that a lab's photographs show: its bundle, its style, its settings, its views and its data."""
    first = lab()
    settings = {name: getattr(first, name) for name in first.rules()}
    content = hashlib.sha256(json.dumps([_plain(settings), dict(lab.stills)], sort_keys=True).encode())
    for path in [STATIC / f"{lab.lab}.js", STATIC / f"{lab.lab}.css", *sorted(folder_of(lab).parent.glob("data.*"))]:
        content.update(path.read_bytes())
    return content.hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    return json.loads(json.dumps(value))
