"""Write scattering.npz, what kymatio makes of noise, of a piece made by formula and of a real recording.

Run in the environment of requirements.txt, which says how it is made; the same environment serves the other golden
files. Every number is reproducible to the byte::

    python tests/golden/make_scattering.py [FOLDER OF RECORDINGS]

The reference is kymatio's main branch (0.4.0.dev0), not its release. Release 0.3.0 resamples a filter by the *mean* of
the periods of its spectrum where the *sum* is right, and so divides whatever is filtered after subsampling: order 1 by
``2**min(j1, log2 T)``, order 2 by ``2**(min(j1, log2 T) + min(j2, log2 T))``. Apart from these powers of two the two
versions agree to the last bit (for all local averages; 0.3.0 knows no global one and fails at T=2, J=8). On main the
sum is the default.

Four more conventions decide what can be compared:

- Aliasing. kymatio samples a modulus as if it were no wider than its wavelet. Against its dense output (``stride=1``)
  this costs 6e-6 to 4e-5 in order 1 and 1e-4 in order 2 where T is at least ``2**J``, but where T is shorter the window
  lets more of the aliases pass: half a percent (8 % in the worst row) at T=32, J=8. A `dense` case is free of it.

- Frames. kymatio's frames lie on a grid of the *padded* sound. It starts at sample 0 only where the padding is a
  multiple of the stride, as for lengths that are powers of two. Elsewhere the reference is the dense output, taken
  at the multiples of the hop.
- Borders. kymatio reflects the sound at both ends, but at most to three times its length and to a power of two; beyond
  that its filters wrap round to the other end. For its own test signal (512 samples, J=6) this changes order 1 by
  0.4 % and order 2 by 1.2 %, mostly in the first and last frames. A `reflected` case gives kymatio the sound with
  more of its reflection, which is what a filter should meet there, and keeps the frames of the sound itself.
- kymatio's global "average" is a sum over the sound and its padding, at a different rate for each path. What is stored
  as `global` is the mean of its local averages over all frames of the sound.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

RATE = 22050
MAX_FRAMES = 24
RECORDING = "chorale-vs-ragtime/joplin-rags/entertainer_01.flac"
RECORDING_START = 10 * RATE


@dataclass(frozen=True)
class Case:
    """One transform of one sound; T as in kymatio (None: ``2**J``, 0: no averaging)."""

    name: str
    sound: str
    n_samples: int
    J: int
    Q: tuple[int, int]
    T: float | str | None = None
    dense: bool = False
    reflected: bool = False

    @property
    def hop(self) -> int:
        """Distance of the reference's frames (samples)."""
        scale = self.J if self.T in (None, 0, "global") else int(np.log2(float(self.T)))  # type: ignore[arg-type]
        return 2**scale


CASES = (
    # kymatio's own test signals: this one of its golden file, and the lengths of its other tests.
    Case("own 512", "noise", 512, 6, (16, 1)),
    Case("own 512 reflected", "noise", 512, 6, (16, 1), dense=True, reflected=True),
    Case("4096, J=6, Q=8", "noise", 4096, 6, (8, 1)),
    Case("8192, J=8, Q=1", "noise", 8192, 8, (1, 1)),
    Case("8192, J=8, Q=(8,2)", "noise", 8192, 8, (8, 2)),
    # Averages of other lengths than 2**J: shorter, longer, and no power of two.
    Case("T=32, J=8, dense", "noise", 8192, 8, (8, 1), 32, dense=True),
    Case("T=1024, J=6", "noise", 8192, 6, (8, 1), 1024),
    Case("T=300, J=8", "noise", 8192, 8, (8, 1), 300),
    Case("T=2, J=8, dense", "noise", 8192, 8, (8, 1), 2, dense=True),
    # Lengths that are no powers of two.
    Case("5000, J=6", "noise", 5000, 6, (8, 1)),
    Case("10007, J=8, Q=(8,2)", "noise", 10007, 8, (8, 2)),
    Case("50001, J=11, T=4410", "music", 50001, 11, (8, 1), 4410),
    Case("moduli", "noise", 4096, 6, (8, 1), 0),
    Case("global", "noise", 8192, 6, (8, 1), "global"),
    Case("music, J=11, Q=8", "music", 65536, 11, (8, 1)),
    Case("music, J=11, Q=(8,2)", "music", 65536, 11, (8, 2)),
    Case("recording, J=11, Q=8", "recording", 65536, 11, (8, 1)),
    Case("recording, J=11, Q=(8,2)", "recording", 65536, 11, (8, 2)),
)


def noise(n_samples: int) -> np.ndarray:
    """Nearly Gaussian noise, shape (n_samples,), of the bits of a generator whose stream is promised to stay."""
    bits = np.random.PCG64(7).random_raw(4 * n_samples).reshape(n_samples, 4)
    return np.asarray((bits / 2.0**64 - 0.5).sum(axis=1))


