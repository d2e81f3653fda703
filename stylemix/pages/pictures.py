"""Pictures of sound and small plots as PNG bytes; no window, no global state."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylemix.errors import BadInput

if TYPE_CHECKING:
    from stylemix.arrays import Wave

FMIN_HZ = 40.0
FMAX_HZ = 10000.0
RANGE_DB = 75.0
TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10000)
_WINDOW = 4096


def _power(wave: Wave, hop: int) -> np.ndarray:
    from scipy.signal.windows import hann

    sound = wave.samples.mean(axis=0)
    if sound.size == 0 or not np.isfinite(sound).all():
        raise BadInput(
            f"picture: the wave must hold at least one sample and no NaN, got {sound.size} samples"
        )
    window = hann(_WINDOW, sym=False).astype(np.float32)
    # Scaled so that a sine of amplitude 1 peaks at 0 dB.
    window *= 2 / window.sum()
    padded = np.pad(sound, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop]
    power = np.empty((_WINDOW // 2 + 1, len(frames)), dtype=np.float32)
    for start in range(0, len(frames), 256):
        power[:, start : start + 256] = (np.abs(np.fft.rfft(frames[start : start + 256] * window)) ** 2).T
    return power


def _mean_between(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    # Differences of the interpolated running sum are means over cells wider or narrower than a sample.
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    below = np.clip(np.floor(edges).astype(int), 0, len(values) - 1)
    at_edges = total[below] + (edges - below)[:, None] * values[below]
    return np.diff(at_edges, axis=0) / np.diff(edges)[:, None]


def log_frequency_db(
    wave: Wave, *, n_rows: int, n_columns: int, fmin_hz: float = FMIN_HZ, fmax_hz: float = FMAX_HZ
) -> np.ndarray:
    """Measure power over time on a logarithmic frequency axis.

    Parameters
    ----------
    wave : Wave
        Channels are averaged.
    n_rows, n_columns : int
        Size of the picture.
    fmin_hz, fmax_hz : float
        Its lower and upper edge.

    Returns
    -------
    np.ndarray, shape (n_rows, n_columns)
        Decibels against a full-scale sine, lowest frequency first, at least -200.

    Raises
    ------
    BadInput
        If the wave is empty or holds NaN, or the size is not positive.

    Examples
    --------
    >>> from stylemix.arrays import Wave
    >>> log_frequency_db(Wave(np.zeros(8000), 8000), n_rows=3, n_columns=2).shape
    (3, 2)
    """
    if n_rows < 1 or n_columns < 1:
        raise BadInput(f"picture: its size must be positive, got {n_columns} x {n_rows} pixels")
    hop = int(np.clip(wave.n_samples // n_columns, 1, _WINDOW // 4))
    power = _power(wave, hop)
    hz_per_bin = wave.sample_rate / _WINDOW
    # A bin reaches half a bin to both sides of its centre.
    rows = np.geomspace(fmin_hz, fmax_hz, n_rows + 1) / hz_per_bin + 0.5
    in_range = rows[1:] <= len(power)
    by_row = np.zeros((n_rows, power.shape[1]))
    if in_range.any():
        by_row[in_range] = _mean_between(power, rows[: in_range.sum() + 1])
    picture = _mean_between(by_row.T, np.linspace(0, power.shape[1], n_columns + 1)).T
    return 10 * np.log10(np.maximum(picture, 1e-20))


def loudest_db(waves: Sequence[Wave]) -> float:
    """Return the level that is white in a set of pictures, so that their colours mean the same.

    Parameters
    ----------
    waves : sequence of Wave
        All that will be compared.

    Returns
    -------
    float
        Decibels: the 99.9th percentile of the loudest one.

    Raises
    ------
    BadInput
        If there is no wave, or one is empty or holds NaN.

    Examples
    --------
    >>> from stylemix.arrays import Wave
    >>> round(loudest_db([Wave(np.zeros(8000), 8000)]))
    -120
    """
    if not waves:
        raise BadInput("picture: at least one wave is needed for a common scale, got none")
    tops = [np.percentile(log_frequency_db(wave, n_rows=128, n_columns=200), 99.9) for wave in waves]
    return max(-120.0, float(max(tops)))


def _png(picture: np.ndarray) -> bytes:
    from matplotlib import colormaps
    from PIL import Image

    # 64 colours are as many as an eye tells apart here and halve the file.
    levels = np.round(np.clip(picture, 0, 1) * 63).astype(np.uint8)
    image = Image.fromarray(levels[::-1])
    palette = (colormaps["magma"](np.linspace(0, 1, 64))[:, :3] * 255).round().astype(np.uint8)
    image.putpalette(palette.ravel().tolist())
    memory = io.BytesIO()
    image.save(memory, "PNG", optimize=True)
    return memory.getvalue()


def spectrogram_png(
    wave: Wave, *, width_px: int = 900, height_px: int = 260, top_db: float | None = None, axes: bool = True
) -> bytes:
    """Draw a spectrogram with a logarithmic frequency axis.

    Parameters
    ----------
    wave : Wave
        Channels are averaged.
    width_px, height_px : int
        Size of the picture.
    top_db : float, optional
        The brightest level; pass `loudest_db` of a set to compare its members. By default the wave's own.
    axes : bool
        With labels in seconds and Hz; without, the picture's edges are the wave's, 40 Hz and 10 kHz.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    BadInput
        If the wave is empty or holds NaN, or the size is not positive.

    Examples
    --------
    >>> from stylemix.arrays import Wave
    >>> spectrogram_png(Wave(np.zeros(8000), 8000), width_px=80, height_px=40, axes=False)[1:4]
    b'PNG'
    """
    picture = log_frequency_db(wave, n_rows=height_px, n_columns=width_px)
    top = loudest_db([wave]) if top_db is None else top_db
    shade = (picture - top) / RANGE_DB + 1
    if not axes:
        return _png(shade)
    figure, plot = _figure(width_px, height_px)
    plot.imshow(
        np.clip(shade, 0, 1),
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=0,
        vmax=1,
        extent=(0, wave.duration_s, np.log(FMIN_HZ), np.log(FMAX_HZ)),
    )
    plot.set_yticks(np.log(TICKS_HZ), [f"{hz // 1000} k" if hz >= 1000 else str(hz) for hz in TICKS_HZ])
    plot.set_xlabel("Time (s)")
    plot.set_ylabel("Frequency (Hz)")
    return _figure_png(figure)


def curves_png(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x_label: str,
    y_label: str,
    levels: Mapping[str, float] | None = None,
    width_px: int = 720,
    height_px: int = 360,
) -> bytes:
    """Draw a few curves and levels on one plot.

    Parameters
    ----------
    curves : mapping of str to (x, y)
        Name and values of each curve.
    x_label, y_label : str
        With units.
    levels : mapping of str to float, optional
        Horizontal dashed lines to compare with.
    width_px, height_px : int
        Size of the picture.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    BadInput
        If a curve's x and y differ in length.

    Examples
    --------
    >>> curves_png({"net": ([0, 1], [1.0, 0.5])}, x_label="Time (s)", y_label="Error")[1:4]
    b'PNG'
    """
    figure, plot = _figure(width_px, height_px)
    colours = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#a67c00")
    for index, (name, (x, y)) in enumerate(curves.items()):
        if len(x) != len(y):
            raise BadInput(f"plot: {name} must have as many x as y values, got {len(x)} and {len(y)}")
        plot.plot(x, y, color=colours[index % len(colours)], marker="o", markersize=3, label=name)
    for name, level in (levels or {}).items():
        plot.axhline(level, color="#6b6860", linestyle="--", linewidth=1, label=name)
    plot.set_xlabel(x_label)
    plot.set_ylabel(y_label)
    plot.spines[["top", "right"]].set_visible(False)
    if curves or levels:
        plot.legend(frameon=False)
    return _figure_png(figure)


def _figure(width_px: int, height_px: int):  # type: ignore[no-untyped-def]
    # A Figure with its own canvas, not pyplot's: nothing to close, no display, safe in threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_px / 100, height_px / 100), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _figure_png(figure) -> bytes:  # type: ignore[no-untyped-def]
    memory = io.BytesIO()
    figure.savefig(memory, format="png")
    return memory.getvalue()
