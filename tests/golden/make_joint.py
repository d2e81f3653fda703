"""Write joint.npz: joint time-frequency scattering by an independent implementation.

Run it where kymatio 0.4.0.dev0 (the unreleased main branch, commit 11552ed5), NumPy 1.26 and SciPy 1.14 are installed:

    python tests/golden/make_joint.py

The sounds are not stored: `sound` below makes them from a formula and from a seed.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np

N_SAMPLES = 4096

# name: (parameters, sounds)
CASES: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "default": ({"J": 7, "Q": [8, 1], "J_fr": 3, "Q_fr": 1}, ("noise", "formula")),
    "every_band": ({"J": 6, "Q": [6, 1], "J_fr": 3, "Q_fr": 1, "F": 0}, ("formula",)),
    "two_an_octave": ({"J": 8, "Q": [8, 2], "J_fr": 4, "Q_fr": 2}, ("noise",)),
    "long_average": ({"J": 6, "Q": [8, 1], "J_fr": 2, "Q_fr": 1, "T": 200, "F": 4}, ("noise",)),
    "short_average": ({"J": 7, "Q": [8, 1], "J_fr": 3, "Q_fr": 1, "T": 32}, ("formula",)),
    "global": ({"J": 7, "Q": [8, 1], "J_fr": 3, "Q_fr": 1, "F": "global"}, ("formula",)),
}


def sound(name: str) -> np.ndarray:
    """Noise from a seed, or three vibrating partials that rise, two clicks and a hum; shape (N_SAMPLES,)."""
    if name == "noise":
        return np.random.default_rng(7).standard_normal(N_SAMPLES)
    t = np.arange(N_SAMPLES) / N_SAMPLES
    phase = 2 * np.pi * (150 * t + 120 * t**2 + 1.5 * np.sin(2 * np.pi * 9 * t))
    x = sum(np.cos(k * phase) / k for k in (1, 2, 3)) * (1 + 0.6 * np.cos(2 * np.pi * 40 * t))
    x = x + 0.3 * np.sin(2 * np.pi * 23 * t)
    x[[1500, 2700]] += 4.0
    return x


def main() -> None:
    """Compute and write."""
    from kymatio.numpy import TimeFrequencyScattering

    arrays = {}
    for name, (parameters, sounds) in CASES.items():
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scattering = TimeFrequencyScattering(shape=N_SAMPLES, out_type="list", format="time", **options)
            meta = scattering.meta()
            for which in sounds:
                paths = sorted(scattering(sound(which)), key=lambda p: (len(p["n"]), p["n"]))
                arrays[f"{name}/{which}"] = np.stack([p["coef"] for p in paths]).astype(np.float32)
        # Keys are () for order 0, (n1, n_fr) for order 1 and (n1, n2, n_fr) for order 2; -1 stands where one lacks.
        keys = [(-1,) * 3 if not k else (k[0], -1, k[1]) if len(k) == 2 else k for k in meta["key"]]
        arrays[f"{name}/key"] = np.array(keys, dtype=np.int16)
        for field in ("xi", "sigma", "j", "xi_fr", "sigma_fr", "j_fr"):
            arrays[f"{name}/{field}"] = np.asarray(meta[field], dtype=np.float64)
    arrays["cases"] = np.frombuffer(json.dumps(CASES).encode(), dtype=np.uint8)
    np.savez_compressed(Path(__file__).with_name("joint.npz"), **arrays)


if __name__ == "__main__":
    main()
