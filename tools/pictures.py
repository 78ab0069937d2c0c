"""Cut the README's pictures, and the card that a link to a page shows, from the labs' photographs (`make stills`)."""

import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from flatten_edu.labs import LABS
from flatten_edu.labs.frame.still import folder_of

ASSETS = Path(__file__).parents[1] / "book" / "assets"
# Of which lab's wide light photograph, from where and how high in units of its width, and how many pixels wide.
CUTS = {
    "card.jpg": ("focus", 0.431, 0.5255, 1200),
    "lab_maps.webp": ("maps", 0.0, 0.775, 928),
    "lab_rank.webp": ("rank", 0.0, 0.792, 928),
}


def cut(name: str) -> Image.Image:
    """One picture, as the photographs are now."""
    lab, top, high, width = CUTS[name]
    whole = Image.open(folder_of(LABS[lab]) / "first_wide_light.webp").convert("RGB")
    part = whole.crop((0, round(top * whole.width), whole.width, round((top + high) * whole.width)))
    return part.resize((width, round(part.height * width / part.width)), Image.Resampling.LANCZOS)


def main() -> None:
    """Write them all."""
    for name in CUTS:
        picture = cut(name)
        if name.endswith(".jpg"):
            picture.save(ASSETS / name, quality=85)  # not every site that shows links reads WebP
        else:
            picture.save(ASSETS / name, quality=70, method=6)


if __name__ == "__main__":
    main()
