"""How segments are put into clusters: by which method, and into how many."""

from __future__ import annotations

from dataclasses import dataclass

from stylemix.errors import BadInput

METHODS = ("gmm", "kmeans", "agglomerative", "hdbscan")
WAY = f"METHOD or METHOD:K, with METHOD one of {', '.join(METHODS)} and K a whole number from 1"


@dataclass(frozen=True)
class ClusterChoice:
    """A method, and a number of clusters where the user has set one.

    Parameters
    ----------
    method : {"gmm", "kmeans", "agglomerative", "hdbscan"}
        Of scikit-learn.
    k : int, optional
        So many clusters; by default the method's criterion chooses (see `stylemix.clusters.methods`).

    Raises
    ------
    BadInput
        If the method is unknown or the number is not positive.

    Examples
    --------
    >>> str(ClusterChoice("kmeans", 4)), str(ClusterChoice())
    ('kmeans:4', 'gmm')
    """

    method: str = METHODS[0]
    k: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        if self.method not in METHODS or (self.k is not None and self.k < 1):
            raise BadInput(f"clusters: must be {WAY}, got {self}")

    def __str__(self) -> str:
        """Write the choice as `parse_choice` reads it."""
        return self.method if self.k is None else f"{self.method}:{self.k}"


# Of all six pairs of four corpora (chorales, ragtime, orchestra, electronics; by their scattering), mixtures of
# Gaussians always found clusters of one corpus each (98 to 100 %). k-means and Ward's tree are steadier, but set a few
# odd recordings apart from the rest for one pair (64 and 65 %); HDBSCAN leaves 7 to 19 % in no cluster, and 75 % of
# ragtime alone. tests/bench/bench_map.py compares them on runs, and `stylemix clusters RUN --compare` on one's own.
DEFAULT_CHOICE = ClusterChoice()
"""What hybrids count by where nothing else is said, and maps show."""


def parse_choice(text: str) -> ClusterChoice:
    """Read a choice as it is given on a command line.

    Parameters
    ----------
    text : str
        "METHOD" or "METHOD:K"; capitals and blanks around do not matter.

    Returns
    -------
    ClusterChoice
        What was meant.

    Raises
    ------
    BadInput
        If it is neither, or the method is unknown, or the number is none.

    Examples
    --------
    >>> parse_choice("HDBSCAN"), parse_choice("gmm:5")
    (ClusterChoice(method='hdbscan', k=None), ClusterChoice(method='gmm', k=5))
    """
    method, colon, number = (part.strip() for part in text.lower().partition(":"))
    # Only the ten digits: int() takes "1_0", "+3" and digits of other scripts, which nobody means.
    if method not in METHODS or bool(colon) != (number.isascii() and number.isdecimal()) or len(number) > 6:
        raise BadInput(f"clusters: must be {WAY}, got {text!r}")
    return ClusterChoice(method, int(number) if colon else None)
