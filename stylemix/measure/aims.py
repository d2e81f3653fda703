"""What hybrids are held to, and whether they reach it: one row for each aim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# What a fade of its parents may explain of a hybrid at alpha 0.5. The sum of the parents' magnitudes on one parent's
# phase is explained by 0.86 (an organ and a piano), the product of their magnitudes by 0.54.
HYBRID = 0.6
# What the model's faults leave unexplained of a crossfade must be exceeded by this.
LEAST_GAIN = 0.05
# How far P(B) may be from alpha.
OFF_LINE = 0.1
# How much farther from the recordings of both corpora than the fade is.
MOST_DISTANCE = 1.3
# Of the source's harmony, in the mode that promises its content.
LEAST_CHROMA = 0.6
KEEPS_CONTENT = "style"
# The control must score as what it is; what phases and resampling change of it is less than this.
FADE = 0.95
ALPHA0_DB = -25.0
REBUILD_LOSS_DB = 3.0
HALF = 0.5
BETWEEN = (0.25, 0.5, 0.75)
NOT_MEASURED = "not measured"


def checks(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare what was measured with what is aimed at.

    Parameters
    ----------
    result : dict
        From `stylemix.measure.report.evaluate`, before the words.

    Returns
    -------
    list of dict
        mode (empty for what concerns the model), what, wanted, measured and passed, None where it was not measured.
    """
    rows = [row for name, mode in result["modes"].items() if not mode["control"] for row in mode_checks(result, name)]
    fade = result["modes"].get("fade")
    if fade is None or fade["control"]:
        explained = None if fade is None else at_alpha(fade, HALF)["explained"]
        rows.append(
            check("fade", "The control scores as a fade", f"explained: {percent(FADE)} or more",
                  NOT_MEASURED if explained is None else percent(explained),
                  None if explained is None else explained >= FADE)
        )  # fmt: skip
    return [*rows, *_model_checks(result)]


def mode_checks(result: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Compare one mode with what is aimed at.

    Parameters
    ----------
    result : dict
        From `stylemix.measure.report.evaluate`, before the words.
    name : str
        One of its modes.

    Returns
    -------
    list of dict
        As in `checks`.
    """
    mode = result["modes"][name]
    half = at_alpha(mode, HALF)
    most = min(HYBRID, 1 - result["unexplained_damage"] - LEAST_GAIN)
    rows = [_posterior_check(result, name), _distance_check(result, name)]
    rows.append(
        check(name, "Half-way is no fade of its parents", f"explained: {percent(most)} at most",
              percent(half["explained"]), half["explained"] <= most)
    )  # fmt: skip
    if name == KEEPS_CONTENT:
        rows.append(
            check(name, "The source's harmony is kept half-way", f"correlation {LEAST_CHROMA} or more",
                  f"{half['chroma']:.2f}", half["chroma"] >= LEAST_CHROMA)
        )  # fmt: skip
    back = mode["alpha0_sc2048_db"]
    rows.append(
        check(name, "At alpha 0 the source comes back", f"{ALPHA0_DB:.0f} dB spectral convergence or less",
              "no difference" if back < -199 else f"{back:.1f} dB", back <= ALPHA0_DB)
    )  # fmt: skip
    return rows


def distance_ratio(result: dict[str, Any], name: str, *, alpha: float = HALF, second: bool = False) -> float | None:
    """Say how many times farther from the recordings of both corpora a mode is than the fade at the same alpha.

    Parameters
    ----------
    result : dict
        With modes.
    name : str
        One of them.
    alpha : float
        One of those that were measured.
    second : bool
        To the second judge.

    Returns
    -------
    float or None
        None if there is no fade to compare with, or it is so near that its distance, which is unbiased, is 0 or less.
    """
    if "fade" not in result["modes"]:
        return None
    rows = [at_alpha(result["modes"][one], alpha) for one in (name, "fade")]
    ours, fade = ((row["second"] if second else row)["kad_union"] for row in rows)
    if ours is None or fade is None or fade["value"] <= 0:
        return None
    return float(ours["value"] / fade["value"])


def posteriors_of(mode: dict[str, Any], alphas: Sequence[float] | None = None) -> list[float] | None:
    """Return the probabilities of the other corpus.

    Parameters
    ----------
    mode : dict
        With by_alpha.
    alphas : sequence of float, optional
        At which; else all.

    Returns
    -------
    list of float or None
        None if one could not be measured.
    """
    rows = mode["by_alpha"] if alphas is None else [at_alpha(mode, alpha) for alpha in alphas]
    values = [row["p_b"] for row in rows]
    return None if None in values else values


def at_alpha(mode: dict[str, Any], alpha: float) -> dict[str, Any]:
    """Return the row of an alpha.

    Parameters
    ----------
    mode : dict
        With by_alpha.
    alpha : float
        One of those that were measured.

    Returns
    -------
    dict
        See `stylemix.measure.trials.measure_mode`.
    """
    return next(row for row in mode["by_alpha"] if row["alpha"] == alpha)


def check(mode: str, what: str, wanted: str, measured: str, passed: bool | None) -> dict[str, Any]:
    """Put an aim and what was measured into a row.

    Parameters
    ----------
    mode : str
        Of which mode; empty for the model.
    what, wanted, measured : str
        In words.
    passed : bool or None
        Whether it is reached; None where that was not measured.

    Returns
    -------
    dict
        JSON-safe.
    """
    return {"mode": mode, "what": what, "wanted": wanted, "measured": measured,
            "passed": None if passed is None else bool(passed)}  # fmt: skip


def percent(share: float) -> str:
    """Write a share.

    Parameters
    ----------
    share : float
        Of 1.

    Returns
    -------
    str
        In percent.

    Examples
    --------
    >>> percent(0.256)
    '26 %'
    """
    return f"{100 * share:.0f} %"


def _posterior_check(result: dict[str, Any], name: str) -> dict[str, Any]:
    what, wanted = f"Alpha is the share of {result['corpora'][1]}", f"P within {OFF_LINE} of alpha at .25, .5, .75"
    posteriors = posteriors_of(result["modes"][name], BETWEEN)
    if posteriors is None:
        return check(name, what, wanted, NOT_MEASURED, None)
    off = max(abs(p - alpha) for p, alpha in zip(posteriors, BETWEEN, strict=True))
    return check(name, what, wanted, " ".join(f"{p:.2f}" for p in posteriors), off <= OFF_LINE)


def _distance_check(result: dict[str, Any], name: str) -> dict[str, Any]:
    what, wanted = "Half-way is as natural as a fade", f"distance to both: {MOST_DISTANCE} times the fade's at most"
    ratio = distance_ratio(result, name)
    if ratio is None:
        return check(name, what, wanted, NOT_MEASURED, None)
    return check(name, what, wanted, f"{ratio:.2f}", ratio <= MOST_DISTANCE)


def _model_checks(result: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for row in result["rebuild"]:
        loss = row["estimate"]["loss_db"]
        what = f"Rebuilding {row['file']} costs little beside the phase stage alone"
        wanted = f"{REBUILD_LOSS_DB:.0f} dB at most"
        rows.append(check("", what, wanted, f"{loss:+.1f} dB", loss <= REBUILD_LOSS_DB))
    training = result["autoencoder"]
    what = "The autoencoder knows unheard sound better than PCA of the same size"
    if {"error", "pca_error"} <= training.keys():
        wanted, measured = f"error below {training['pca_error']:.4f}", f"{training['error']:.4f}"
        rows.append(check("", what, wanted, measured, training["error"] < training["pca_error"]))
    else:
        rows.append(check("", what, "error below that of PCA", NOT_MEASURED, None))
    return rows
