"""The built site as files: no dead link, an anchor for each question, an entry for each name, notebooks to download."""

import base64
import importlib
import io
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import numpy as np
import pytest
from PIL import Image

from flatten_edu.publish.address import PLACEHOLDER
from flatten_edu.publish.api import PACKAGES
from tests.browser.conftest import SITE
from tools.notebooks import built_pictures

ROOT = Path(__file__).parents[2]
WHAT_TO_RUN = "run `make html`, then `python tools/notebooks.py --pictures`, and commit the notebooks"
SITE_LIMIT = 60e6  # bytes
PAGES = sorted(page for page in SITE.rglob("*.html") if "_static" not in page.relative_to(SITE).parts)


class Page(HTMLParser):
    """What a page points to, what can be pointed at on it, and its labs' files."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self._in_json = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        self.links += [found[name] for name in ("href", "src", "poster") if found.get(name) is not None]
        if "refresh" in found.get("http-equiv", "").lower():
            self.links.append(found["content"].split("url=")[1])
        self._in_json = found.get("type") == "application/json"

    def handle_data(self, data):
        if self._in_json:
            described = json.loads(data)
            if "esm" in described:  # a lab
                self.links += [described["esm"], *described["buffers"].values(), *described["files"].values()]
            self._in_json = False


page_at = cache(Page)


def leads_somewhere(path: Path, link: str) -> bool:
    """Whether a link on a page reaches a file of the site, and its anchor; other hosts are not asked."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("https", "http", "mailto", "data")
    # Only the page for what is not there has links from the site's root: it is shown at any depth.
    base, place = (SITE, parts.path.lstrip("/")) if path.name == "404.html" else (path.parent, parts.path)
    target = (base / unquote(place)).resolve() if parts.path else path
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file() or SITE not in target.parents:
        return False
    return target.suffix != ".html" or parts.fragment == "" or unquote(parts.fragment) in page_at(target).ids


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(SITE).as_posix())
def test_no_link_is_dead(path):
    assert page_at(path).links
    assert [link for link in page_at(path).links if not leads_somewhere(path, link)] == []


def test_a_dead_link_would_be_found():
    page = SITE / "book" / "intro.html"
    for link in ["notation.html", "../index.html", "#what-is-true", "questions.html#qa-nan", "https://example.org"]:
        assert leads_somewhere(page, link)
    for link in ["nowhere.html", "notation.html#nowhere", "#nowhere", "../_static/nowhere.js", "../../../_toc.yml"]:
        assert not leads_somewhere(page, link)


def test_each_page_says_what_it_is_about():
    found = {}
    for page in PAGES:
        if page.name != "index.html":  # it only leads to the first page
            (found[page.name],) = re.findall(r'<meta name="description" content="([^"]+)">', page.read_text("utf-8"))
    assert all(20 < len(text) < 200 for text in found.values()), found
    assert len(set(found.values())) == len(found)


def test_no_page_names_the_placeholder():
    """While the repository has no address, nothing leads to one."""
    texts = [path for path in SITE.rglob("*") if path.suffix in {".html", ".ipynb", ".md", ".js", ".xml", ".txt"}]
    assert len(texts) > 60 and [path for path in texts if PLACEHOLDER in path.read_text("utf-8", "ignore")] == []


def test_the_page_for_what_is_not_there_is_the_book_s():
    text = (SITE / "404.html").read_text("utf-8")
    assert "There is no such page" in text and "bd-sidebar" in text


def test_no_style_sheet_asks_for_a_file_that_is_not_there():
    missing = []
    for sheet in SITE.rglob("*.css"):
        for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", sheet.read_text("utf-8")):
            if not address.startswith(("data:", "#")) and not (sheet.parent / urlsplit(address).path).exists():
                missing.append((sheet.name, address))
    assert missing == []


def test_the_site_is_small(measured):
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    measured("site: all files", f"{size / 1e6:.1f} MB (limit {SITE_LIMIT / 1e6:.0f})")
    assert size < SITE_LIMIT


@pytest.mark.parametrize("package", PACKAGES)
def test_each_public_name_has_its_entry(package):
    module = importlib.import_module(f"flatten_edu.{package}")
    ids = page_at(SITE / "book" / "api" / f"{package}.html").ids
    assert [name for name in module.__all__ if f"flatten_edu.{package}.{name}" not in ids] == []


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_each_notebook_can_be_downloaded_from_its_page(notebook):
    page = SITE / "notebooks" / f"{notebook.stem}.html"
    (link,) = {link for link in page_at(page).links if urlsplit(link).path.endswith(".ipynb") and "://" not in link}
    assert (page.parent / link).read_text() == notebook.read_text()


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_each_notebook_keeps_small_pictures_of_what_its_page_shows(notebook):
    """For viewers that run nothing, such as GitHub's preview."""
    shown = built_pictures(notebook)
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    for cell in cells:
        kept, built = map(pictures_of, (cell.outputs, shown[cell.source]))
        assert len(kept) == len(built), WHAT_TO_RUN
        assert all(map(alike, kept, built)), WHAT_TO_RUN


def pictures_of(outputs):
    return [output for output in outputs if "image/png" in output.get("data", {})]


def alike(kept, built):
    """Whether two pictures show the same, but for a line more or less, and colours."""
    one, other = (Image.open(io.BytesIO(base64.b64decode(o.data["image/png"]))).convert("RGBA") for o in (kept, built))
    shape = abs(one.width / one.height / (other.width / other.height) - 1) < 0.05
    return shape and np.abs(np.array(one, float) - np.array(other.resize(one.size), float)).mean() < 12


