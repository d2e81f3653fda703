"""From distances to words: which property holds, by thresholds that are the same for all representations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stylemix.measure.properties.material import SHIFTS
from stylemix.measure.properties.representations import SAMPLE_RATE, WINDOW

# A small change must move a representation by no more than these shares of the distance between different sounds:
# up to the first the property holds, up to the second in part.
HOLDS, IN_PART = 1 / 8, 1 / 4
# What counts as a small change: a shift by an eighth of the averaging, a warp of 1 %, a quarter tone.
SMALL = {"shift": SHIFTS[2] * WINDOW / SAMPLE_RATE, "warp": 0.01, "transposition": 50.0}
# Error of the magnitudes, in bands that no representation has, of the sound made from a representation.
REBUILT_DB, REBUILT_IN_PART_DB = -20.0, -10.0
PROPERTIES = {
    "shift": f"Invariant to a shift of {1000 * SMALL['shift']:.0f}\u00a0ms",
    "warp": "Stable under a warp of 1\u00a0%",
    "transposition": "Invariant to a quarter tone",
    "separation": "Different sounds are so much farther apart",
    "tremolo": "Hears how fast a tremolo is",
    "chirp": "Hears whether chirps rise or fall",
    "rebuilt": "Sound comes back without its phases",
}
# From 250 Hz to 4 kHz a constant in proportion to frequency grows 16-fold; half of that counts as growing.
LEAST_GROWTH = 8.0
_WORDS = {
    "shift": {"yes": "invariant to shifts", "partly": "in part invariant to shifts", "no": "not invariant to shifts"},
    "warp": {"yes": "stable under warps", "partly": "less stable under warps", "no": "unstable under warps"},
    "transposition": {
        "yes": "invariant to transposition",
        "partly": "in part invariant to transposition",
        "no": "not invariant to transposition",
    },
}


def judged(measured: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Say which properties a representation has.

    Parameters
    ----------
    measured : dict
        From `stylemix.measure.properties.trials.measure`, with ``pairs``, ``tones`` and, if measured, ``rebuilt``.

    Returns
    -------
    dict
        For each of `PROPERTIES` that was measured its ``value`` and ``holds``, "yes", "partly" or "no". Values of
        shift, warp and transposition are shares of the distance between different sounds; the separation is one over
        their mean; tremolo and chirp are distances of a pair averaged over time, as such shares; rebuilt is in dB.
        Stable is what moves little *and* has a constant that does not grow with frequency; one of both is a part.
    """
    shares = {kind: _at(measured[kind], amount)["share"] for kind, amount in SMALL.items()}
    found = {kind: {"value": share, "holds": _small(share)} for kind, share in shares.items()}
    found["warp"]["holds"] = _stable(shares["warp"], measured["tones"])
    mean = sum(shares.values()) / len(shares)
    found["separation"] = {"value": 1 / max(mean, 1e-9), "holds": _small(mean)}
    for key, distance in measured["pairs"].items():
        share = distance / measured["between_means"]
        # The other way round: what a quarter is far from small for, is seen.
        found[key] = {"value": share, "holds": "yes" if share > IN_PART else "partly" if share > HOLDS else "no"}
    if measured.get("rebuilt"):
        level = measured["rebuilt"]["bands_db"]
        holds = "yes" if level <= REBUILT_DB else "partly" if level <= REBUILT_IN_PART_DB else "no"
        found["rebuilt"] = {"value": level, "holds": holds}
    return found


def sentence(title: str, properties: dict[str, dict[str, Any]]) -> str:
    """Say a representation's properties.

    Parameters
    ----------
    title : str
        Its name.
    properties : dict
        From `judged`.

    Returns
    -------
    str
        A sentence.
    """
    words = [f"{_WORDS[key][properties[key]['holds']]} ({shown(key, properties[key]['value'])})" for key in _WORDS]
    heard = {"yes": "hears", "partly": "hears in part", "no": "does not hear"}
    tremolo, chirp = (heard[properties[key]["holds"]] for key in ("tremolo", "chirp"))
    where = f"and {chirp}" if tremolo != chirp else "nor" if chirp == "does not hear" else "and"
    hears = f"averaged over time it {tremolo} how fast a tremolo is {where} where chirps go"
    return f"{title}: {', '.join(words)}; {hears}."


