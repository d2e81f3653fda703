"""What to beware of in a report: who calibrated alpha, what was not held out, what judges and content are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stylemix.measure.aims import BETWEEN, at_alpha, percent

# Below this the classifier does not know the corpora apart on recordings that it has not heard.
LEAST_ACCURACY = 0.7
# Of a content's neighbours so many more than chance are of the own corpus where it is not shared.
HELD = 0.1


def beware(result: dict[str, Any]) -> list[str]:
    """Say in sentences what to beware of.

    Parameters
    ----------
    result : dict
        From `stylemix.measure.report.evaluate`, before the words.

    Returns
    -------
    list of str
        Who calibrated alpha, what alpha does not mean, what was not held out, judges that know little, content that is
        not shared by the corpora.
    """
    found = []
    shows = "that shows that it carries over to other sound, and not what another judge would say"
    if named := calibrated_modes(result):
        found.append(
            f"The alpha of {named} was calibrated by the same two judges, fitted on the same training files, that its "
            f"probabilities are reported with here: where they are near alpha, "
            f"{shows if result['held_out'] else 'that is what it was made for'}. Held-out sound is never used for it. "
            f"Alpha {_listed(BETWEEN)} became the position {_positions(result)}."
        )
    found += dict.fromkeys(
        f"{line[0].upper()}{line[1:]}." for mode in result["modes"].values() for line in mode["warnings"]
    )
    if not result["held_out"]:
        found.append("Nothing was held out of the training, so this is about sound that the model has heard.")
    for name, judge in result["judges"].items():
        accuracy = judge["accuracy"]
        if accuracy is None:
            found.append(f"There are too few recordings to say how well the judge by {name} tells the corpora apart.")
        elif accuracy < LEAST_ACCURACY:
            found.append(
                f"The judge by {name} hardly tells the corpora apart (right in {percent(accuracy)} of unheard "
                "segments), so its probabilities say little."
            )
    return [*found, *_content_holds(result["latents"])]


def _positions(result: dict[str, Any]) -> str:
    told = [
        f"{_listed([at_alpha(mode, alpha)['position'] for alpha in BETWEEN])} on the path of {name}"
        for name, mode in result["modes"].items()
        if mode["calibrated"]
    ]
    return "; ".join(told)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _content_holds(latents: dict[str, Any]) -> list[str]:
    content, codes, chance = (latents[key] for key in ("corpus_near_content", "corpus_near_codes", "chance"))
    if content is None or codes is None or content <= chance + HELD:
        return []
    return [
        f"The content still holds its corpus: {percent(content)} of a step's nearest neighbours by content are of its "
        f"own corpus ({percent(codes)} by latents, {percent(chance)} is chance)."
    ]


def calibrated_modes(result: dict[str, Any]) -> str:
    """Name the modes whose alpha the run has spaced by what is heard.

    Parameters
    ----------
    result : dict
        With modes.

    Returns
    -------
    str
        Empty where alpha is the position on the path in all of them.

    Examples
    --------
    >>> calibrated_modes({"modes": {"match": {"calibrated": True}, "fade": {"calibrated": False}}})
    'match'
    """
    *most, last = [name for name, mode in result["modes"].items() if mode["calibrated"]] or [""]
    return f"{', '.join(most)} and {last}" if most else last
