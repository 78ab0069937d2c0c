"""Make book/assets/math_font.css, the part of a mathematical font that formulas use: python tools/math_font.py FONT

FONT is texgyretermes-math.otf (CTAN: tex-gyre-math; Debian: fonts-texgyre-math). The font is
in the style sheet itself, so a page has it at its first paint, and no line of text moves when it arrives.
"""

import base64
import io
import sys
from pathlib import Path

from fontTools import subset

OUT = Path(__file__).parents[1] / "book" / "assets" / "math_font.css"
RANGES = [
    (0x20, 0x7E), (0xA0, 0xB7), (0xD7, 0xD7), (0xF7, 0xF7),  # ASCII, signs
    (0x391, 0x3C9), (0x3D1, 0x3D6), (0x3F0, 0x3F5),  # Greek
    (0x2C6, 0x2DC), (0x302, 0x30C), (0x20D7, 0x20D7),  # accents
    (0x2010, 0x2026), (0x2032, 0x2033), (0x2016, 0x2016),
    (0x210E, 0x210E), (0x2113, 0x2113), (0x2102, 0x2102), (0x2115, 0x211D), (0x2124, 0x2124),
    (0x2190, 0x2199), (0x21A6, 0x21A6), (0x21D0, 0x21D5),  # arrows
    (0x2200, 0x222B), (0x223C, 0x223D), (0x2243, 0x2248), (0x2254, 0x2254), (0x2260, 0x2267), (0x226A, 0x226B),
    (0x2282, 0x2287), (0x2295, 0x2299), (0x22A2, 0x22A5), (0x22C0, 0x22C6), (0x22EE, 0x22F1),  # operators
    (0x2308, 0x230B), (0x23DE, 0x23DF), (0x27E8, 0x27E9),  # brackets
    (0x1D400, 0x1D467), (0x1D53C, 0x1D550), (0x1D6A4, 0x1D6A5), (0x1D6FC, 0x1D71B), (0x1D7CE, 0x1D7D7),  # alphabets
]  # fmt: skip


def main() -> None:
    """Keep these letters, with the brackets and roots of all sizes that belong to them."""
    options = subset.Options(flavor="woff", layout_features=["dtls", "flac"], notdef_outline=True, hinting=False)
    font = subset.load_font(sys.argv[1], options)
    part = subset.Subsetter(options)
    part.populate(unicodes=[one for first, last in RANGES for one in range(first, last + 1)])
    part.subset(font)
    content = io.BytesIO()
    subset.save_font(font, content, options)
    data = base64.b64encode(content.getvalue()).decode()
    OUT.write_text(
        f'@font-face {{ font-family: "Book Math"; src: url("data:font/woff;base64,{data}") format("woff"); }}\n'
    )
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
