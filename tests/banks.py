"""What tests of filter banks share: one bank of each kind, and errors in dB."""

from __future__ import annotations

from typing import Any

import torch

BANKS: dict[str, dict[str, Any]] = {
    "variable-Q": {"bins_per_octave": 24, "gamma_hz": 10.0},
    "constant-Q": {"bins_per_octave": 12, "gamma_hz": 0.0},
    "ERB": {"bins_per_octave": 12, "gamma_hz": "erb"},
    "wide": {"bins_per_octave": 3, "gamma_hz": 30.0, "fmin_hz": 100.0},
}


def error_db(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Root mean square of the difference against that of what was wanted."""
    return float(20 * torch.log10((found - wanted).norm() / wanted.norm()))
