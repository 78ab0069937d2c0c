"""Nothing on a page moves what a reader looks at: its cumulative layout shift, as browsers define it, stays small."""

import pytest

from tests.browser.test_pages import PAGES

LIMIT = 0.05

# Before the page's own scripts. A shift soon after a click or a key press is what a reader asked for.
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { startTime, value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput) shifts.push([startTime, value, sources.map((s) => s.node?.outerHTML?.slice(0, 90) ?? "text")]);
}).observe({ type: "layout-shift", buffered: true });
"""
SCROLL = """
async () => {
  await document.fonts.ready;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const starting = (host) => {
    const { top, bottom, height } = host.getBoundingClientRect();
    return !host.dataset.state && host.checkVisibility() && height > 0 && top < innerHeight && bottom > 0;
  };
  for (let y = 0; y < document.documentElement.scrollHeight; y += 0.8 * innerHeight) {
    scrollTo({ top: y, behavior: "instant" });
    await wait(40);
    for (let i = 0; i < 100 && [...document.querySelectorAll(".fe-mount")].some(starting); i++) await wait(20);
  }
  if (document.querySelector(".fe-mount")) await wait(600); // a lab's first picture may come from a worker
}
"""


def cumulative(shifts) -> float:
    """The largest sum of a window: at most 5 s long, and less than 1 s between its shifts."""
    largest = total = start = last = 0.0
    for time, value, _ in shifts:
        if time - last > 1000 or time - start > 5000:
            total, start = 0.0, time
        total, last = total + value, time
        largest = max(largest, total)
    return largest


def test_the_sum_of_a_window():
    assert cumulative([]) == 0
    assert cumulative([(100, 0.1, []), (200, 0.2, []), (1500, 0.25, [])]) == pytest.approx(0.3)
    assert cumulative([(900 * i, 0.1, []) for i in range(9)]) == pytest.approx(0.6)


# Rows come one after the other on a slow machine, and each may widen a column: what stands there moves.
MOVABLE = """
[...document.querySelectorAll("article table")].filter((table) => {
  const { top, height } = table.getBoundingClientRect();
  const long = table.rows.length > 1 && top < innerHeight && height > innerHeight / 2;
  return long && getComputedStyle(table).tableLayout !== "fixed";
}).length
"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_stands_still(reader, measured, path):
    found, causes = {}, []
    for width in [375, 1280]:
        one = reader(viewport={"width": width, "height": 800})
        one.page.add_init_script(WATCH)
        one.page.goto(one.site + path, wait_until="load")
        assert one.page.evaluate(MOVABLE) == 0, "a long table on the first screen has no fixed columns"
        one.page.evaluate(SCROLL)
        shifts = one.page.evaluate("shifts")
        found[width] = cumulative(shifts)
        causes += [(width, shift) for shift in shifts if shift[1] > 0.003]
    said = ", ".join(f"{width} px {total:.4f}" for width, total in found.items())
    measured(f"layout shift {path.split('/')[-1].removesuffix('.html')}", f"{said} (limit {LIMIT})")
    assert max(found.values()) <= LIMIT, causes
