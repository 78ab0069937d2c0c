"""Sphinx extension: what pages say of the repository's address and of the site's own, once these are real.

Until then they say nothing: a button that leads to a placeholder is dead.
"""

from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config

PLACEHOLDER = "your-name"
IMAGE = "_static/card.jpg"  # what a link to a page shows; tools/pictures.py cuts it from the lab focus

MISSING = (
    "<h1>There is no such page</h1><p>It has moved, or its address has a mistake. Choose a chapter from the menu.</p>"
)


def site_of(repository: str) -> str:
    """Where GitHub Pages shows a repository's site; elsewhere it has to be told, as html_baseurl."""
    parts = urlsplit(repository)
    owner, _, name = parts.path.strip("/").partition("/")
    return f"https://{owner.lower()}.github.io/{name}/" if parts.hostname == "github.com" else ""


def configure(app: Sphinx, config: Config) -> None:
    """Set the options of the theme and of the extensions that need an address."""
    options, repository = config.html_theme_options, config.html_theme_options.get("repository_url", "").rstrip("/")
    config.notfound_urls_prefix = "/"
    config.notfound_context = {"title": "No such page", "body": MISSING}
    if not repository or PLACEHOLDER in repository:
        options.update(repository_url="", launch_buttons={}, use_repository_button=False, use_issues_button=False)
        return
    report = f"{repository}/issues/new?template=mistake.yml"
    options.update(extra_footer=f'<p><a href="{report}">Found a mistake?</a></p>')
    config.html_baseurl = config.html_baseurl or site_of(repository)
    if config.html_baseurl:
        app.setup_extension("sphinx_sitemap")
        config.sitemap_url_scheme = "{link}"
        app.setup_extension("sphinxext.opengraph")
        config.ogp_site_url, config.ogp_site_name, config.ogp_image = config.html_baseurl, config.html_title, IMAGE
        config.ogp_social_cards = {"enable": False}  # a lab says more than a title
        config.ogp_enable_meta_description = False  # `summary` writes it
        config.notfound_urls_prefix = urlsplit(config.html_baseurl).path


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.setup_extension("notfound.extension")
    app.connect("config-inited", configure, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
