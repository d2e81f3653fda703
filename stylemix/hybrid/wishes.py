"""What a user says of a hybrid's parents: names looked up and contradictions refused, whatever the source is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.asked import Asked
from stylemix.hybrid.cluster_roles import find_clusters
from stylemix.hybrid.mixture import Mixture, check_weights, parse_weights
from stylemix.hybrid.run_files import find_corpus, find_file

if TYPE_CHECKING:
    from stylemix.clusters.groups import RunClusters
    from stylemix.model.run import Run


@dataclass(frozen=True)
class Wishes:
    """What a user says of the parents, as far as it can be judged without the source.

    Parameters
    ----------
    mixture : Mixture or None
        Shares of the corpora, where weights were given.
    goal, origin : int or None
        Corpora that were named for alpha 1 and for the source.
    place : int or None
        The target's place among the run's files, if it is one of them.
    clusters : RunClusters or None
        Where a cluster is asked for.
    """

    mixture: Mixture | None
    goal: int | None
    origin: int | None
    place: int | None
    clusters: RunClusters | None

    def own_of_stranger(self, run: Run) -> int:
        """Return the corpus that a source is taken to be of, where nothing of the run says it.

        Parameters
        ----------
        run : Run
            The trained model.

        Returns
        -------
        int
            The one that was named, or the first to which the hybrid does not go.
        """
        if self.origin is not None:
            return self.origin
        towards = run.files[self.place].corpus if self.goal is None and self.place is not None else self.goal
        return next((i for i in range(len(run.corpora)) if i != towards), 0)


def read_wishes(run: Run, asked: Asked) -> Wishes:
    """Check what a user says of the parents, but for what the source decides.

    Parameters
    ----------
    run : Run
        The trained model.
    asked : Asked
        What the user says; the source may be a folder.

    Returns
    -------
    Wishes
        Names found.

    Raises
    ------
    BadInput
        As `stylemix.hybrid.roles.assign_roles`.
    """
    target, mode = asked.target, asked.mode
    mixture = None
    if asked.weights is not None:
        check_weights(target=target, to=asked.to, mode=mode)
        mixture = parse_weights(asked.weights, run.corpora)
    if mode == "morph" and target is None:
        raise BadInput("hybrid: the mode morph aligns two given files; add --target FILE")
    goal, origin = (None if name is None else find_corpus(run, name) for name in (asked.to, asked.from_corpus))
    if mode == "style" and goal is not None and goal == origin:
        raise nothing_to_do(run, "the source", goal)
    place = None if target is None else find_file(run, target)
    if mode == "style" and target is not None and place is None:
        raise BadInput(
            f"hybrid: the mode style goes by what was learnt of a corpus, {shown_name(target)} is no file of the run; "
            "leave --target out, or choose another --mode"
        )
    return Wishes(mixture, goal, origin, place, find_clusters(run, asked, place))


def nothing_to_do(run: Run, source: str, corpus: int) -> BadInput:
    """Tell that the mode style would lead a source to where it is.

    Parameters
    ----------
    run : Run
        The trained model.
    source : str
        What to call it.
    corpus : int
        Its corpus, and that at alpha 1.

    Returns
    -------
    BadInput
        To be raised.
    """
    return BadInput(
        f"hybrid: {source} is of {shown_name(run.corpora[corpus])} already, and the mode style would change nothing; "
        "name another corpus with --to, or choose another --mode"
    )