# Where the book answers what the source article covers and leaves open: anchors on the built pages.
ARTICLE = {
    "why: the quadratic cost": "notebooks/02_cost#cost",
    "why: mapping and another order of multiplication": "notebooks/03_linear_attention#linear-attention",
    "why: linear attention loses focus": "notebooks/04_problem_focus#problem-focus",
    "why: linear attention loses diversity": "notebooks/05_problem_rank#problem-rank",
    "why: the depthwise convolution answers": "notebooks/07_rank_restored#rank-restored",
    "background: softmax attention, step by step": "notebooks/01_softmax_attention#six-tokens-by-hand",
    "background: its complexity, derived": "notebooks/02_cost#theorem-softmax-cost",
    "background: a mapping instead of softmax": "notebooks/03_linear_attention#from-exp-to-a-feature-map",
    "background: the reordering": "notebooks/03_linear_attention#moving-the-brackets",
    "background: its complexity": "notebooks/03_linear_attention#theorem-count",
    "problem: weights too even, figure 3": "notebooks/10_trained_attention#trained-attention",
    "problem: weights too even, measured": "notebooks/04_problem_focus#what-sharpness-depends-on",
    "problem: reduced rank": "notebooks/05_problem_rank#theorem-rank-bound",
    "problem: figure 5": "notebooks/10_trained_attention#figure-5",
    "answer: f_p keeps the length": "notebooks/06_focused_function#lemma-keeps",
    "answer: similar closer, dissimilar apart": ("notebooks/06_focused_function#does-it-bring-similar-vectors-closer"),
    "answer: figure 4": "notebooks/06_focused_function#figure-4",
    "answer: DWC as local attention, as a matrix": (
        "notebooks/07_rank_restored#the-convolution-is-an-attention-map-too"
    ),
    "answer: a full-rank matrix lifts the bound": "book/labs/rank#rank-why",
    "open question: what subadditivity guarantees": "notebooks/07_rank_restored#theorem-rank-certain",
    "open question: full rank for almost every kernel": "notebooks/07_rank_restored#theorem-rank-generic",
    "open question: the determinant lemma": "notebooks/07_rank_restored#theorem-determinant-lemma",
    "open question: M_DWC is invertible for almost every kernel": "notebooks/07_rank_restored#lemma-dwc-invertible",
    "open question: how it fails": "notebooks/07_rank_restored#two-ways-to-fail",
    "open question: the kernel that is singular": "notebooks/07_rank_restored#ex-rank-code",
    "open question: minus the unit impulse": "notebooks/07_rank_restored#theorem-minus-impulse",
    "open question: what rank hides": "notebooks/07_rank_restored#what-rank-hides",
    "open question: the tolerance": "notebooks/05_problem_rank#a-tolerance-is-part-of-the-number",
    "ablation: table 3": "book/figures#paper-table-3a",
    "ablation: table 4": "notebooks/11_ablations#table-4-remade",
    "ablation: table 5": "notebooks/11_ablations#what-the-paper-measured-besides",
    "proof: five steps": "book/labs/proof#lab-proof-statement",
    "proof: what is proved, and what not": "book/labs/proof#lab-proof-what-is-true",
    "proof: the plane": "book/labs/proof#theorem-plane",
}


@pytest.mark.parametrize("row", ARTICLE)
def test_the_article_s_rows_have_their_place(row):
    page, anchor = ARTICLE[row].split("#")
    assert anchor in page_at(SITE / f"{page}.html").ids


# What readers of linear-attention code ask, and the anchor of the answer.
QUESTIONS = {
    "is focused attention really sharper than softmax": "qa-sharper",
    "the DeiT model: code, heads, dimensions": "qa-deit",
    "NaN in fp16: which tensor overflows, which fix works": "qa-nan",
    "norms over C, N^-1/2 on k and v, softplus on the scale": "qa-norms",
    "slower than window attention or softmax at my size, the crossover": "qa-slower",
    "how the attention maps and the rank figure were made": "qa-maps",
    "masks, padding, windows": "qa-masks",
    "cross-attention": "qa-cross",
    "the DWC alone": "qa-dwc-alone",
    "which blocks or stages": "qa-which-blocks",
    "into my own model": "qa-own-model",
    "non-square, any N, class token, 1-D and 3-D": "qa-any-grid",
    "both orders: outputs and gradients": "qa-order",
    "a fair vanilla-linear baseline": "qa-baseline",
    "causal use; why not for images": "qa-causal",
    "fast kernels": "qa-fast",
    "does the denominator change the rank": "qa-denominator",
    "how to choose p": "qa-choose-p",
    "what came later": "qa-later",
    "code that has the name and not the attention": "qa-wrong-name",
}


@pytest.mark.parametrize("row", QUESTIONS)
def test_each_question_is_answered_and_leads_to_what_shows_it(row):
    text = (SITE / "book" / "questions.html").read_text("utf-8")
    assert QUESTIONS[row] in page_at(SITE / "book" / "questions.html").ids
    answer = re.search(rf'<span id="{QUESTIONS[row]}"></span>(.*?)</section>', text, re.DOTALL)[1]
    assert re.search(r"<h2>.*\?<a", answer) and len(re.sub(r"<[^>]+>", "", answer)) > 150
    assert re.search(r'href="(\.\./notebooks/|labs/)[\w./#-]+"', answer)


def test_the_questions_page_has_no_other_questions():
    asked = {name for name in page_at(SITE / "book" / "questions.html").ids if name.startswith("qa-")}
    assert asked == set(QUESTIONS.values())
