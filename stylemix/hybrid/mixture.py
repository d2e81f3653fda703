"""Weights of more than two corpora: what share of each a hybrid is to have, in place of one alpha."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stylemix.audio import shown_name
from stylemix.errors import BadInput

# Shares as people write them, 0.33 three times, are meant to sum to 1: two decimals of three shares leave 0.01.
SUM_SLACK = 0.011
_WAY_OUT = "write shares such as a=0.2,b=0.8 that sum to 1"


@dataclass(frozen=True)
class Mixture:
    """A point of the simplex between the corpora.

    Parameters
    ----------
    shares : tuple of float
        One for each corpus of a run, 0 or more; they sum to 1.

    Examples
    --------
    >>> Mixture((0.2, 0.5, 0.3)).alpha(0)
    0.8
    """

    shares: tuple[float, ...]

    def alpha(self, own: int) -> float:
        """Return how much of the other corpora there is.

        Parameters
        ----------
        own : int
            Corpus of the source.

        Returns
        -------
        float
            0 to 1.
        """
        return 1.0 - self.shares[own]

    def others(self, own: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Return the corpora beside the source's, and how the rest is shared among them.

        Parameters
        ----------
        own : int
            Corpus of the source.

        Returns
        -------
        corpora : tuple of int
            Those that have a share; the first of the others where the source's own has all.
        shares : tuple of float
            Of each; they sum to 1.

        Examples
        --------
        >>> Mixture((0.2, 0.6, 0.0, 0.2)).others(0)
        ((1, 3), (0.75, 0.25))
        """
        corpora = [i for i, share in enumerate(self.shares) if i != own and share > 0]
        total = sum(self.shares[i] for i in corpora)
        if not corpora:
            return (0 if own else 1,), (1.0,)
        return tuple(corpora), tuple(round(self.shares[i] / total, 12) for i in corpora)


def parse_weights(value: str | Mapping[str, float] | Mixture, corpora: Sequence[str]) -> Mixture:
    """Read weights as the command line or a script gives them.

    Parameters
    ----------
    value : str, mapping or Mixture
        ``"cage=0.2,boys=0.5,organ=0.3"``, or shares by name; a corpus that is not named has none.
    corpora : sequence of str
        Names of the corpora of the run.

    Returns
    -------
    Mixture
        Scaled so that they sum to 1 exactly.

    Raises
    ------
    BadInput
        If there is only one corpus, one is unknown or named twice, or the shares are no numbers, below 0 or do not
        sum to 1.

    Examples
    --------
    >>> parse_weights("cage=0.25,organ=0.75", ["cage", "boys", "organ"]).shares
    (0.25, 0.0, 0.75)
    """
    if isinstance(value, Mixture):
        if len(value.shares) != len(corpora):
            raise BadInput(f"weights: need one share for each of {len(corpora)} corpora, got {len(value.shares)}")
        return value
    if len(corpora) < 2:
        raise BadInput(
            f"weights: need a run of at least two corpora, got one with only {shown_name(corpora[0])}; "
            "use --alpha and --target FILE"
        )
    pairs = _pairs(value) if isinstance(value, str) else list(value.items())
    shares = dict.fromkeys(corpora, 0.0)
    for i, (name, share) in enumerate(pairs):
        if name not in shares:
            names = ", ".join(shown_name(known) for known in corpora)
            raise BadInput(f"weights: there is no corpus {name!r} in this run; choose among {names}")
        if name in dict(pairs[:i]):
            raise BadInput(f"weights: each corpus must be named once, got {shown_name(name)} twice")
        shares[name] = _share(name, share)
    total = sum(shares.values())
    if abs(total - 1) > SUM_SLACK:
        raise BadInput(f"weights: must sum to 1, got {total:.6g}; {_WAY_OUT}")
    return Mixture(tuple(share / total for share in shares.values()))


def check_weights(*, alpha: object = None, target: object = None, to: object = None, mode: str = "match") -> None:
    """Refuse what weights cannot go with; call it where they are given.

    Parameters
    ----------
    alpha, target, to : object
        As the user gave them; None for what was not given.
    mode : str
        What is going to be done.

    Raises
    ------
    BadInput
        If something else says the same in other words.

    Examples
    --------
    >>> check_weights(alpha=0.5)
    Traceback (most recent call last):
    ...
    stylemix.errors.BadInput: weights: say how much of each corpus in place of --alpha, got both; leave one out
    """
    if alpha is not None:
        raise BadInput("weights: say how much of each corpus in place of --alpha, got both; leave one out")
    if target is not None:
        raise BadInput("weights: say how much of each corpus, got --target FILE too; leave it out, or use --alpha")
    if to is not None:
        raise BadInput("weights: name the corpora themselves, got --to too; leave it out")
    if mode == "morph":
        raise BadInput("weights: cannot go with the mode morph, which aligns two files; choose another --mode")


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for item in text.split(","):
        # From the right, since a folder's name may hold an equals sign.
        name, equals, share = item.rpartition("=")
        if not equals or not name.strip():
            raise BadInput(f"weights: {_WAY_OUT}; got {item.strip() or 'nothing'!r} in {text!r}")
        pairs.append((name.strip(), share.strip()))
    return pairs


def _share(name: str, value: object) -> float:
    try:
        share = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise BadInput(
            f"weights: the share of {shown_name(name)} must be a number, got {value!r}; {_WAY_OUT}"
        ) from None
    if not (math.isfinite(share) and share >= 0):
        raise BadInput(f"weights: the share of {shown_name(name)} must be 0 or more, got {share:g}; {_WAY_OUT}")
    return share
