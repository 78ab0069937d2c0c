"""Find the Chromium that the browser tests drive, and install Debian's where there is none and we may."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VARIABLE = "CHROMIUM"
NAMES = [
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "microsoft-edge",
]
MISSING = (
    f"The browser tests need Chromium: install it (Debian: apt-get install chromium; anywhere: .venv/bin/playwright "
    f"install chromium), or name one with {VARIABLE}=/path/to/chromium."
)


def find() -> str | None:
    """The path of a Chromium: the variable's, then one by its usual name, then Playwright's own."""
    named = os.environ.get(VARIABLE)
    if named:
        return named if Path(named).exists() else None
    by_name = next((path for name in NAMES if (path := shutil.which(name))), None)
    return by_name or _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Debian's package, where we are root and there is apt-get: elsewhere it has another name."""
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
        for package in NAMES[:2]:
            command = ["apt-get", "install", "-y", "-qq", package]
            if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
                return


def main() -> None:
    """Print the path, or one line that says what to install."""
    path = find()
    if path is None and VARIABLE not in os.environ:
        install()
        path = find()
    if path is None:
        sys.exit(MISSING)
    print(f"Browser tests use {path}")


if __name__ == "__main__":
    main()
