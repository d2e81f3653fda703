"""The report in words and as JSON values."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from stylemix.audio import shown_name
from stylemix.corpus import AudioFile, Corpus
from stylemix.doctor.report import LEAST_S, count_reasons, expected_training

if TYPE_CHECKING:
    from stylemix.doctor.compare import Difference
    from stylemix.doctor.report import Report

ENOUGH_S = 600.0
THIN_S = 120.0
# From here on a difference is heard before the style is.
LOUD_DB = 6.0
COLOURED_DB = 10.0
UNEVEN = 4.0
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


def overall_verdict(report: Report) -> str:
    """Say in a line whether the corpora are enough together.

    Parameters
    ----------
    report : Report
        From `inspect_folders`.

    Returns
    -------
    str
        ``"enough"``, or what is short.
    """
    short = [verdict(corpus) for corpus in report.corpora if verdict(corpus) != "enough"]
    usable = [corpus.usable_s for corpus in report.corpora]
    if min(usable) >= LEAST_S and max(usable) > UNEVEN * min(usable):
        most, least = (report.corpora[usable.index(pick)].name for pick in (max(usable), min(usable)))
        short.append(f"uneven: {max(usable) / min(usable):.0f} times as much of {most} as of {least}")
    return "; ".join(short) if short else "enough"


def report_to_lines(report: Report) -> list[str]:
    """Write the report for people.

    Parameters
    ----------
    report : Report
        From `inspect_folders`.

    Returns
    -------
    list of str
        Plain lines.
    """
    lines = [line for corpus in report.corpora for line in _corpus_lines(corpus)]
    lines += [f"in both corpora: {shown_name(one)} and {shown_name(other)}: the same bytes; remove one"
              for one, other in report.shared[:MOST_NAMED]]
    lines += [_difference_line(apart) for apart in report.differences]
    if len(report.corpora) > 1:
        lines.append(_separability_line(report))
    lines.append(f"verdict: {overall_verdict(report)}")
    expected = expected_training(report)
    if min(corpus.usable_s for corpus in report.corpora) >= LEAST_S and expected["total_s"] is not None:
        total, features, learning = (duration_words(expected[f"{part}_s"] or 0.0)
                                     for part in ("total", "extraction", "training"))
        lines.append(f"training: about {total} on this machine: at most {features} for the features, then "
                     f"{learning} of learning (--minutes)")
    lines.append(f"inspected in {report.took_s:.1f} s; of files longer than a minute, eight windows of 5 s")
    return [shown_name(line) for line in lines]


def report_to_dict(report: Report) -> dict[str, Any]:
    """Write the report as JSON values.

    Parameters
    ----------
    report : Report
        From `inspect_folders`.

    Returns
    -------
    dict
        Without NaN.
    """
    return {
        "corpora": [_corpus_to_dict(corpus) for corpus in report.corpora],
        "shared": [[_text(path) for path in pair] for pair in report.shared],
        "differences": [{"first": apart.first, "second": apart.second, "level_db": _number(apart.level_db),
                         "spectrum_db": _number(apart.spectrum_db), "worst_hz": _number(apart.worst_hz),
                         "worst_db": _number(apart.worst_db)} for apart in report.differences],
        "separability": _number(report.separability),
        "separability_by_stretches": report.by_stretches,
        "verdict": overall_verdict(report),
        "expected": {key: _number(value) for key, value in expected_training(report).items()},
        "took_s": _number(report.took_s),
    }


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


def _corpus_lines(corpus: Corpus) -> list[str]:
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


def _named(label: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [f"  {label}: {', '.join(names[:MOST_NAMED])}{more}"]


def _flagged(file: AudioFile, flag: str) -> str:
    if flag == "clipped":
        return f"{file.path.name} ({100 * file.clipped_share:.2g} % of its samples)"
    return f"{file.path.name} (breaks off after {duration_words(file.seconds)}, which are used)"


def _kind(file: AudioFile) -> str:
    channels = {1: "mono", 2: "stereo"}.get(file.n_channels, f"{file.n_channels} channels")
    return f"{file.format}, {file.sample_rate / 1000:g} kHz, {channels}"


def _difference_line(apart: Difference) -> str:
    level = f"{abs(apart.level_db):.1f} dB {'louder' if apart.level_db > 0 else 'quieter'}"
    matched = [word for word, large in (("level", abs(apart.level_db) > LOUD_DB),
                                        ("spectrum", apart.spectrum_db > COLOURED_DB)) if large]
    note = f" (large: keep features.match_{' and features.match_'.join(matched)} on)" if matched else ""
    where = f"{apart.worst_hz:.2g} Hz" if apart.worst_hz < 100 else f"{apart.worst_hz / 1000:.2g} kHz"
    worst = f"{apart.worst_db:+.1f} dB at {where}"
    return (f"{apart.second} against {apart.first}: {level}; third-octave spectra "
            f"{apart.spectrum_db:.1f} dB apart, most {worst}{note}")


def _separability_line(report: Report) -> str:
    if report.separability is None:
        return "separability: not measured; it takes a few segments that sound in each corpus"
    chance = 1 / len(report.corpora)
    above = (report.separability - chance) / (1 - chance)
    words = "clearly different" if above > 0.8 else "different" if above > 0.4 else \
        "hard to tell apart: a hybrid of them will be hard to hear"
    against = "stretches of the same files, so optimistic" if report.by_stretches else "unheard recordings"
    return f"separability: {100 * report.separability:.0f} % of segments told apart ({against}; {words})"


def _corpus_to_dict(corpus: Corpus) -> dict[str, Any]:
    return {
        "name": corpus.name, "folder": _text(corpus.folder), "n_files": len(corpus.files),
        "seconds": _number(sum(file.seconds for file in corpus.files)), "usable_s": _number(corpus.usable_s),
        "files": [_file_to_dict(file) for file in corpus.files],
        "skipped": [{"path": _text(skipped.path), "reason": skipped.reason, "detail": skipped.detail}
                    for skipped in corpus.skipped],
        "n_other": corpus.n_other, "verdict": verdict(corpus),
    }


def _file_to_dict(file: AudioFile) -> dict[str, Any]:
    measured = ("seconds", "usable_s", "peak", "rms_db", "clipped_share")
    return {
        "path": _text(file.path), "sha256": file.sha256, "format": file.format,
        "sample_rate": file.sample_rate, "n_channels": file.n_channels, "flags": list(file.flags),
        **{name: _number(getattr(file, name)) for name in measured},
    }


def _text(path: object) -> str:
    """Keep a path as it is where it is valid text; a script can open it then."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return shown_name(text)
    return text


def _number(value: float | None) -> float | None:
    return round(float(value), 6) if value is not None and math.isfinite(value) else None
