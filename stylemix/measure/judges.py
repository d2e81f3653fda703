"""Judges of style: how probable the other corpus is, and how far the recordings of each are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stylemix.measure.evidence import Described
from stylemix.measure.kernel import KernelReference
from stylemix.style_probe import StyleProbe, fit_probe

# The first is the one that everything is judged by; the second, of another kind, is reported beside it.
JUDGES = ("scattering", "cepstra")
REFERENCES = ("source", "target", "union")


@dataclass(frozen=True)
class Judge:
    """What two corpora sound like in one description of style.

    Parameters
    ----------
    name : str
        Of the description: one of `stylemix.measure.evidence.DESCRIPTIONS`.
    probe : StyleProbe
        Its last label is the corpus at alpha 1.
    references : dict of str to KernelReference
        The corpus at alpha 0 (``source``), at alpha 1 (``target``), and both (``union``); one of a single segment has
        no spread to measure distances by and is left out.
    segments, recordings : tuple of int
        How many of each corpus were heard.
    """

    name: str
    probe: StyleProbe
    references: dict[str, KernelReference]
    segments: tuple[int, ...]
    recordings: tuple[int, ...]

    def judge(self, found: Described, strata: np.ndarray | None = None) -> dict[str, Any]:
        """Judge segments.

        Parameters
        ----------
        found : Described
            Of what is judged.
        strata : np.ndarray, shape (S,), optional
            The corpus of each segment, where they are of several.

        Returns
        -------
        dict
            JSON-safe: p_b, the mean probability of the corpus at alpha 1, and kad_source, kad_target, kad_union,
            each with value, low and high; None where there is too little sound to tell.
        """
        features = found.rows[self.name]
        out: dict[str, Any] = {"p_b": None, **{f"kad_{key}": None for key in REFERENCES}}
        if len(features):
            out["p_b"] = float(self.probe.predict_proba(features)[:, -1].mean())
        if len(features) > 1:
            for key, reference in self.references.items():
                out[f"kad_{key}"] = asdict(reference.interval(features, found.recordings, strata))
        return out

    def facts(self) -> dict[str, Any]:
        """Say how good the judge is, and on what.

        Returns
        -------
        dict
            JSON-safe: accuracy (balanced, on recordings that it has not heard; None if there are too few), segments
            and recordings of each corpus.
        """
        return {
            "accuracy": self.probe.accuracy,
            "segments": list(self.segments),
            "recordings": list(self.recordings),
        }


def appoint_judges(corpora: Sequence[Described], *, seed: int = 0) -> list[Judge]:
    """Let judges hear the corpora.

    Parameters
    ----------
    corpora : sequence of two Described
        At alpha 0 and at alpha 1; recordings are counted through both.
    seed : int
        Of the classifiers and the resamples.

    Returns
    -------
    list of Judge
        One for each of `JUDGES`.
    """
    labels = np.repeat([0, 1], [len(one) for one in corpora])
    recordings = np.concatenate([one.recordings for one in corpora])
    segments = tuple(len(one) for one in corpora)
    numbers = tuple(len(np.unique(one.recordings)) for one in corpora)
    judges = []
    for name in JUDGES:
        sets: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray | None]]
        sets = {key: (one.rows[name], one.recordings, None) for key, one in zip(REFERENCES, corpora, strict=False)}
        sets["union"] = (np.concatenate([one.rows[name] for one in corpora]), recordings, labels)
        references = {
            key: KernelReference(rows, of, strata=strata, seed=seed)
            for key, (rows, of, strata) in sets.items()
            if len(rows) > 1
        }
        # Weakly fitted on purpose (see `stylemix.style_probe`): a sure classifier would jump between the corpora.
        probe = fit_probe(sets["union"][0], labels, recordings, seed=seed)
        judges.append(Judge(name, probe, references, segments, numbers))
    return judges
