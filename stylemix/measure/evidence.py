"""What is measured: stretches of recordings, their hybrids and crossfades, and the corpora's style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import StylemixError

if TYPE_CHECKING:
    from stylemix.model.run import Run

SEGMENT_S = 3.0
# Of a corpus; evenly spread over its files, so that hours of material take no longer than minutes.
MOST_SEGMENTS = 240
PARENTS = ("source", "target")


@dataclass(frozen=True)
class Stretch:
    """Some seconds of a file of the run.

    Parameters
    ----------
    index : int
        Its place among the run's files.
    path : Path
        The file.
    corpus : int
        Which corpus it belongs to.
    start_s, duration_s : float
        Which part (seconds).
    held_out : bool
        Whether the model never heard it.
    """

    index: int
    path: Path
    corpus: int
    start_s: float
    duration_s: float
    held_out: bool


@dataclass(frozen=True)
class Rendered:
    """Hybrids of one stretch at several alphas, and their parents.

    Parameters
    ----------
    stretch : Stretch
        The source.
    source, target : Wave
        The parents; the target is what was matched, in the source's time.
    hybrids : dict of float to Wave
        By alpha.
    """

    stretch: Stretch
    source: Wave
    target: Wave
    hybrids: dict[float, Wave]

    def crossfade(self, alpha: float) -> Wave:
        """Return the control: the parents mixed.

        Parameters
        ----------
        alpha : float
            How much of the target.

        Returns
        -------
        Wave
            ``(1 - alpha) source + alpha target``.
        """
        mixed = (1 - alpha) * self.source.samples + alpha * self.target.samples
        return Wave(mixed, self.source.sample_rate)


def choose_stretches(run: Run, corpus: int, *, n_wanted: int, seconds: float) -> list[Stretch]:
    """Choose what to measure on: the middles of held-out files, of training files where none is held out.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Which corpus.
    n_wanted : int
        Stretches; there are fewer when there are fewer files. A single long file gives them all.
    seconds : float
        Length of each at most.

    Returns
    -------
    list of Stretch
        The same for the same run.

    Raises
    ------
    StylemixError
        If none of the corpus' files is there any more.
    """
    mine = [i for i, file in enumerate(run.files) if file.corpus == corpus]
    held_out = [i for i in mine if run.files[i].split == "held-out"]
    there, problem = [], None
    for i in held_out or mine:
        try:
            there.append((i, run.file_path(i)))
        except StylemixError as error:
            problem = error
    if not there and problem is not None:
        raise problem
    there = there[:n_wanted]
    if len(there) == 1 and run.files[there[0][0]].seconds >= 2 * n_wanted * seconds:
        places = [(there[0], (k + 1) / (n_wanted + 1)) for k in range(n_wanted)]
    else:
        places = [(file, 0.5) for file in there]
    return [
        Stretch(i, path, corpus, max(0.0, place * run.files[i].seconds - seconds / 2),
                min(seconds, run.files[i].seconds), bool(held_out))
        for (i, path), place in places
    ]  # fmt: skip


def render_alphas(
    run: Run,
    stretch: Stretch,
    alphas: Sequence[float],
    *,
    other: int,
    phase: str = "auto",
    seed: int = 0,
    report: Callable[[float], None] = lambda done: None,
) -> Rendered:
    """Render a stretch at several alphas in the mode match; the target is matched once for all of them.

    Parameters
    ----------
    run : Run
        The trained model.
    stretch : Stretch
        The source.
    alphas : sequence of float
        How much of the target.
    other : int
        The corpus at alpha 1.
    phase : {"auto", "parents", "source", "estimate"}
        Of the hybrids.
    seed : int
        For the choice of the material that is searched.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    Rendered
        What `stylemix.hybrid` gives for each alpha, not limited to full scale.
    """
    from stylemix.hybrid.curve import parse_alpha
    from stylemix.hybrid.pieces import pieces
    from stylemix.hybrid.prepare import prepare
    from stylemix.hybrid.roles import assign_roles
    from stylemix.hybrid.source import SourceReader

    roles = assign_roles(run, source=stretch.path, target=None, mode="match", to=run.corpora[other])
    with SourceReader(
        stretch.path, model_rate=run.vqt.sample_rate, start_s=stretch.start_s, duration_s=stretch.duration_s
    ) as reader:
        prepared = prepare(run, roles, reader, mode="match", phase=phase, seed=seed, show_progress=False)
        hybrids: dict[float, Wave] = {}
        parents: list[np.ndarray] = []
        for n, alpha in enumerate(alphas):
            parts = list(pieces(prepared, reader, parse_alpha(alpha)))
            hybrids[alpha] = Wave(np.concatenate([p.hybrid for p in parts], axis=1), reader.sample_rate)
            if not parents:
                parents = [np.concatenate([getattr(p, name) for p in parts], axis=1) for name in PARENTS]
            report((n + 1) / len(alphas))
    source, target = (Wave(x, reader.sample_rate) for x in parents)
    return Rendered(stretch, source, target, hybrids)


def corpus_style(
    run: Run,
    corpus: int,
    *,
    report: Callable[[float], None] = lambda done: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Describe the style of a corpus from its training files.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Which corpus.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    features : np.ndarray, shape (S, F)
        Style features of segments of three seconds.
    files : np.ndarray, shape (S,), int
        The file of each segment.

    Raises
    ------
    StylemixError
        If none of the files is there any more.
    """
    from stylemix.audio import AudioReader
    from stylemix.style import segment_features

    mine = [i for i, f in enumerate(run.files) if f.corpus == corpus]
    trained = [i for i in mine if run.files[i].split == "train"] or mine
    paths, problem = [], None
    for i in trained:
        try:
            paths.append((i, run.file_path(i)))
        except StylemixError as error:
            problem = error
    if not paths and problem is not None:
        raise problem
    paths = [paths[k] for k in np.unique(np.linspace(0, len(paths) - 1, MOST_SEGMENTS).round().astype(int))]
    rows, files = [], []
    for done, (i, path) in enumerate(paths):
        with AudioReader(path) as reader:
            length = round(SEGMENT_S * reader.sample_rate)
            for start in _starts(reader.n_samples, length, most=max(1, MOST_SEGMENTS // len(paths))):
                segment = Wave(reader.read(start, start + length), reader.sample_rate)
                found = segment_features(segment, segment_s=SEGMENT_S)
                rows.append(found)
                files += [i] * len(found)
        report((done + 1) / len(paths))
    return np.concatenate(rows), np.array(files)


def style_of(wave: Wave) -> np.ndarray:
    """Describe a hybrid's style, by segments that overlap by half so that a short one has several.

    Parameters
    ----------
    wave : Wave
        Any length.

    Returns
    -------
    np.ndarray, shape (S, F)
        From `stylemix.style.segment_features`; no row for silence.
    """
    from stylemix.style import segment_features

    return segment_features(wave, segment_s=SEGMENT_S, hop_s=SEGMENT_S / 2)


def _starts(n_samples: int, length: int, *, most: int) -> list[int]:
    n = min(most, max(1, n_samples // length))
    return np.linspace(0, max(0, n_samples - length), n).round().astype(int).tolist()