def summary(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say what was measured in a few sentences, the most important first.

    Parameters
    ----------
    rows : sequence of dict
        One a representation, with key, title and properties.

    Returns
    -------
    list of str
        Sentences.
    """
    by_key = {row["key"]: row for row in rows}
    holds = {row["title"]: {key: value["holds"] for key, value in row["properties"].items()} for row in rows}
    both = [title for title, has in holds.items() if has["shift"] == has["warp"] == "yes"]
    verb = "is" if len(both) == 1 else "are"
    # Within a sentence a name begins small, an abbreviation does not.
    both = both[:1] + [title if title[:2].isupper() else title[0].lower() + title[1:] for title in both[1:]]
    who = _listed(both) or "None of these representations"
    said = [f"{who} {verb} both invariant to small shifts and stable under small warps."]
    if {"wavelets", "time"} <= by_key.keys():
        first, second = (by_key[key]["properties"]["tremolo"]["value"] for key in ("wavelets", "time"))
        said.append(
            f"Averaged over time, two tremolos are {first:.2f} apart in the first layer of wavelets and {second:.2f} "
            "with the second layer of time scattering, where different sounds are 1.00 apart."
        )
    first_alone = by_key.get("time", {}).get("rebuilt_from_first")
    if first_alone:
        both_orders = by_key["time"]["rebuilt"]["coefficients"]
        said.append(
            f"A sound made from order 1 alone misses {100 * first_alone['coefficients']:.0f} % of the time scattering, "
            f"one made from both orders {100 * both_orders:.0f} %."
        )
    if {"time", "joint"} <= by_key.keys():
        blind, seeing = (by_key[key]["properties"]["chirp"]["value"] for key in ("time", "joint"))
        said.append(
            f"Chirps that rise and chirps that fall are {blind:.2f} apart in time scattering and {seeing:.2f} in joint "
            "scattering."
        )
    return said


def report_lines(said: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[str]:
    """Put the words and the table into lines for a terminal.

    Parameters
    ----------
    said : sequence of str
        From `summary`.
    rows : sequence of dict
        One a representation, with title, verdict and properties.

    Returns
    -------
    list of str
        The sentences, the verdicts, then a line for each representation.
    """
    keys = [key for key in PROPERTIES if any(key in row["properties"] for row in rows)]
    marks = {"yes": "+", "partly": "~", "no": "-"}
    said = [*said, "", *(row["verdict"] for row in rows)]
    lines = [f"{'':20}" + "".join(f"{key:>15}" for key in keys)]
    for row in rows:
        cells = [row["properties"].get(key) for key in keys]
        texts = ["" if cell is None else f"{marks[cell['holds']]} {shown(key, cell['value'])}" for key, cell in
                 zip(keys, cells, strict=True)]  # fmt: skip
        lines.append(f"{row['title']:20}" + "".join(f"{text:>15}" for text in texts))
    return [*said, "", *lines]


def shown(key: str, value: float) -> str:
    """Write the value of a property.

    Parameters
    ----------
    key : str
        One of `PROPERTIES`.
    value : float
        From `judged`.

    Returns
    -------
    str
        With its unit.

    Examples
    --------
    >>> shown("shift", 0.0312), shown("warp", 0.2512), shown("separation", 12.3), shown("rebuilt", -21.44)
    ('0.03', '0.251', '12 x', '-21.4 dB')
    """
    if key == "separation":
        return f"{value:.1f} x" if value < 10 else f"{min(value, 9999):.0f} x"
    if key == "rebuilt":
        return f"{value:.1f} dB"
    # A digit more where two would hide on which side of a threshold it is.
    return f"{value:.3f}" if min(abs(value - limit) for limit in (HOLDS, IN_PART)) < 0.005 else f"{value:.2f}"


def _at(rows: Sequence[dict[str, float]], amount: float) -> dict[str, float]:
    return min(rows, key=lambda row: abs(row["amount"] - amount))


def _stable(share: float, tones: dict[str, float]) -> str:
    low, *_, high = (tones[hz] for hz in sorted(tones, key=float))
    bounded = high < LEAST_GROWTH * low
    if bounded and share <= HOLDS:
        return "yes"
    return "partly" if bounded or share <= IN_PART else "no"


def _small(share: float) -> str:
    return "yes" if share <= HOLDS else "partly" if share <= IN_PART else "no"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
