"""The report of an inspection: as values, as lines for people, and what it means for training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.corpus import Corpus
from stylemix.doctor.compare import Difference
from stylemix.doctor.words import (
    LEAST_S,
    MOST_NAMED,
    corpus_lines,
    corpus_to_dict,
    difference_line,
    difference_to_dict,
    duration_words,
    json_number,
    path_text,
    verdict,
)

# From this ratio of usable time on, an imbalance is mentioned.
UNEVEN = 4.0
# Alpha is spaced after the learning, for two modes in each direction between two corpora: 50 s for both directions, on
# one core. Of more corpora than four only neighbours are taken.
SPACING_S = 25.0
MOST_PAIRED = 4


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
        return _to_dict(self)

    def lines(self, *, minutes: float | None = None) -> list[str]:
        """Return the report as lines for people.

        Parameters
        ----------
        minutes : float, optional
            How long will be trained at most, as for `expected_training`.

        Returns
        -------
        list of str
            File names are on one line each, whatever they hold.
        """
        return _to_lines(self, minutes)


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
        ``training_s``, ``calibration_s`` to space alpha, and ``total_s``. None where it is not known or not limited.
    """
    from stylemix.recipe import load_recipe

    if minutes is None:
        minutes = load_recipe("base").training.minutes
    seconds = sum(file.seconds for corpus in report.corpora for file in corpus.files)
    extraction_s = seconds / report.speed if report.speed else None
    training_s = 60 * minutes if minutes > 0 else None
    n = len(report.corpora)
    calibration_s = SPACING_S * (n * (n - 1) if n <= MOST_PAIRED else 2 * (n - 1))
    known = extraction_s is not None and training_s is not None
    total_s = extraction_s + training_s + calibration_s if known else None  # type: ignore[operator]
    return {
        "extraction_s": extraction_s, "training_s": training_s, "calibration_s": calibration_s, "total_s": total_s,
    }  # fmt: skip


def _to_lines(report: Report, minutes: float | None) -> list[str]:
    lines = [line for corpus in report.corpora for line in corpus_lines(corpus)]
    lines += [f"in both corpora: {shown_name(one)} and {shown_name(other)}: the same bytes; remove one"
              for one, other in report.shared[:MOST_NAMED]]
    lines += [difference_line(apart) for apart in report.differences]
    if len(report.corpora) > 1:
        lines.append(_separability_line(report))
    lines.append(f"verdict: {overall_verdict(report)}")
    expected = expected_training(report, minutes)
    if min(corpus.usable_s for corpus in report.corpora) >= LEAST_S and expected["total_s"] is not None:
        total, features, learning, spacing = (duration_words(expected[f"{part}_s"] or 0.0)
                                              for part in ("total", "extraction", "training", "calibration"))
        after = f", then about {spacing} to space alpha" if expected["calibration_s"] else ""
        lines.append(f"training: about {total} on this machine: at most {features} for the features, then "
                     f"{learning} of learning (--minutes){after}")
    lines.append(f"inspected in {report.took_s:.1f} s; of files longer than a minute, eight windows of 5 s")
    return [shown_name(line) for line in lines]


def _to_dict(report: Report) -> dict[str, Any]:
    return {
        "corpora": [corpus_to_dict(corpus) for corpus in report.corpora],
        "shared": [[path_text(path) for path in pair] for pair in report.shared],
        "differences": [difference_to_dict(apart) for apart in report.differences],
        "separability": json_number(report.separability),
        "separability_by_stretches": report.by_stretches,
        "verdict": overall_verdict(report),
        "expected": {key: json_number(value) for key, value in expected_training(report).items()},
        "took_s": json_number(report.took_s),
    }


def _separability_line(report: Report) -> str:
    if report.separability is None:
        return "separability: not measured; it takes a few segments that sound in each corpus"
    chance = 1 / len(report.corpora)
    above = (report.separability - chance) / (1 - chance)
    words = "clearly different" if above > 0.8 else "different" if above > 0.4 else \
        "hard to tell apart: a hybrid of them will be hard to hear"
    against = "stretches of the same files, so optimistic" if report.by_stretches else "unheard recordings"
    return f"separability: {100 * report.separability:.0f} % of segments told apart ({against}; {words})"
