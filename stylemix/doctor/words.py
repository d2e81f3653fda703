"""What the doctor says of one corpus or of two, in words and as JSON values."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from stylemix.audio import shown_name
from stylemix.corpus import AudioFile, Corpus
from stylemix.doctor.compare import Difference

ENOUGH_S = 600.0
THIN_S = 120.0
# Less than this in a corpus cannot be trained on.
LEAST_S = 20.0
# From here on a difference is heard before the style is.
LOUD_DB = 6.0
COLOURED_DB = 10.0
MOST_NAMED = 10


def verdict(corpus: Corpus) -> str:
    """Say whether a corpus is enough.

    Parameters
    ----------
    corpus : Corpus
        As scanned.

    Returns
    -------
    str
        From 10 usable minutes ``"enough"``; from 2 ``"thin: ..."``, below ``"too little: ..."``, and below
        the 20 s that training needs ``"unusable: ..."``.
    """
    usable_s, amount = corpus.usable_s, f"{duration_words(corpus.usable_s)} of {corpus.name}"
    if usable_s >= ENOUGH_S:
        return "enough"
    if usable_s >= THIN_S:
        return f"thin: {amount}; 10 min is comfortable"
    if usable_s >= LEAST_S:
        return f"too little: {amount}; 2 min is the least that shows a style, 10 min is comfortable"
    return f"unusable: {amount}; training needs at least {LEAST_S:.0f} s"


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


def duration_words(seconds: float) -> str:
    """Write a duration for people.

    Parameters
    ----------
    seconds : float
        Not negative.

    Returns
    -------
    str
        In the unit that fits.

    Examples
    --------
    >>> duration_words(0.4), duration_words(42), duration_words(200), duration_words(9000)
    ('0.4 s', '42 s', '3.3 min', '2.5 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    amount, unit = (seconds / 60, "min") if seconds < 3600 else (seconds / 3600, "h")
    return f"{amount:.1f} {unit}".replace(".0 ", " ")


def count_of(number: int, noun: str) -> str:
    """Write a number of things.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        In the singular.

    Returns
    -------
    str
        Such as ``"1 file"`` and ``"2 files"``.
    """
    return f"{number} {noun}" + "s" * (number != 1)


def corpus_lines(corpus: Corpus) -> list[str]:
    """Describe a corpus in lines.

    Parameters
    ----------
    corpus : Corpus
        As scanned.

    Returns
    -------
    list of str
        What is in it, what is flagged, what is skipped and why.
    """
    seconds = sum(file.seconds for file in corpus.files)
    kinds = Counter(_kind(file) for file in corpus.files)
    usable = f"{duration_words(corpus.usable_s)} sounding of {duration_words(seconds)}"
    lines = [f"{corpus.name}: {count_of(len(corpus.files), 'usable file')}, {usable}"]
    lines += [f"  {count} x {kind}" for kind, count in kinds.most_common(MOST_NAMED)]
    for flag in ("clipped", "truncated"):
        lines += _named(flag, [_flagged(file, flag) for file in corpus.files if flag in file.flags])
    if corpus.skipped:
        lines.append(f"  skipped {count_of(len(corpus.skipped), 'file')}: {count_reasons(corpus)}")
        lines += [f"    {skipped.reason}: {skipped.detail}" for skipped in corpus.skipped[:MOST_NAMED]]
        if len(corpus.skipped) > MOST_NAMED:
            lines.append(f"    and {len(corpus.skipped) - MOST_NAMED} more (--json names them all)")
    if corpus.n_other:
        lines.append(f"  passed over {count_of(corpus.n_other, 'file')} that look like no sound")
    return lines


def difference_line(apart: Difference) -> str:
    """Say how far two corpora are apart in level and spectrum.

    Parameters
    ----------
    apart : Difference
        From `compare.difference`.

    Returns
    -------
    str
        One line.
    """
    level = f"{abs(apart.level_db):.1f} dB {'louder' if apart.level_db > 0 else 'quieter'}"
    matched = [word for word, large in (("level", abs(apart.level_db) > LOUD_DB),
                                        ("spectrum", apart.spectrum_db > COLOURED_DB)) if large]
    note = f" (large: keep features.match_{' and features.match_'.join(matched)} on)" if matched else ""
    where = f"{apart.worst_hz:.2g} Hz" if apart.worst_hz < 100 else f"{apart.worst_hz / 1000:.2g} kHz"
    worst = f"{apart.worst_db:+.1f} dB at {where}"
    return (f"{apart.second} against {apart.first}: {level}; third-octave spectra "
            f"{apart.spectrum_db:.1f} dB apart, most {worst}{note}")


def difference_to_dict(apart: Difference) -> dict[str, Any]:
    """Write a difference as JSON values.

    Parameters
    ----------
    apart : Difference
        From `compare.difference`.

    Returns
    -------
    dict
        Names, dB and Hz.
    """
    measured = ("level_db", "spectrum_db", "worst_hz", "worst_db")
    return {"first": apart.first, "second": apart.second,
            **{name: json_number(getattr(apart, name)) for name in measured}}


def corpus_to_dict(corpus: Corpus) -> dict[str, Any]:
    """Write a corpus as JSON values.

    Parameters
    ----------
    corpus : Corpus
        As scanned.

    Returns
    -------
    dict
        With every file, used or skipped.
    """
    return {
        "name": corpus.name, "folder": path_text(corpus.folder), "n_files": len(corpus.files),
        "seconds": json_number(sum(file.seconds for file in corpus.files)),
        "usable_s": json_number(corpus.usable_s),
        "files": [_file_to_dict(file) for file in corpus.files],
        "skipped": [{"path": path_text(skipped.path), "reason": skipped.reason, "detail": skipped.detail}
                    for skipped in corpus.skipped],
        "n_other": corpus.n_other, "verdict": verdict(corpus),
    }


def path_text(path: object) -> str:
    """Keep a path as it is where it is valid text, so that a script can open it; escape it where it is not.

    Parameters
    ----------
    path : object
        A path.

    Returns
    -------
    str
        Text that UTF-8 can hold.
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return shown_name(text)
    return text


def json_number(value: float | None) -> float | None:
    """Round for JSON, which knows no NaN and no Inf.

    Parameters
    ----------
    value : float or None
        Any number.

    Returns
    -------
    float or None
        None for what is not finite.
    """
    return round(float(value), 6) if value is not None and math.isfinite(value) else None


def _named(label: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [f"  {label}: {', '.join(names[:MOST_NAMED])}{more}"]


def _flagged(file: AudioFile, flag: str) -> str:
    if flag == "clipped":
        percent = float(f"{100 * file.clipped_share:.2g}")
        return f"{file.path.name} ({percent:g} % of its samples)"
    return f"{file.path.name} (breaks off after {duration_words(file.seconds)}, which are used)"


def _kind(file: AudioFile) -> str:
    channels = {1: "mono", 2: "stereo"}.get(file.n_channels, f"{file.n_channels} channels")
    return f"{file.format}, {file.sample_rate / 1000:g} kHz, {channels}"


def _file_to_dict(file: AudioFile) -> dict[str, Any]:
    measured = ("seconds", "usable_s", "peak", "rms_db", "clipped_share")
    return {
        "path": path_text(file.path), "sha256": file.sha256, "format": file.format,
        "sample_rate": file.sample_rate, "n_channels": file.n_channels, "flags": list(file.flags),
        **{name: json_number(getattr(file, name)) for name in measured},
    }
