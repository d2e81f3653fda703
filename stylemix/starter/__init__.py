"""Two small corpora that stylemix composes and synthesises itself: a prepared piano, and surf songs.

They are what `stylemix demo` trains on, and a material whose every note is known to the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stylemix.errors import BadInput
from stylemix.files import atomic_path, readable_os_errors
from stylemix.progress import progress

if TYPE_CHECKING:
    import numpy as np

SAMPLE_RATE = 44100
# Written into each file; a change of the composition or the synthesis that is to be heard raises it.
VERSION = 1


def starter_pieces(*, seed: int = 0) -> dict[str, dict[str, tuple[int, Callable[[], np.ndarray]]]]:
    """List the pieces of both corpora.

    Parameters
    ----------
    seed : int
        Decides all that chance decides.

    Returns
    -------
    dict
        Corpus name -> title -> (number of samples, function that renders shape (2, T) at 44.1 kHz).

    Examples
    --------
    >>> [len(pieces) for pieces in starter_pieces().values()]
    [5, 5]
    """
    from stylemix.starter import chance, prepared_piano, songs, surf_harmony

    return {
        "prepared-piano": {
            p.title: (
                int(round(p.duration_s * SAMPLE_RATE)),
                partial(prepared_piano.render_piece, p, seed=seed),
            )
            for p in chance.PIECES
        },
        "surf-harmony": {
            s.title: (int(round(s.duration_s * SAMPLE_RATE)), partial(surf_harmony.render_song, s, seed=seed))
            for s in songs.SONGS
        },
    }


def make_starter(
    out_dir: str | Path, *, seed: int = 0, force: bool = False, show_progress: bool = True
) -> tuple[Path, Path]:
    """Write both starter corpora as 16-bit FLAC files, ten pieces; files that are whole are kept.

    Parameters
    ----------
    out_dir : str or Path
        Folder for ``prepared-piano/`` and ``surf-harmony/``; made where missing.
    seed : int
        Other seeds, other pieces under the same titles.
    force : bool
        Write every file again, and over files of the same name that are not of this seed.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    prepared_piano, surf_harmony : Path
        The two folders.

    Raises
    ------
    BadInput
        If the seed is negative, or a whole file of the same name holds something else and `force` is not
        given.
    StylemixError
        If a file cannot be written.
    """
    if seed < 0:
        raise BadInput(f"seed: must not be negative, got {seed}")
    corpora = starter_pieces(seed=seed)
    folders = tuple(Path(out_dir) / name for name in corpora)
    todo = [
        (folder / f"{title}.flac", *piece)
        for folder, pieces in zip(folders, corpora.values(), strict=True)
        for title, piece in pieces.items()
    ]
    with progress("starter corpora", len(todo), show=show_progress) as update:
        for done, (path, n_samples, render) in enumerate(todo):
            update(done, path.stem)
            if force or not _is_whole(path, n_samples, seed):
                with readable_os_errors(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, render(), seed)
        update(len(todo))
    return folders[0], folders[1]


def _label(seed: int) -> str:
    """Return the comment by which a file of this version and seed is known again."""
    return f"stylemix starter, version {VERSION}, seed {seed}"


def _is_whole(path: Path, n_samples: int, seed: int) -> bool:
    """Tell whether a file is finished; a broken one may be replaced, a whole strange one is refused."""
    import soundfile

    if not path.exists():
        return False
    try:
        with soundfile.SoundFile(path) as file:
            whole = file.frames > 0 and len(file.read(dtype="int16")) == file.frames
            frames, comment = file.frames, file.comment
    except (soundfile.SoundFileError, RuntimeError):
        return False
    if whole and (comment != _label(seed) or frames != n_samples):
        raise BadInput(
            f"{path}: exists already and is not the piece of seed {seed}; choose another folder or --force"
        )
    return whole


def _write(path: Path, samples: np.ndarray, seed: int) -> None:
    """Write a piece, whole or not at all."""
    import soundfile

    with atomic_path(path) as temporary:
        kind = {"samplerate": SAMPLE_RATE, "channels": 2, "format": "FLAC", "subtype": "PCM_16"}
        with soundfile.SoundFile(temporary, "w", **kind) as file:
            file.title, file.comment = path.stem, _label(seed)
            file.write(samples.T)
