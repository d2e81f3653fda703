"""Segments of clusters as sound files: a folder for each cluster, for a sampler or another day of listening."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from stylemix.audio import AudioReader, Tags, WaveWriter, probe, read_tags, shown_name
from stylemix.clusters.groups import RunClusters
from stylemix.clusters.pieces import Piece, pieces_of
from stylemix.clusters.tables import csv_text
from stylemix.errors import BadInput, StylemixError
from stylemix.files import write_text
from stylemix.model.run import Run, inputs_of

SPLITS = ("segments", "joined")
INDEX = "index.csv"
# What a source is exact in: every value of 8 bits and of telephone codes lies on the grid of 16, too. What was coded
# with loss has no bits of its own: 24, as everywhere.
_EXACT = {"PCM_16": "16", "PCM_S8": "16", "PCM_U8": "16", "ULAW": "16", "ALAW": "16"}
_EXACT |= {"FLOAT": "32f", "DOUBLE": "32f", "PCM_32": "32f"}
_BYTES = {"16": 2, "24": 3, "32f": 4}
_BLOCK_S = 20.0
_HEADER = (
    "file", "cluster", "name", "first segment", "last segment", "corpus", "source", "start (s)", "duration (s)",
    "sample rate (Hz)", "channels", "bits", "gain (dB)", "title", "artist", "album",
)  # fmt: skip


@dataclass(frozen=True)
class _Recording:
    rate: int
    n_channels: int
    bits: str
    tags: Tags


def export_clusters(
    run: Run,
    found: RunClusters,
    out: str | Path,
    *,
    split: str = "segments",
    force: bool = False,
    update: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Write the segments of every cluster into a folder of its own, with a table of where they come from.

    The samples are those of the recordings, at their own rate, with their own channels, cut without fades: segments
    that follow one another join without a seam. Files are WAV with the bits of the source, 24 where it was coded with
    loss. A piece that is louder than full scale is made softer as a whole, which the table tells.

    Parameters
    ----------
    run : Run
        The run.
    found : RunClusters
        Its clusters, from `stylemix.clusters.groups.clusters_of`.
    out : str or Path
        The folder, made when needed; not in the run, and not among the recordings of a corpus.
    split : {"segments", "joined"}
        A file for each segment, or for all segments of a cluster that follow one another in a recording.
    force : bool
        Allow existing files to be replaced; recordings never are.
    update : callable
        ``update(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    dict
        out, index (the table), folders, files, segments, seconds, bytes, left_out (segments of recordings that are
        gone), in_no_cluster (segments) and others (files in those folders that are not of this export).

    Raises
    ------
    BadInput
        If the folder is no good, files exist without `force`, `split` is unknown, or no recording is left.
    StylemixError
        If the disk is too small or cannot be written.
    """
    check_export(run, out, split)
    folder = Path(out)
    pieces = list(pieces_of(found, joined=split == "joined"))
    if not pieces:
        raise BadInput("clusters: there is no recording to export from; put the run's recordings back where they were")
    recordings = {file: _look_at(next(mine).path) for file, mine in groupby(pieces, key=lambda piece: piece.file)}
    # All files are looked for before the first is written: half an export over another would be neither.
    outputs = [folder / piece.out for piece in pieces]
    _check_files([*outputs, folder / INDEX], force=force)
    _check_disk(folder, sum(_n_bytes(piece, recordings[piece.file]) for piece in pieces))
    gains = list(_write(run, folder, pieces, recordings, force=force, update=update))
    write_text(folder / INDEX, csv_text(_HEADER, _rows(run, found, pieces, recordings, gains)))
    labels, used = found.grouping.clusters.labels, sorted({path.parent for path in outputs})
    n_segments = sum(piece.n_segments for piece in pieces)
    return {
        "out": str(folder),
        "index": str(folder / INDEX),
        "folders": [path.name for path in used],
        "files": len(pieces),
        "segments": n_segments,
        "seconds": round(sum(piece.end_s - piece.start_s for piece in pieces), 2),
        "bytes": sum(path.stat().st_size for path in outputs),
        "left_out": int((labels >= 0).sum()) - n_segments,
        "in_no_cluster": int((labels < 0).sum()),
        "others": len({path for parent in used for path in parent.iterdir()} - set(outputs)),
    }


