"""Curves that are kept in files: breakpoints in CSV, and the loudness of a sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stylemix.audio import probe, read_blocks, shown_name
from stylemix.errors import BadInput

WAY_OUT = (
    "write a number such as 0.5, breakpoints such as 0:0,10:1 (seconds:alpha), or the name of a CSV file or of a sound"
)
# Loudness is measured over two hops, 50 ms: shorter than a syllable or a note, longer than a period of the lowest.
HOP_S = 0.025
# 400 hops, so that every block begins with one.
BLOCK_S = 10.0
# Smoothed by a Hann window of 13 hops, half as long at half its height, 0.18 s: alpha follows notes, not their flutter.
SMOOTH_HOPS = 13
# Below the loudest moment, silence is silence.
FLOOR_DB = -60.0
# So little between soft and loud is a steady sound, and scaled up would be its noise.
LEAST_RANGE_DB = 1.0
# How far the breakpoints may leave the measured envelope (alpha): a fiftieth, which nobody hears.
TOLERANCE = 0.02


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read breakpoints from a file of two columns.

    Parameters
    ----------
    path : Path
        Lines of seconds and alpha, separated by commas, semicolons or tabs; one line of headings is allowed.

    Returns
    -------
    times_s, values : np.ndarray, shape (P,)
        As they stand there.

    Raises
    ------
    BadInput
        If the file is missing, is no text, or a line holds something else.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise BadInput(f"alpha: there is no file {shown_name(path)}; {WAY_OUT}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"alpha: {shown_name(path)} cannot be read as text ({error.__class__.__name__}); {WAY_OUT}"
        ) from None
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    pairs = []
    for i, (number, line) in enumerate(rows):
        pair = _row(line)
        if pair is not None:
            pairs.append(pair)
        elif i:
            raise BadInput(
                f"alpha: line {number} of {shown_name(path)} must hold two numbers, seconds and alpha; got {line!r}"
            )
    if not pairs:
        raise BadInput(
            f"alpha: {shown_name(path)} holds no breakpoint; write lines such as 0,0 and 10,1 (seconds, alpha)"
        )
    times_s, values = np.array(pairs).T
    return times_s, values


def read_envelope(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Turn the loudness of a sound into breakpoints: 0 where it is soft, 1 where it is loud.

    The level (dB) over 50 ms is smoothed and scaled so that its own 5th percentile is 0 and its 95th is 1; the rest
    is cut off. A sound that is nearly always equally loud is scaled by its softest and its loudest moment instead.

    Parameters
    ----------
    path : str or Path
        Any sound file; it is read in blocks.

    Returns
    -------
    times_s, values : np.ndarray, shape (P,)
        As few as leave the envelope by less than `TOLERANCE`.

    Raises
    ------
    BadInput
        If the file cannot be read, is silent, or is equally loud all the time.
    """
    path = Path(path)
    try:
        level_db = _level_db(path)
    except BadInput as error:
        raise BadInput(f"alpha: {error}") from None
    low, high = np.percentile(level_db, [5, 95])
    if high - low < LEAST_RANGE_DB:
        low, high = level_db.min(), level_db.max()
    if high - low < LEAST_RANGE_DB:
        raise BadInput(
            f"alpha: the loudness of {shown_name(path)} must change by at least {LEAST_RANGE_DB:g} dB to be a curve, "
            f"got {high - low:.2g} dB; take a sound that swells and fades, or a number"
        )
    values = np.clip((level_db - low) / (high - low), 0.0, 1.0)
    # Each level is of the two hops around its time.
    times_s = HOP_S * np.arange(1, len(values) + 1)
    kept = decimate(values, TOLERANCE)
    return times_s[kept], values[kept]


def decimate(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Choose breakpoints whose straight lines stay close to equally spaced values.

    Parameters
    ----------
    values : np.ndarray, shape (N,)
        N >= 1.
    tolerance : float
        Largest distance from a value to the line that replaces it.

    Returns
    -------
    np.ndarray, shape (P,), int
        Increasing, with the first and the last.

    References
    ----------
    D. Douglas, T. Peucker: Algorithms for the reduction of the number of points required to represent a digitized
    line or its caricature. Cartographica 10(2), 1973.

    Examples
    --------
    >>> decimate(np.array([0.0, 1.0, 2.0, 1.0, 0.0]), 0.1).tolist()
    [0, 2, 4]
    """
    kept = np.zeros(len(values), dtype=bool)
    kept[[0, -1]] = True
    # Stretches of at most a few thousand: the search for the worst point of each costs its length again and again.
    edges = np.unique(np.append(np.arange(0, len(values), 4096), len(values) - 1)).tolist()
    kept[edges] = True
    waiting = list(zip(edges[:-1], edges[1:], strict=True))
    while waiting:
        a, b = waiting.pop()
        line = np.linspace(values[a], values[b], b - a + 1)
        away = np.abs(values[a : b + 1] - line)
        worst = int(away.argmax())
        if away[worst] > tolerance:
            kept[a + worst] = True
            waiting += [(a, a + worst), (a + worst, b)]
    return np.flatnonzero(kept)


def _level_db(path: Path) -> np.ndarray:
    """Level of each pair of neighbouring hops (dB against the loudest), smoothed."""
    power = _hop_power(path)
    if not power.max() > 0:
        raise BadInput(f"{shown_name(path)}: is silent and has no loudness to follow; take another sound, or a number")
    pairs = np.convolve(power, [0.5, 0.5], mode="valid") if len(power) > 1 else power
    level = np.maximum(10 * np.log10(np.maximum(pairs / pairs.max(), 1e-30)), FLOOR_DB)
    window = np.hanning(SMOOTH_HOPS + 2)[1:-1]
    # Held at both ends: zeros there would be a level of 0 dB, the loudest.
    held = np.pad(level, SMOOTH_HOPS // 2, mode="edge")
    return np.convolve(held, window / window.sum(), mode="valid")


def _hop_power(path: Path) -> np.ndarray:
    """Mean power of each hop over samples and channels; the last may be shorter."""
    # A hop is no whole number of samples at 22.05 kHz: edges are rounded one by one and do not drift.
    hop = HOP_S * probe(path).sample_rate
    powers = []
    for block in read_blocks(path, block_s=BLOCK_S):
        power = np.mean(np.square(block, dtype=np.float64), axis=0)
        edges = np.round(np.arange(0, len(power) / hop) * hop).astype(int)
        edges = edges[edges < len(power)]
        powers.append(np.add.reduceat(power, edges) / np.diff(np.append(edges, len(power))))
    return np.concatenate(powers)


def _row(line: str) -> tuple[float, float] | None:
    for separator in (";", "\t", ","):
        if separator in line:
            cells = [cell.strip() for cell in line.split(separator)]
            if separator == ";":
                # Where semicolons separate the columns, commas are decimal points.
                cells = [cell.replace(",", ".") for cell in cells]
            try:
                time, alpha = (float(cell) for cell in cells)
            except ValueError:
                return None
            return time, alpha
    return None
