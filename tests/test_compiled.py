"""Compiled loops: kept where they can be kept, and compiled anew where not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CALL = """
import torch
from stylemix.phase import heap_phase
from stylemix.transforms import Fourier
f = Fourier(8000, n_fft=64, hop_length=16)
print(len(heap_phase(f.forward(torch.ones(400)).magnitudes(), f)))
"""


@pytest.mark.slow
def test_phases_are_found_where_nothing_can_be_kept(tmp_path: Path) -> None:
    # numba asks its locators, one after the other, for a folder that can be written; here each of them says no.
    refuse = "import numba.core.caching as c\nc.CacheImpl._locator_classes = []\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", refuse + CALL], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1"
