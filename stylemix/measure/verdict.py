"""From numbers to words: what was promised, what was measured, and what that means; bad news included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# What a crossfade may explain of a hybrid at alpha 0.5. The sum of the parents' magnitudes on one parent's
# phase is explained by 0.86 (an organ and a piano), the product of their magnitudes by 0.54: half-way.
HYBRID = 0.7
# What the model's faults leave unexplained of a crossfade must be exceeded by this.
LEAST_GAIN = 0.05
ALPHA0_DB = -25.0
REBUILD_LOSS_DB = 3.0
# A posterior over so few segments moves by this much by chance.
SLACK = 0.02
LEAST_RISE = 0.2
# Below this the classifier does not know the corpora apart on recordings that it has not heard.
LEAST_ACCURACY = 0.7
# Kernel distances of a few dozen segments that differ by less than this share say nothing.
ALIKE = 0.1
HALF = 0.5


def verdict(result: dict[str, Any]) -> list[str]:
    """Say in sentences what was measured, the most important first.

    Parameters
    ----------
    result : dict
        From `stylemix.measure.report.evaluate`, before the words.

    Returns
    -------
    list of str
        Whether the hybrids are hybrids, whether they change style, how natural they are, what to beware of.
    """
    first, second = result["corpora"][:2]
    half = at_alpha(result, HALF)
    return [
        _is_a_hybrid(half, 1 - result["unexplained_damage"]),
        *_moves(result, first, second),
        *_nearness(half, first, second),
        *_beware(result),
    ]


def checks(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare what was measured with what is promised.

    Parameters
    ----------
    result : dict
        From `stylemix.measure.report.evaluate`, before the words.

    Returns
    -------
    list of dict
        what, wanted, measured and passed; only what was measured.
    """
    half = at_alpha(result, HALF)
    explained = 1 - half["hybrid"]["unexplained"]
    most = min(HYBRID, 1 - result["unexplained_damage"] - LEAST_GAIN)
    rows = [
        _check(
            "A hybrid at alpha 0.5 is not a crossfade of its parents",
            f"explained by a fade: {_percent(most)} at most",
            _percent(explained),
            explained <= most,
        ),
        _check(
            "At alpha 0 the source comes back",
            f"{ALPHA0_DB:.0f} dB spectral convergence or less",
            "no difference" if result["alpha0_sc2048_db"] < -199 else f"{result['alpha0_sc2048_db']:.1f} dB",
            result["alpha0_sc2048_db"] <= ALPHA0_DB,
        ),
    ]
    posteriors = _posteriors(result)
    if posteriors is not None:
        rows.append(
            _check(
                "Alpha moves the style",
                f"P({result['corpora'][1]}) rises at every step, by {LEAST_RISE} at least in all",
                " ".join(f"{p:.2f}" for p in posteriors),
                rises(posteriors),
            )
        )
    for row in result["rebuild"]:
        loss = row["estimate"]["loss_db"]
        rows.append(
            _check(
                f"Rebuilding {row['file']} costs little beside the phase stage alone",
                f"{REBUILD_LOSS_DB:.0f} dB at most",
                f"{loss:+.1f} dB",
                loss <= REBUILD_LOSS_DB,
            )
        )
    training = result["autoencoder"]
    if {"error", "pca_error"} <= training.keys():
        rows.append(
            _check(
                "The autoencoder knows unheard sound better than PCA of the same size",
                f"error below {training['pca_error']:.4f}",
                f"{training['error']:.4f}",
                training["error"] < training["pca_error"],
            )
        )
    return rows


def report_lines(result: dict[str, Any]) -> list[str]:
    """Put the words and the promises into lines for a terminal.

    Parameters
    ----------
    result : dict
        With summary and checks.

    Returns
    -------
    list of str
        A line for each sentence and each promise.
    """
    rows = [
        f"{'met   ' if row['passed'] else 'missed'}  {row['what']}: {row['measured']} ({row['wanted']})"
        for row in result["checks"]
    ]
    return [*result["summary"], "", *rows]


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


def at_alpha(result: dict[str, Any], alpha: float) -> dict[str, Any]:
    """Return the row of an alpha.

    Parameters
    ----------
    result : dict
        With by_alpha.
    alpha : float
        One of those that were measured.

    Returns
    -------
    dict
        alpha, hybrid, crossfade.
    """
    return next(row for row in result["by_alpha"] if row["alpha"] == alpha)


def _is_a_hybrid(half: dict[str, Any], damaged: float) -> str:
    explained, control = (1 - half[kind]["unexplained"] for kind in ("hybrid", "crossfade"))
    if explained > damaged - LEAST_GAIN:
        opening = "These are hardly more than crossfades"
    elif explained <= HYBRID:
        opening = "These are hybrids"
    else:
        opening = "These are close to crossfades, but not quite"
    return (
        f"{opening}: a crossfade explains {_percent(explained)} of the sound at alpha 0.5, "
        f"{_percent(control)} of the crossfade beside it, and {_percent(damaged)} of that crossfade after it has "
        "gone through the model, whose faults are no crossfade either."
    )


def _moves(result: dict[str, Any], first: str, second: str) -> list[str]:
    posteriors = _posteriors(result)
    if posteriors is None:
        return ["Their style could not be measured: there is hardly any sound in them."]
    half = at_alpha(result, HALF)
    fade = half["crossfade"]["p_b"]
    middle = half["hybrid"]["p_b"]
    how, verb = ("move", "rises") if rises(posteriors) else ("do not move steadily", "goes")
    return [
        f"They {how} from {first} to {second}: the probability of {second} {verb} from {posteriors[0]:.2f} "
        f"at alpha 0 over {middle:.2f} at 0.5 to {posteriors[-1]:.2f} at 1"
        + (f" (crossfade at 0.5: {fade:.2f})." if fade is not None else ".")
    ]


def _nearness(half: dict[str, Any], first: str, second: str) -> list[str]:
    ours, fade = half["hybrid"]["kad_union"], half["crossfade"]["kad_union"]
    if ours is None or fade is None:
        return []
    how = "farther from" if ours > fade else "nearer to"
    if abs(ours - fade) <= ALIKE * max(abs(ours), abs(fade)):
        how = "as near to"
    than = "as" if how.startswith("as") else "than"
    return [
        f"At alpha 0.5 they are {how} the recordings of {first} and {second} together {than} crossfades are: "
        f"kernel distance {ours:.0f} against {fade:.0f}."
    ]


def _beware(result: dict[str, Any]) -> list[str]:
    found = []
    if not result["held_out"]:
        found.append("Nothing was held out of the training, so this is about sound that the model has heard.")
    accuracy = result["classifier"]["accuracy"]
    if accuracy is None:
        found.append("There are too few recordings to say how well the classifier tells the corpora apart.")
    elif accuracy < LEAST_ACCURACY:
        found.append(
            f"The classifier hardly tells the corpora apart (right in {_percent(accuracy)} of unheard "
            "segments), so its probabilities say little."
        )
    return found


def _posteriors(result: dict[str, Any]) -> list[float] | None:
    values = [row["hybrid"]["p_b"] for row in result["by_alpha"]]
    return None if None in values else values


def _check(what: str, wanted: str, measured: str, passed: bool) -> dict[str, Any]:
    return {"what": what, "wanted": wanted, "measured": measured, "passed": bool(passed)}


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