def music(n_samples: int) -> np.ndarray:
    """Plucked chords over a drum, shape (n_samples,): a new chord every 0.3 s, a hit on each half of it."""
    t = np.arange(n_samples) / RATE
    x = np.zeros(n_samples)
    hit = noise(n_samples)
    for beat, chord in enumerate(((0, 4, 7), (-3, 5, 9), (2, 5, 11), (-5, 4, 12), (0, 3, 8), (-7, 2, 10))):
        for repeat in np.arange(0.3 * beat, n_samples / RATE, 1.8):
            age = np.maximum(t - repeat, 0)
            for semitone in chord:
                for k in range(1, 11):
                    pitch = 220 * 2 ** (semitone / 12) * k * (1 + 2e-4 * k * k) ** 0.5
                    x += (t >= repeat) * np.exp(-(2 + k) * age) * np.sin(2 * np.pi * pitch * age) / k
            for late in (0, 0.15):
                x += 0.5 * (t >= repeat + late) * np.exp(-60 * np.maximum(age - late, 0)) * hit
    return 0.3 * x / np.abs(x).max()


def recording(folder: Path, n_samples: int) -> np.ndarray:
    """A few seconds of a real recording, shape (n_samples,)."""
    import soundfile

    return np.asarray(soundfile.read(folder / RECORDING, start=RECORDING_START, frames=n_samples)[0])


def kept_frames(case: Case) -> np.ndarray:
    """Which frames are stored: the first, the last and some between."""
    n = 1 if case.T == "global" else -(-case.n_samples // case.hop)
    return np.unique(np.linspace(0, n - 1, MAX_FRAMES).round().astype(int))


def reference(case: Case, x: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Coefficients of kymatio at the multiples of the hop, shape (P, N), and its names of the rows."""
    from kymatio.numpy import Scattering1D

    # Sixteen hops are 25 standard deviations of the averaging window.
    extra = 16 * case.hop if case.reflected else 0
    padded = np.pad(x, extra, mode="reflect")
    average = None if case.T == "global" else case.T
    made = {"J": case.J, "Q": case.Q, "shape": len(padded), "T": average, "out_type": "list"}
    scattering = Scattering1D(**made)
    if case.dense or (scattering.pad_left + extra) % case.hop:
        scattering = Scattering1D(**made, stride=1)
    rows, names = [], []
    for path in scattering(padded):
        step = round(len(padded) / len(path["coef"]))
        start, hop = extra // step, case.hop // step
        rows.append(path["coef"][start : start + -(-len(x) // step) : hop])
        names.append(path["n"])
    if case.T == "global":
        rows = [row.mean(keepdims=True) for row in rows]
    return np.stack(rows), named(names, (scattering.psi1_f, scattering.psi2_f))


def named(names: list[tuple[int, ...]], banks: tuple[Any, Any]) -> dict[str, np.ndarray]:
    """What `Scattering1D.meta` says of the rows, which itself fails at small T."""
    meta = {key: np.full((len(names), 2), np.nan) for key in ("n", "j", "xi", "sigma")}
    for row, name in enumerate(names):
        for order, n in enumerate(name):
            meta["n"][row, order] = n
            for key in ("j", "xi", "sigma"):
                meta[key][row, order] = banks[order][n][key]
    return {"order": np.array([len(name) for name in names]), **meta}


def main() -> None:
    """Write the file beside this script."""
    import kymatio
    import scipy

    here = Path(__file__).parent
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here.parents[2] / "shared" / "corpora"
    sounds = {"noise": noise, "music": music, "recording": lambda n: recording(folder, n)}
    about = {
        "kymatio": kymatio.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "recording": RECORDING,
        "recording_start": RECORDING_START,
        "recording_sha256": sha256((folder / RECORDING).read_bytes()).hexdigest(),
        "cases": [asdict(case) for case in CASES],
    }
    arrays: dict[str, np.ndarray] = {"about": np.array(json.dumps(about))}
    for case in CASES:
        values, meta = reference(case, sounds[case.sound](case.n_samples))
        frames = kept_frames(case)
        arrays[f"{case.name}/frames"] = frames.astype(np.int32)
        arrays[f"{case.name}/S"] = values[:, frames].astype(np.float32)
        for key in ("order", "n", "j", "xi", "sigma"):
            # Numbers of wavelets and scales fit into a half: they stay below 2048.
            small = {"order": np.int8, "n": np.float16, "j": np.float16}
            arrays[f"{meta_name(case)}/{key}"] = np.asarray(meta[key]).astype(small.get(key, np.float64))
        print(f"{case.name}: {values.shape[0]} rows, {len(frames)} of {values.shape[1]} frames")
    np.savez_compressed(here / "scattering.npz", **arrays)  # type: ignore[arg-type]


def meta_name(case: Case) -> str:
    """Name under which a case's rows are named; cases of one bank share it."""
    return f"J={case.J}, Q={case.Q}"


if __name__ == "__main__":
    main()
