"""A real headless Chromium for the tests of pages; skips with a reason where there is none."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    # WebGL without a graphics card: Chromium warns on the console where it is not asked for by name.
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def chromium(
    *, width: int = 1280, height: int = 900, dark: bool = False, flags: Sequence[str] = ()
) -> Iterator[Any]:
    """Start a fresh browser without a network and close it afterwards."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="selenium is not installed (the test extra has it)"
    )
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver_path = shutil.which("chromedriver")
    if not binary or not driver_path:
        pytest.skip("no chromium and chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            *FLAGS,
            *flags,
            f"--user-data-dir={profile}",
            "--proxy-server=127.0.0.1:9",
            "--force-color-profile=srgb",
        ):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
        try:
            # A window of a headless Chromium is never narrower than 500 px; emulation is.
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 1.5, "mobile": width < 600},
            )
            driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia",
                {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]},
            )
            driver.set_script_timeout(30)
            yield driver
        finally:
            driver.quit()


def console_errors(driver: Any) -> list[str]:
    """Return what the page complained about, refusals of its policy included.

    Remarks of the graphics driver on its own speed are not the page's.
    """
    return [
        entry["message"]
        for entry in driver.get_log("browser")
        if entry["level"] in ("SEVERE", "WARNING") and "GL Driver Message" not in entry["message"]
    ]


def open_page(driver: Any, path: Path) -> None:
    """Open a page from the disk."""
    driver.get(path.resolve().as_uri())
