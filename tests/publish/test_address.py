"""The repository's address on the pages: real, it is everywhere that readers look; a placeholder is nowhere."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from flatten_edu.publish.address import IMAGE, PLACEHOLDER, site_of
from tests.publish.test_mount import build

ROOT = Path(__file__).parents[2]
PAGES = {
    "index.md": "# Home\n\nThe first sentence.\n\n```{toctree}\npart/page\n```\n",
    "part/page.md": "# Page\n\nA sentence on $f_p$.",
}
SETTINGS = """
extensions += ["flatten_edu.publish.summary", "flatten_edu.publish.address"]
html_title, html_theme, html_theme_options = "The book", "sphinx_book_theme", {options}
"""


def options(repository: str) -> dict:
    buttons = {"use_repository_button": True, "use_issues_button": True, "repository_url": repository}
    launch = {"colab_url": "https://colab.research.google.com", "notebook_interface": "jupyterlab"}
    return {**buttons, "launch_buttons": launch, "path_to_docs": ""}


def built(folder: Path, repository: str) -> tuple[Path, str]:
    """A small book in the book's theme."""
    out, complaints = build(folder, PAGES, more=SETTINGS.format(options=options(repository)))
    assert complaints == ""
    return out, (out / "part" / "page.html").read_text()


def test_a_real_address_is_where_readers_look(tmp_path):
    repository, site = "https://github.com/Jane/flatten_edu", "https://jane.github.io/flatten_edu/"
    out, page = built(tmp_path, repository)
    assert f'href="{repository}"' in page  # the button
    assert f'<a href="{repository}/issues/new?template=mistake.yml">Found a mistake?</a>' in page
    assert re.search(rf'<link rel="canonical" href="{site}part/page.html" ?/>', page)
    tags = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]*)"', page))
    assert tags["og:url"] == f"{site}part/page.html" and tags["og:title"] == "Page" and tags["og:type"] == "website"
    assert dict(re.findall(r'<meta property="(og:site_name)" content="([^"]*)"', page)) == {"og:site_name": "The book"}
    assert tags["og:description"] == "A sentence on f_p." and tags["og:image"] == f"{site}{IMAGE}"
    assert page.count('<meta name="description"') == 1
    addresses = {e.text for e in ET.parse(out / "sitemap.xml").iter() if e.tag.endswith("loc")}
    assert {f"{site}part/page.html", f"{site}index.html"} <= addresses
    missing = (out / "404.html").read_text()
    assert 'href="/flatten_edu/_static/' in missing and 'href="/flatten_edu/part/page.html"' in missing


@pytest.mark.parametrize("repository", [f"https://github.com/{PLACEHOLDER}/flatten_edu", ""])
def test_a_placeholder_is_nowhere(tmp_path, repository):
    out, page = built(tmp_path, repository)
    for text in (page, (out / "404.html").read_text()):
        assert PLACEHOLDER not in text and "github.com" not in text.replace("github.com/executablebooks", "")
        assert "colab" not in text and "canonical" not in text and "Found a mistake" not in text
    assert 'property="og:' not in page and '<meta name="description" content="A sentence on f_p.">' in page
    assert not (out / "sitemap.xml").exists() and (out / "404.html").exists()


def test_where_github_shows_a_site():
    assert site_of("https://github.com/Jane/notes") == "https://jane.github.io/notes/"
    assert site_of("https://git.example.org/jane/notes") == ""


def test_the_form_that_the_footer_opens_is_there():
    assert (ROOT / ".github" / "ISSUE_TEMPLATE" / "mistake.yml").exists()


def test_the_picture_that_a_link_shows_is_there_and_has_the_shape_that_sites_ask_for():
    picture = Image.open(ROOT / "book" / "assets" / Path(IMAGE).name)
    assert picture.width == 1200 and picture.width / picture.height == pytest.approx(1.91, abs=0.02)
