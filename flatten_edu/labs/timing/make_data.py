"""Remake the records of the lab `timing`: python -m flatten_edu.labs.timing.make_data

The lab itself measures them in Chromium, for minutes, on a quiet machine.
"""

import json
from typing import Any

from playwright.sync_api import Page, sync_playwright

from flatten_edu.labs import TimingLab
from flatten_edu.labs.timing.lab import SHIPPED
from tools.chromium import MISSING, find
from tools.lab_page import open_lab

DIMENSIONS = [64, 32]
BUDGET = 300.0  # seconds; as much as N = 12544 takes
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    """One run of the lab for each head dimension, at p = 3."""
    path = find()
    assert path, MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        records = [measure(browser.new_page(), d, BUDGET) for d in DIMENSIONS]
    SHIPPED.write_text(json.dumps(records, separators=(",", ":")).replace('{"variant"', '\n{"variant"') + "\n")


def measure(page: Page, d: int, budget: float) -> dict[str, Any]:
    """The record of one run, on a page of its own: what the lab saves as a file."""
    open_lab(page, TimingLab(d=d, budget=budget, shipped=[]), TimingLab.width)
    page.get_by_role("button", name="Time it here").click()
    page.get_by_text("Done: ").wait_for(timeout=1000 * (3 * budget + 60))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save your record").click()
    return json.loads(download.value.path().read_text())


if __name__ == "__main__":
    main()
