"""Inspecting folders: in seconds, by looking into a few stretches of each file."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from stylemix.audio import read_wave
from stylemix.corpus import AudioFile, Corpus, check_folders, corpus_names, scan
from stylemix.doctor.compare import FEWEST_FILES, difference, sample_corpus, separability
from stylemix.doctor.report import Report
from stylemix.doctor.words import LEAST_S, count_of, count_reasons
from stylemix.errors import BadInput, StylemixError

# Computing the features takes about this many times as long as the spectra that `_speed` times: 2.6 to 6 on
# nine files of five formats.
FEATURES_PER_SPECTRUM = 3.5


def inspect_folders(folders: Sequence[str | Path], *, names: Sequence[str] | None = None,
                    on_file: Callable[[], None] | None = None) -> Report:
    """Look into the folders of one or more corpora, in seconds.

    Files longer than a minute are examined in eight windows of 5 s, and only segments of 3 s are compared.

    Parameters
    ----------
    folders : sequence of paths
        One for each style.
    names : sequence of str, optional
        What to call the corpora; by default after their folders.
    on_file : callable, optional
        Called after each file, for a progress bar.

    Returns
    -------
    Report
        Of everything found; an empty folder is no error here.

    Raises
    ------
    BadInput
        If a folder is missing, is a file, comes twice, or lies inside another.
    """
    began = time.perf_counter()
    paths = check_folders(folders)
    corpora = tuple(scan(path, name=name, on_file=on_file)
                    for path, name in zip(paths, names or corpus_names(paths), strict=True))
    samples = [sample_corpus(corpus) for corpus in corpora]
    found = [difference(corpora[i], corpora[j], (samples[i], samples[j]))
             for i, j in itertools.combinations(range(len(corpora)), 2)]
    few = any(len(corpus.files) < FEWEST_FILES for corpus in corpora)
    speed = _speed(next((file for corpus in corpora for file in corpus.files), None))
    differences = tuple(apart for apart in found if apart is not None)
    return Report(corpora, _shared_files(corpora), differences, separability(samples), few, speed,
                  time.perf_counter() - began)


def check_usable(report: Report) -> None:
    """Refuse corpora that cannot be trained on, with the reasons.

    Parameters
    ----------
    report : Report
        From `inspect_folders`.

    Raises
    ------
    StylemixError
        In one line, if a corpus has less than 20 s that sounds.
    """
    failures = [_failure(corpus) for corpus in report.corpora if corpus.usable_s < LEAST_S]
    if failures:
        raise StylemixError("; ".join(failures) + f"; each folder needs at least {LEAST_S:.0f} s of sound")


def _failure(corpus: Corpus) -> str:
    if not corpus.files and not corpus.skipped:
        other = f" among {count_of(corpus.n_other, 'file')}" if corpus.n_other else ": the folder is empty"
        return f"{corpus.name}: no sound files{other}"
    reasons = f" ({count_reasons(corpus)}; first: {corpus.skipped[0].detail})" if corpus.skipped else ""
    usable = f"only {corpus.usable_s:.1f} s usable" if corpus.files else "nothing usable"
    n_files = len(corpus.files) + len(corpus.skipped)
    return f"{corpus.name}: {usable} in {count_of(n_files, 'sound file')}{reasons}"


def _shared_files(corpora: Sequence[Corpus]) -> tuple[tuple[Path, Path], ...]:
    seen: dict[str, Path] = {}
    shared = []
    for corpus in corpora:
        for file in corpus.files:
            if file.sha256 in seen:
                shared.append((seen[file.sha256], file.path))
        seen.update({file.sha256: file.path for file in corpus.files})
    return tuple(shared)


def _speed(file: AudioFile | None) -> float | None:
    """Time decoding, resampling and spectra at the model's rate and hop on five seconds of a file."""
    if file is None:
        return None
    took_s = []
    # The first time pays for loading libraries.
    for _ in range(2):
        began = time.perf_counter()
        try:
            wave = read_wave(file.path, duration_s=min(5.0, file.seconds), sample_rate=22050)
        except BadInput:
            return None
        padded = np.pad(wave.samples, ((0, 0), (0, 4096)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, 4096, axis=1)[:, ::256]
        np.abs(np.fft.rfft(frames * np.hanning(4096).astype(np.float32)))
        took_s.append(time.perf_counter() - began)
    return wave.duration_s / (FEATURES_PER_SPECTRUM * min(took_s))
