"""What axe-core finds on a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}  # all that another colour scheme changes


def violations(page: Page, context: str = "html", rules: dict = WCAG) -> list[str]:
    """What breaks the rules within the elements of a selector.

    Formulas are left out: axe has no rule for MathML, takes seconds to walk through a chapter's, and its letters have
    the colour of the text around them.
    """
    # Without preload: axe would fetch what style sheets import, from the wrong folder.
    options = {"runOnly": rules, "preload": False, "resultTypes": ["violations"]}
    result = Axe().run(page, {"include": [context], "exclude": ["math"]}, options)
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
        for violation in result.response["violations"]
        for node in violation["nodes"]
    ]


def in_the_dark(page: Page) -> None:
    """A page follows the system, as it does where that changes in the evening; colours may fade over."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.wait_for_function("document.getAnimations().every((a) => a.playState !== 'running')")
