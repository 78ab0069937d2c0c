"""Plotly's figures on the built chapter: drawn when they come near, in both schemes, and still without JavaScript."""

import gzip

import pytest

CHAPTER = "notebooks/12_timing.html"
FIGURES = 4
BUNDLE = "plotly-basic.min.js"
PAGE_LIMIT = 1_200_000  # bytes, gzipped: 400,000 of them are Plotly


def drawn(one):
    """The chapter's page with all figures drawn."""
    page = one.open(CHAPTER)
    all_drawn(page)
    return page


def all_drawn(page):
    """Scroll past each figure, and back when all are drawn."""
    for figure in page.locator(".fe-plot").all():
        figure.scroll_into_view_if_needed()
    page.wait_for_function(f"document.querySelectorAll('.fe-plot[data-state=ready]').length === {FIGURES}")
    page.evaluate("scrollTo(0, 0)")


def test_all_figures_are_drawn_by_one_bundle(reader, measured):
    one = reader()
    bodies = {}
    one.page.on("response", lambda r: bodies.setdefault(r.url.split("?")[0], r.body()) if r.status == 200 else None)
    asked = []
    one.page.on("request", lambda r: asked.append(r.url))
    page = drawn(one)
    assert page.locator(".fe-plot .js-plotly-plot").count() == FIGURES
    assert page.locator(".fe-plot-still").count() == 0
    assert sum(BUNDLE in url for url in asked) == 1
    sizes = {url: len(gzip.compress(body)) for url, body in bodies.items()}
    plotly = next(size for url, size in sizes.items() if url.endswith(BUNDLE))
    total = sum(sizes.values())
    measured("page 12_timing: kB gzipped", f"total {total // 1000}, Plotly {plotly // 1000}")
    assert total <= PAGE_LIMIT


def test_the_bundle_waits_until_a_figure_comes_near_and_other_pages_do_without(reader):
    one = reader(viewport={"width": 1280, "height": 300})
    asked = []
    one.page.on("request", lambda r: asked.append(r.url))
    one.open("book/notation.html")
    assert not [url for url in asked if "plotly" in url or "plots.js" in url]


@pytest.mark.parametrize("options", [{}, {"has_touch": True, "is_mobile": True}], ids=["mouse", "touch"])
@pytest.mark.parametrize("width", [375, 1280])
def test_a_figure_takes_its_place_before_it_is_drawn(reader, width, options):
    """On a slow machine a figure is drawn while its reader looks at it: nothing under it may move."""
    one = reader(viewport={"width": width, "height": 800}, **options)
    held = []
    one.page.route(f"**/{BUNDLE}*", lambda route: held.append(route))
    heights = "[...document.querySelectorAll('.fe-plot')].map((one) => one.getBoundingClientRect().height)"
    page = one.open(CHAPTER)
    page.locator(".fe-plot").first.scroll_into_view_if_needed()
    one.frame()
    before = page.evaluate(heights)
    assert len(held) == 1 and page.locator(".fe-plot-live").count() == 0
    held[0].continue_()
    all_drawn(page)
    assert page.evaluate(heights) == pytest.approx(before, abs=2)
    caption = page.locator(".fe-plot figcaption").first
    assert caption.inner_text().startswith("Tap" if options else "Point")


def test_pointing_at_a_point_reads_it(reader):
    page = drawn(reader())
    figure = page.locator(".fe-plot").first
    figure.scroll_into_view_if_needed()
    point = figure.locator(".scatterlayer .trace").last.locator(".point").last.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    label = figure.locator(".hoverlayer .hovertext")
    label.first.wait_for()
    assert "N = 12544" in label.first.text_content() and label.first.text_content().endswith(" ms")


def test_a_name_in_the_legend_hides_its_curve(reader):
    page = drawn(reader())
    figure = page.locator(".fe-plot").first
    before = figure.locator(".scatterlayer .trace").count()
    figure.locator(".legendtoggle").first.click()
    page.wait_for_function(
        "(n) => document.querySelector('.fe-plot').querySelectorAll('.scatterlayer .trace').length < n", arg=before
    )


INK = "getComputedStyle(document.querySelector('.fe-plot .xtick text')).fill"


@pytest.mark.parametrize("width", [375, 1280])
def test_text_follows_the_colour_scheme(reader, width):
    page = drawn(reader(color_scheme="light", viewport={"width": width, "height": 800}))
    inks = {}
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        page.wait_for_function(f"{INK} === getComputedStyle(document.querySelector('.fe-plot')).color")
        inks[theme] = page.evaluate(INK)
    assert inks["light"] != inks["dark"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_has_a_sentence_for_who_does_not_see_it(reader):
    page = drawn(reader())
    names = [figure.get_attribute("aria-label") for figure in page.locator(".fe-plot-live[role=img]").all()]
    assert len(names) == FIGURES and all("logarithmic axes" in name for name in names)


def test_without_javascript_there_is_a_still(reader):
    page = reader(java_script_enabled=False).open(CHAPTER, labs=False)
    stills = page.locator(".fe-plot-still img")
    assert stills.count() == FIGURES
    page.locator(".fe-answer > summary").first.click()  # the first figure answers the prediction
    box = stills.first.bounding_box()
    assert box["width"] > 300 and box["height"] > 150
    assert "logarithmic axes" in stills.first.get_attribute("alt")


def test_where_the_bundle_does_not_come_the_still_stays(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.route(f"**/{BUNDLE}", lambda route: route.abort())
    page.goto(site + CHAPTER)
    page.locator(".fe-plot").nth(1).scroll_into_view_if_needed()  # the first is hidden behind the prediction
    page.locator(".fe-plot[data-state=failed] .fe-plot-still img").wait_for()
    context.close()
