"""Where a hybrid goes: the file, its stems, and the names of a folder of hybrids."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from stylemix.audio import WaveWriter, shown_name
from stylemix.errors import BadInput
from stylemix.files import check_output
from stylemix.hybrid.curve import Curve

STEMS = ("source", "target", "hybrid", "crossfade")


def check_outputs(
    out: str | Path, stems: str | Path | None, *, force: bool, inputs: Iterable[str | Path]
) -> None:
    """Refuse outputs that exist or are inputs before any work is done.

    Parameters
    ----------
    out : str or Path
        The hybrid.
    stems : str or Path, optional
        Folder for the stems.
    force : bool
        Allow existing files to be replaced.
    inputs : iterable of paths
        Files that are read.

    Raises
    ------
    BadInput
        If one may not be written, or the hybrid is one of its own stems.
    """
    inputs = list(inputs)
    names = [Path(out), *(stem_path(stems, s) for s in STEMS if stems is not None)]
    if len({name.absolute() for name in names}) < len(names):
        raise BadInput(
            f"{shown_name(out)}: is also the name of a stem; choose another name for --out or --stems"
        )
    for name in names:
        check_output(name, force=force, inputs=inputs)


def check_format(bits: str | None, out_rate: int | None) -> None:
    """Refuse what no file can be, whatever its ending.

    Parameters
    ----------
    bits : str or None
        Sample format, as the user gave it.
    out_rate : int or None
        Sample rate, as the user gave it (Hz).

    Raises
    ------
    BadInput
        If there is no such format, or the rate is out of range.
    """
    if bits not in (None, "16", "24", "32f"):
        raise BadInput(f"bits: must be 16, 24 or 32f, got {bits!r}")
    if out_rate is not None and not 1000 <= out_rate <= 768000:
        raise BadInput(f"sample rate must be 1000 to 768000 Hz, got {out_rate}")


@contextlib.contextmanager
def no_empty_folders(*outputs: str | Path | None) -> Iterator[None]:
    """Take away the folders that work has made for its outputs, where it ends without any in them.

    Parameters
    ----------
    *outputs : str, Path or None
        Files or folders that are going to be written.

    Yields
    ------
    None
        While the work goes on.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with contextlib.suppress(KeyboardInterrupt), no_empty_folders(folder / "a" / "b" / "h.wav"):
    ...     (folder / "a" / "b").mkdir(parents=True)
    ...     raise KeyboardInterrupt
    >>> (folder / "a").exists()
    False
    """
    paths = [Path(path).absolute() for path in outputs if path is not None]
    new = {folder for path in paths for folder in (path, *path.parents) if not folder.exists()}
    try:
        yield
    except BaseException:
        # From the inside out. What holds something stays, and so does what is no folder.
        for folder in sorted(new, key=lambda path: len(path.parts), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def stem_path(folder: str | Path | None, stem: str) -> Path:
    """Return the file of a stem.

    Parameters
    ----------
    folder : str or Path
        Folder for the stems.
    stem : {"source", "target", "hybrid", "crossfade"}
        Which.

    Returns
    -------
    Path
        ``folder/stem.wav``.
    """
    return Path(folder or ".") / f"{stem}.wav"


class Outputs:
    """The writers of one hybrid; use it in a ``with`` block: on an exception no file is left behind.

    Parameters
    ----------
    out : str or Path
        The hybrid.
    stems : str or Path or None
        Folder for the stems.
    n_channels, sample_rate : int
        Of what is going to be written (Hz).
    out_rate : int or None
        Rate of the files (Hz), if another one.
    bits : str or None
        Sample format.
    force : bool
        Allow existing files to be replaced.
    inputs : iterable of paths
        Files that must not be written over.

    Raises
    ------
    BadInput
        If a format or rate cannot be written.
    """

    def __init__(
        self,
        out: str | Path,
        stems: str | Path | None,
        *,
        n_channels: int,
        sample_rate: int,
        out_rate: int | None,
        bits: str | None,
        force: bool,
        inputs: Iterable[str | Path],
    ) -> None:
        check_format(bits, out_rate)
        self._rate, self._position = sample_rate, 0
        self._exit = contextlib.ExitStack()
        self._sinks: dict[str, _Sink] = {}
        names = {"out": Path(out)} | ({s: stem_path(stems, s) for s in STEMS} if stems is not None else {})
        inputs = list(inputs)
        with contextlib.ExitStack() as opening:
            for key, path in names.items():
                # A lossy or short-worded hybrid may have stems all the same.
                kind = bits if key == "out" or bits is None else "32f"
                writer = WaveWriter(
                    path,
                    sample_rate=out_rate or sample_rate,
                    n_channels=n_channels,
                    bits=kind,
                    force=force,
                    inputs=inputs,
                )
                self._sinks[key] = _Sink(opening.enter_context(writer), sample_rate)
            self._exit = opening.pop_all()

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for sink in self._sinks.values():
                sink.flush()
        self._exit.__exit__(kind, error, trace)

    @property
    def has_stems(self) -> bool:
        """Whether stems are written too."""
        return "crossfade" in self._sinks

    def write(self, hybrid: np.ndarray, source: np.ndarray, target: np.ndarray, curve: Curve) -> None:
        """Write the next stretch.

        Parameters
        ----------
        hybrid, source, target : np.ndarray, shape (C, T)
            Consecutive sound.
        curve : Curve
            Alpha over time, for the crossfade.
        """
        self._sinks["out"].write(hybrid)
        if self.has_stems:
            # Beyond its parents a crossfade has no meaning: a negative gain would only turn one of them over.
            alpha = np.clip(curve.at((self._position + np.arange(hybrid.shape[1])) / self._rate), 0.0, 1.0)
            faded = (1 - alpha) * source + alpha * target
            for key, samples in zip(STEMS, (source, target, hybrid, faded), strict=True):
                self._sinks[key].write(samples)
        self._position += hybrid.shape[1]

    def result(self) -> dict[str, Any]:
        """Report the files, after closing.

        Returns
        -------
        dict
            out, sample_rate, peak (before scaling) and gain (what a peak above full scale made necessary),
            stems.
        """
        writer = self._sinks["out"].writer
        stems = {key: str(sink.writer.path) for key, sink in self._sinks.items() if key != "out"}
        return {
            "out": str(writer.path),
            "sample_rate": writer.file_rate,
            "peak": writer.peak,
            "gain": writer.gain,
            "stems": stems,
        }


class _Sink:
    """A writer behind a resampler, where one is needed."""

    def __init__(self, writer: WaveWriter, sample_rate: int) -> None:
        import soxr

        self.writer = writer
        self._resampler = None
        if writer.sample_rate != sample_rate:
            self._resampler = soxr.ResampleStream(
                sample_rate, writer.sample_rate, writer.n_channels, dtype="float32"
            )

    def write(self, samples: np.ndarray, *, last: bool = False) -> None:
        if self._resampler is not None:
            chunk = np.ascontiguousarray(samples.T, dtype=np.float32)
            samples = self._resampler.resample_chunk(chunk, last=last).T
        self.writer.write(samples)

    def flush(self) -> None:
        if self._resampler is not None:
            self.write(np.zeros((self.writer.n_channels, 0), dtype=np.float32), last=True)
