"""Photograph the labs that are named, or those that changed: python tools/stills.py [--all] [lab ...]"""

import argparse
import io
import json
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from flatten_edu.labs import LABS, Lab
from flatten_edu.labs.frame.still import THEMES, WIDTHS, digest, folder_of
from tools import pictures
from tools.chromium import MISSING, find
from tools.lab_page import open_lab

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--force-color-profile=srgb"]
QUALITY = 50
NARROW = 343  # pixels: what a phone of 375 leaves
SHARPER = 1.5  # pixels of a wide light picture for each of the page's: it is the one that is printed
# What the lab says of itself, for who cannot see it.
SPOKEN = """
(lab) => {
  const question = lab.querySelector(".fe-question").textContent;
  const said = [...lab.querySelectorAll(".fe-summary > p:first-child, .fe-outcome, .fe-reason")]
    .filter((e) => e.checkVisibility()).map((e) => e.textContent.trim());
  const pictures = [...lab.querySelectorAll("[role=img][aria-label]")].filter((e) => e.checkVisibility());
  return [question, ...(said.length ? said : pictures.map((e) => e.ariaLabel + "."))].join(" ");
}
"""


def taken(lab: type[Lab]) -> bool:
    """Whether a lab's photographs show it as it is."""
    about = folder_of(lab) / "about.json"
    return about.exists() and json.loads(about.read_text())["digest"] == digest(lab)


def photograph(browser: Browser, lab: type[Lab]) -> None:
    """Take all of a lab's pictures."""
    folder = folder_of(lab)
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.webp"):
        path.unlink()
    about = {name: {"alt": "", "sizes": {}} for name in lab.stills}
    for theme in THEMES:
        for width, pixels in zip(WIDTHS, (lab.width, NARROW), strict=True):
            scale = SHARPER if (width, theme) == ("wide", "light") else 1
            context = browser.new_context(
                viewport={"width": pixels, "height": 900},
                device_scale_factor=scale,
                color_scheme=theme,
                reduced_motion="reduce",
            )
            page = context.new_page()
            for name, view in lab.stills.items():
                open_lab(page, lab(**view), pixels, theme)
                shown = page.locator(".fe-lab")
                picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
                picture.save(folder / f"{name}_{width}_{theme}.webp", quality=QUALITY, method=6)
                box = shown.bounding_box()
                about[name]["sizes"][width] = [round(box["width"]), round(box["height"])]
                about[name]["alt"] = shown.evaluate(SPOKEN)
            context.close()
    text = json.dumps({"digest": digest(lab), "stills": about}, indent=1, ensure_ascii=False)
    (folder / "about.json").write_text(text + "\n")


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labs", nargs="*", choices=[*LABS, []], default=[], metavar="|".join(LABS))
    parser.add_argument("--all", action="store_true", help="those that did not change too")
    arguments = parser.parse_args()
    wanted = arguments.labs or [name for name, lab in LABS.items() if arguments.all or not taken(lab)]
    path = find()
    assert path, MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for name in wanted:
            photograph(browser, LABS[name])
            size = sum(file.stat().st_size for file in folder_of(LABS[name]).iterdir())
            print(f"{name}: {size / 1000:.0f} kB")
    pictures.main()


if __name__ == "__main__":
    main()