def check_export(run: Run, out: str | Path, split: str = "segments") -> None:
    """Refuse an export before minutes are spent on clusters.

    Parameters
    ----------
    run : Run
        The run.
    out : str or Path
        The folder.
    split : str
        As the user gave it.

    Raises
    ------
    BadInput
        If the folder is a file, or lies in the run or in a corpus, or `split` is unknown.
    """
    folder = Path(out)
    if split not in SPLITS:
        raise BadInput(f"clusters: --split must be one of {', '.join(SPLITS)}, got {split!r}")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{shown_name(folder)}: is a file; give a folder to --export")
    # Links are followed: what counts is where the files would lie.
    here = folder.resolve()
    if here.is_relative_to(Path(run.path).resolve()):
        raise BadInput(f"{shown_name(folder)}: lies in the run; choose a folder outside of it")
    for corpus in run.folders:
        # The next training would take the segments for more recordings.
        if here.is_relative_to(Path(corpus).resolve()):
            name = shown_name(corpus)
            raise BadInput(f"{shown_name(folder)}: lies among the recordings of {name}; choose a folder outside of it")


def _look_at(path: Path) -> _Recording:
    info = probe(path)
    return _Recording(info.sample_rate, info.n_channels, _EXACT.get(info.subtype, "24"), read_tags(path))


def _check_files(files: Sequence[Path], *, force: bool) -> None:
    existing = [path for path in files if path.exists()]
    if existing and not force:
        more = f" ({len(existing)} such files)" if len(existing) > 1 else ""
        raise BadInput(
            f"{shown_name(existing[0])}: exists already{more}; choose another folder or add --force to replace it"
        )


def _check_disk(folder: Path, n_bytes: int) -> None:
    # The folder need not exist yet; what does exist above it is on the same disk.
    parent = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(parent).free
    if n_bytes > free:
        raise StylemixError(
            f"{shown_name(folder)}: the export takes {n_bytes / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free; free "
            "some space or choose another disk"
        )


def _n_bytes(piece: Piece, recording: _Recording) -> int:
    samples = math.ceil((piece.end_s - piece.start_s) * recording.rate)
    # With a header, and a block of the file system that is not full.
    return samples * recording.n_channels * _BYTES[recording.bits] + 4096


def _write(
    run: Run, folder: Path, pieces: Sequence[Piece], recordings: Mapping[int, _Recording], *, force: bool,
    update: Callable[[float], None],
) -> Iterator[float]:  # fmt: skip
    """Write all pieces, recording after recording; yield what each was multiplied by."""
    inputs, n_done = inputs_of(run), 0
    for file, mine in groupby(pieces, key=lambda piece: piece.file):
        of_file, known = list(mine), recordings[file]
        with AudioReader(of_file[0].path) as reader:
            for piece in of_file:
                with WaveWriter(
                    folder / piece.out, sample_rate=known.rate, n_channels=known.n_channels, bits=known.bits,
                    force=force, inputs=inputs,
                ) as writer:  # fmt: skip
                    for start, stop in _blocks(piece, known.rate, reader.n_samples):
                        writer.write(reader.read(start, stop))
                yield writer.gain
                n_done += 1
                update(n_done / len(pieces))


def _blocks(piece: Piece, rate: int, n_samples: int) -> Iterator[tuple[int, int]]:
    """Stretches of about 20 s: a joined piece may be a whole recording."""
    # The last step of a recording may reach beyond its end, and a very short recording has one sample at least.
    start = min(round(piece.start_s * rate), n_samples - 1)
    stop = max(start + 1, min(round(piece.end_s * rate), n_samples))
    block = round(_BLOCK_S * rate)
    yield from ((at, min(at + block, stop)) for at in range(start, stop, block))


def _rows(
    run: Run, found: RunClusters, pieces: Sequence[Piece], recordings: Mapping[int, _Recording], gains: Sequence[float]
) -> Iterator[list[object]]:
    for piece, gain in zip(pieces, gains, strict=True):
        known = recordings[piece.file]
        tags = known.tags
        yield [
            piece.out.as_posix(), piece.cluster, found.grouping.clusters.names[piece.cluster - 1], piece.first + 1,
            piece.last + 1, shown_name(run.corpora[run.files[piece.file].corpus]), shown_name(piece.path),
            round(piece.start_s, 3), round(piece.end_s - piece.start_s, 3), known.rate, known.n_channels, known.bits,
            round(20 * math.log10(gain), 2), tags.title, tags.artist, tags.album,
        ]  # fmt: skip
