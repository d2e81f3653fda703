"""What every test shares: one thread for each worker, a cache of its own, a seeded generator, real music."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers that each start a thread for every core wait for one another; read when the libraries load.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

ROOT = Path(__file__).parent.parent
# The same draws in every run: a draw that nobody has seen belongs to whoever looks for it, not to the next change.
settings.register_profile("seeded", derandomize=True)
settings.load_profile("seeded")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEMIX_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("STYLEMIX_DEBUG", raising=False)
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers in every run."""
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def shared_browser() -> Iterator[Any]:
    """One Chromium for a whole file of tests: starting it takes longer than most of them."""
    from tests.browser import chromium

    with chromium() as driver:
        yield driver


@pytest.fixture
def browser(shared_browser: Any, page: Path) -> Iterator[Any]:
    """That Chromium with a file's `page` freshly opened; at the end the page must not have complained."""
    from tests.browser import console_errors, open_page

    # From another page: where only the address' hash differs, nothing would be loaded anew.
    shared_browser.get("about:blank")
    open_page(shared_browser, page)
    yield shared_browser
    assert console_errors(shared_browser) == []


@pytest.fixture(scope="session")
def real_music() -> Path:
    """A folder of real recordings: STYLEMIX_MUSIC, or the one beside the checkout; skips without any."""
    folder = Path(os.environ.get("STYLEMIX_MUSIC", ROOT.parent / "shared" / "corpora"))
    if not folder.is_dir():
        pytest.skip("no real recordings here: set STYLEMIX_MUSIC to a folder of corpora")
    return folder
