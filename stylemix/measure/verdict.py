"""From numbers to words: what was measured of each mode, and what that means; bad news included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stylemix.measure.ablation_words import ablation_lines, ablation_words
from stylemix.measure.aims import (
    BETWEEN,
    HALF,
    HYBRID,
    LEAST_GAIN,
    MOST_DISTANCE,
    at_alpha,
    distance_ratio,
    mode_checks,
    percent,
    posteriors_of,
)
from stylemix.measure.caveats import beware

# A posterior over so few segments moves by this much by chance.
SLACK = 0.02
LEAST_RISE = 0.2
# Kernel distances of a few dozen segments that differ by less than this share say nothing.
ALIKE = 0.1
# Two judges that are farther apart than this disagree.
DISAGREE = 0.2


def verdict(result: dict[str, Any]) -> list[str]:
    """Say in sentences what was measured, the most important first.

    Parameters
    ----------
    result : dict
        From `stylemix.measure.report.evaluate`, before the words.

    Returns
    -------
    list of str
        How far the modes come, then each mode, then what the latents are worth where that was measured, then what to
        beware of.
    """
    modes = [name for name, mode in result["modes"].items() if not mode["control"]]
    words = [" ".join(mode_verdict(result, name)) for name in modes]
    return [_overall(result, modes), *words, *ablation_words(result["ablation"]), *beware(result)]


def mode_verdict(result: dict[str, Any], name: str) -> list[str]:
    """Say in sentences what a mode makes.

    Parameters
    ----------
    result : dict
        From `stylemix.measure.report.evaluate`, before the words.
    name : str
        One of its modes.

    Returns
    -------
    list of str
        Whether these are hybrids, whether they change style, how natural they are, what they keep, whether the second
        judge agrees.
    """
    mode = result["modes"][name]
    half = at_alpha(mode, HALF)
    return [
        _is_a_hybrid(result, name, half),
        *_moves(mode, result["corpora"]),
        *_nearness(result, name, half),
        f"Of the source they keep at 0.5 a correlation of {half['chroma']:.2f} in harmony and of {half['onsets']:.2f} "
        "in rhythm.",
        *_second_opinion(result, name),
    ]


def report_lines(result: dict[str, Any]) -> list[str]:
    """Put the words and the aims into lines for a terminal.

    Parameters
    ----------
    result : dict
        With summary, checks and ablation.

    Returns
    -------
    list of str
        A line for each sentence, each aim, and each kind of latents, or one that says how to have these compared.
    """
    words = {True: "met   ", False: "missed", None: "?     "}
    rows = [
        f"{words[row['passed']]}  {row['mode'] + ': ' if row['mode'] else ''}{row['what']}: "
        f"{row['measured']} ({row['wanted']})"
        for row in result["checks"]
    ]
    return [*result["summary"], "", *rows, "", *ablation_lines(result["ablation"], result["corpora"][1])]


def rises(posteriors: Sequence[float]) -> bool:
    """Say whether a posterior rises with alpha.

    Parameters
    ----------
    posteriors : sequence of float
        P(B) at each alpha.

    Returns
    -------
    bool
        True if no step falls by more than chance and the whole rise is 0.2 or more.

    Examples
    --------
    >>> rises([0.1, 0.3, 0.5, 0.7, 0.9]), rises([0.1, 0.9, 0.4]), rises([0.5, 0.55])
    (True, False, False)
    """
    steps = [after - before for before, after in zip(posteriors, posteriors[1:], strict=False)]
    return min(steps) >= -SLACK and posteriors[-1] - posteriors[0] >= LEAST_RISE


def is_outside(row: dict[str, Any], anchors: dict[str, Any]) -> bool:
    """Say whether a sound belongs to neither corpus.

    Parameters
    ----------
    row : dict
        With kad_source and kad_target.
    anchors : dict
        From `stylemix.measure.trials.measure_anchors`.

    Returns
    -------
    bool
        True if it is farther from each corpus than unheard recordings of the other one are; no threshold is needed.
    """
    pairs = [(row["kad_source"], anchors["target"]["kad_source"]), (row["kad_target"], anchors["source"]["kad_target"])]
    return all(ours is not None and other is not None and ours["value"] > other["value"] for ours, other in pairs)


def _overall(result: dict[str, Any], modes: Sequence[str]) -> str:
    if not modes:
        return "Only controls were measured."
    rows = {name: mode_checks(result, name) for name in modes}
    # What was not measured is not reached.
    whole = [name for name in modes if all(row["passed"] for row in rows[name])]
    rest = "; ".join(_reached(name, rows[name]) for name in modes if name not in whole)
    if not whole:
        return f"No mode reaches all that is aimed at: {rest}."
    return f"{' and '.join(whole)} reach{'es' if len(whole) == 1 else ''} all that is aimed at" + (
        f"; {rest}." if rest else "."
    )


def _reached(name: str, rows: Sequence[dict[str, Any]]) -> str:
    kinds = {"not": False, "not measured": None}
    lists = {
        word: ", ".join(row["what"][0].lower() + row["what"][1:] for row in rows if row["passed"] is kind)
        for word, kind in kinds.items()
    }
    left = "; ".join(f"{word}: {told}" for word, told in lists.items() if told)
    return f"{name} reaches {sum(row['passed'] is True for row in rows)} of {len(rows)} aims ({left})"


def _is_a_hybrid(result: dict[str, Any], name: str, half: dict[str, Any]) -> str:
    explained, damaged = half["explained"], 1 - result["unexplained_damage"]
    if is_outside(half, result["anchors"]):
        opening = "these are out of both corpora, farther from each than the other one is"
    elif explained > damaged - LEAST_GAIN:
        opening = "these are hardly more than crossfades"
    elif explained <= HYBRID:
        opening = "these are hybrids"
    else:
        opening = "these are close to crossfades, but not quite"
    return (
        f"{name}: {opening}; a crossfade of the parents explains {percent(explained)} of the sound at alpha 0.5 (the "
        f"source alone {percent(half['explained_source'])}, the matched target {percent(half['explained_target'])}), "
        f"and {percent(damaged)} of a crossfade after it has gone through the model."
    )


def _moves(mode: dict[str, Any], corpora: Sequence[str]) -> list[str]:
    posteriors = posteriors_of(mode)
    if posteriors is None:
        return ["Their style could not be measured: there is hardly any sound in them."]
    how = "They move" if rises(posteriors) else "They do not move steadily"
    worst = max(mode["by_alpha"][1:-1], key=lambda row: abs(row["off_line"]))
    return [
        f"{how} from {corpora[0]} to {corpora[1]}: the probability of {corpora[1]} goes "
        f"{', '.join(f'{p:.2f}' for p in posteriors)}, at alpha {worst['alpha']:g} {abs(worst['off_line']):.2f} "
        "off alpha."
    ]


def _nearness(result: dict[str, Any], name: str, half: dict[str, Any]) -> list[str]:
    return [*_half_way(result, name, half), *_farthest(result, name)]


def _farthest(result: dict[str, Any], name: str) -> list[str]:
    # What is natural half-way may stray on the way there.
    ratios = {alpha: distance_ratio(result, name, alpha=alpha) for alpha in BETWEEN}
    known = {alpha: ratio for alpha, ratio in ratios.items() if ratio is not None}
    worst = max(known, key=lambda alpha: known[alpha], default=None)
    if worst is None or known[worst] <= MOST_DISTANCE:
        return []
    far = f"{known[worst]:.1f} times as far as the fade there"
    return [f"They are farthest from the recordings of both at {worst:g}: {far}."]


def _half_way(result: dict[str, Any], name: str, half: dict[str, Any]) -> list[str]:
    ratio = distance_ratio(result, name)
    if ratio is None:
        return []
    how = "as near to" if abs(ratio - 1) <= ALIKE else "farther from" if ratio > 1 else "nearer to"
    ours, fade = half["kad_union"], at_alpha(result["modes"]["fade"], HALF)["kad_union"]
    than = "as fades are" if how.startswith("as") else "than fades are"
    return [
        f"At 0.5 they are {how} the recordings of both {than}: kernel distance {_with_interval(ours)} against "
        f"{_with_interval(fade)}."
    ]


def _second_opinion(result: dict[str, Any], name: str) -> list[str]:
    found = []
    pairs = [(row["alpha"], row["p_b"], row["second"]["p_b"]) for row in result["modes"][name]["by_alpha"]]
    known = [(alpha, one, other) for alpha, one, other in pairs if one is not None and other is not None]
    if known:
        alpha, first, other = max(known, key=lambda row: abs(row[1] - row[2]))
        if abs(first - other) > DISAGREE:
            found.append(
                f"The second judge disagrees: at {alpha:g} it hears {result['corpora'][1]} with {other:.2f}, the first "
                f"with {first:.2f}."
            )
    ratio, second = distance_ratio(result, name), distance_ratio(result, name, second=True)
    if ratio is not None and second is not None and ratio <= MOST_DISTANCE < second:
        found.append(
            f"To the second judge they are {second:.1f} times as far from the recordings of both as fades are."
        )
    return found


def _with_interval(distance: dict[str, float]) -> str:
    return f"{distance['value']:.0f} ({distance['low']:.0f} to {distance['high']:.0f})"
