"""Pictures within a notebook's text become files, each once."""

import base64
import io
import re

import numpy as np
from PIL import Image

from flatten_edu.plot import work_figure
from tests.publish.test_mount import build


def test_a_picture_becomes_a_file_beside_the_page(tmp_path):
    picture = work_figure({"224 pixels": {"attention": 1.0}})._repr_html_()
    content = base64.b64decode(re.search(r"base64,([^\"]+)", picture)[1])
    shown = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"), dtype=float)
    page = f"# Page\n\n<div>{picture}</div>\n\n<div>{picture}</div>\n"
    pages = {"index.md": "# Home\n\n```{toctree}\npart/page\n```\n", "part/page.md": page}
    out, said = build(tmp_path, pages, more='extensions += ["flatten_edu.publish.pictures"]\n')
    written = (out / "part" / "page.html").read_text()
    found = re.findall(r'<img class="fe-picture[^>]+ src="([^"]+)">', written)
    assert said == "" and "base64" not in written and len(found) == 2 and len(set(found)) == 1
    kept = np.asarray(Image.open(out / "part" / found[0]).convert("RGBA"), dtype=float)
    seen = shown[..., 3:] > 0  # what is transparent has any colour
    assert kept.shape == shown.shape and abs((kept - shown) * seen).mean() < 1
