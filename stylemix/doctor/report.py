"""Inspecting folders: the report, the rule for refusing them, and how long training will take."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.corpus import AudioFile, Corpus, check_folders, corpus_names, scan
from stylemix.doctor.compare import FEWEST_FILES, Difference, difference, sample_corpus, separability
from stylemix.errors import BadInput, StylemixError

# Less than this in a corpus cannot be trained on.
LEAST_S = 20.0
# Computing the features takes about this many times as long as the spectra that `_speed` times: 2.6 to 6 on
# nine files of five formats.
FEATURES_PER_SPECTRUM = 3.5


@dataclass(frozen=True)
class Report:
    """What the doctor found.

    Parameters
    ----------
    corpora : tuple of Corpus
        In the order of the folders.
    shared : tuple of pairs of Path
        Files with the same bytes in two corpora.
    differences : tuple of Difference
        For each two corpora that have something to compare.
    separability : float or None
        Balanced accuracy of a linear probe on recordings it has not heard.
    by_stretches : bool
        Whether stretches of one recording stood in for recordings: the separability is optimistic then.
    speed : float or None
        Seconds of sound for which features are computed in a second, on this machine and with these files.
    took_s : float
        How long the inspection took.
    """

    corpora: tuple[Corpus, ...]
    shared: tuple[tuple[Path, Path], ...]
    differences: tuple[Difference, ...]
    separability: float | None
    by_stretches: bool
    speed: float | None
    took_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values.

        Returns
        -------
        dict
            Without NaN; what is not known is None.
        """
        from stylemix.doctor.words import report_to_dict

        return report_to_dict(self)

    def lines(self) -> list[str]:
        """Return the report as lines for people.

        Returns
        -------
        list of str
            File names are on one line each, whatever they hold.
        """
        from stylemix.doctor.words import report_to_lines

        return report_to_lines(self)


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


def expected_training(report: Report, minutes: float | None = None) -> dict[str, float | None]:
    """Estimate how long training takes on this machine.

    Parameters
    ----------
    report : Report
        From `inspect_folders`, which timed this machine on these files.
    minutes : float, optional
        The limit for the training itself; by default that of the base recipe. 0 is no limit.

    Returns
    -------
    dict
        Seconds: ``extraction_s`` for the features (at most: none for files that are in the cache already),
        ``training_s`` and ``total_s``. None where it is not known or not limited.
    """
    from stylemix.recipe import load_recipe

    if minutes is None:
        minutes = load_recipe("base").training.minutes
    seconds = sum(file.seconds for corpus in report.corpora for file in corpus.files)
    extraction_s = seconds / report.speed if report.speed else None
    training_s = 60 * minutes if minutes > 0 else None
    total_s = extraction_s + training_s if extraction_s is not None and training_s is not None else None
    return {"extraction_s": extraction_s, "training_s": training_s, "total_s": total_s}


def count_reasons(corpus: Corpus) -> str:
    """Count the skipped files by reason.

    Parameters
    ----------
    corpus : Corpus
        As scanned.

    Returns
    -------
    str
        Such as ``"2 silent, 1 needs ffmpeg"``, the most frequent first.
    """
    counted = Counter(skipped.reason for skipped in corpus.skipped)
    return ", ".join(f"{count} {reason}" for reason, count in counted.most_common())


def _failure(corpus: Corpus) -> str:
    from stylemix.doctor.words import count_of

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
    from stylemix.audio import read_wave

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
