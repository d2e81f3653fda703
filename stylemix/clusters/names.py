"""Names of clusters: what their segments have in common for the ear, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stylemix.clusters.describe import Described

MOSTLY = 0.75
"""From this share on a cluster is named after one corpus."""
# The chance that a segment of the cluster is higher than one of the rest; 0.71 and more (0.29 and less) is what is
# called a large effect, 0.56 a small one (Vargha, Delaney 2000). What is small is said of a cluster that has nothing
# better, with "rather".
LARGE, SMALL = 0.71, 0.56
# Words for low and high, in the order in which they are said.
WORDS = {
    "pitch": ("low", "high"),
    "brightness": ("dark", "bright"),
    "noisiness": ("tonal", "noisy"),
    "density": ("sparse", "dense"),
    "loudness": ("quiet", "loud"),
}
# Said of clusters that would have the same name otherwise.
COMPARATIVES = {
    "pitch": ("lower", "higher"),
    "brightness": ("darker", "brighter"),
    "noisiness": ("more tonal", "noisier"),
    "density": ("sparser", "denser"),
    "loudness": ("quieter", "louder"),
}
# Medians of a cluster and of the rest must be so far apart that one hears it: two semitones, a tenth of brightness
# (in octaves, like the pitch), a twentieth of the way from tones to noise, one onset in two seconds, 3 dB.
AUDIBLE = {"pitch": 1 / 6, "brightness": 0.14, "noisiness": 0.05, "density": 0.5, "loudness": 3.0}
# More than these make a label that nobody reads; loudness is a matter of mastering, and only said to tell two apart.
MOST_WORDS = 3
MOST_COMPARATIVES = 2
SAID_FIRST = ("pitch", "brightness", "noisiness", "density")
LONGEST_NAME = 24


def name_cluster(number: int, shares: Sequence[float], corpus_names: Sequence[str], words: Sequence[str] = ()) -> str:
    """Name a cluster by what it is like and whose sound it holds.

    Parameters
    ----------
    number : int
        Shown first, so that no two names are equal.
    shares : sequence of float
        Part of the cluster from each corpus.
    corpus_names : sequence of str
        In the same order.
    words : sequence of str
        What it is like, from `words_of_clusters`.

    Returns
    -------
    str
        For example "1: low, dark; mostly cage (92 %)".

    Examples
    --------
    >>> name_cluster(1, [0.92, 0.08], ["cage", "beach-boys"], ["low", "dark"])
    '1: low, dark; mostly cage (92 %)'
    >>> name_cluster(2, [0.55, 0.45], ["cage", "beach-boys"])
    '2: mixed (55 % cage, 45 % beach-boys)'
    """
    short = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in corpus_names]
    like = f"{', '.join(words)}; " if words else ""
    order = sorted(range(len(shares)), key=lambda index: -shares[index])
    top = order[0]
    if shares[top] == 1:
        return f"{number}: {like}all {short[top]}"
    if shares[top] >= MOSTLY:
        return f"{number}: {like}mostly {short[top]} ({percent(shares[top])} %)"
    parts = ", ".join(f"{percent(shares[i])} % {short[i]}" for i in order[:3] if shares[i] > 0)
    return f"{number}: {like}mixed ({parts})"


def percent(share: float) -> int:
    """Round a share so that 0 and 100 are promises: one odd segment out of a thousand is not rounded away.

    Parameters
    ----------
    share : float
        0 to 1.

    Returns
    -------
    int
        0 only for nothing, 100 only for all.

    Examples
    --------
    >>> percent(0.999), percent(1), percent(0.0001)
    (99, 100, 1)
    """
    return int(np.clip(round(100 * share), 0 if share == 0 else 1, 100 if share == 1 else 99))


def name_clusters(
    labels: np.ndarray, shares: np.ndarray, corpus_names: Sequence[str], described: Described | None = None
) -> tuple[str, ...]:
    """Name the clusters of a run, no two alike.

    Parameters
    ----------
    labels : np.ndarray, shape (N,), int
        Cluster of each segment from 0; -1 for those in none.
    shares : np.ndarray, shape (k, n_corpora)
        Part of each cluster's segments that comes from each corpus.
    corpus_names : sequence of str
        Of the corpora.
    described : Described, optional
        What the segments are like; without it names only say whose they are.

    Returns
    -------
    tuple of str
        k of them, numbered from 1.
    """
    words = [()] * len(shares) if described is None else words_of_clusters(labels, len(shares), described, shares)
    return tuple(
        name_cluster(index + 1, row.tolist(), corpus_names, words[index]) for index, row in enumerate(shares)
    )


def words_of_clusters(
    labels: np.ndarray, k: int, described: Described, shares: np.ndarray | None = None
) -> list[tuple[str, ...]]:
    """Find words for each cluster: where it is unlike the rest of the run, by a large and audible difference.

    What has no large one gets its largest, with "rather"; what is unlike nothing is average.
    Where two clusters of the same corpora get the same words, a comparative tells them apart.

    Parameters
    ----------
    labels : np.ndarray, shape (N,), int
        Cluster of each segment from 0; -1 for those in none, which belong to the rest.
    k : int
        Number of clusters.
    described : Described
        Of the N segments.
    shares : np.ndarray, shape (k, n_corpora), optional
        Whose the clusters are; without it they count as of one corpus.

    Returns
    -------
    list of tuple of str
        One a cluster; empty where nothing was measured, or there is nothing to compare with.

    References
    ----------
    A. Vargha, H. D. Delaney: A critique and improvement of the CL common language effect size statistics. Journal of
    Educational and Behavioral Statistics 25(2), 2000.

    Examples
    --------
    >>> hz = np.repeat([100.0, 800.0], 20)
    >>> same = np.ones(40)
    >>> words_of_clusters(np.repeat([0, 1], 20), 2, Described(same, hz, same, same, same))
    [('low',), ('high',)]
    """
    values = _on_ears_scales(described)
    whose = [0] * k if shares is None else shares.argmax(axis=1).tolist()
    words = [_words_of(values, labels == label) for label in range(k)]
    for _ in range(MOST_COMPARATIVES):
        clashes: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        for label in range(k):
            clashes.setdefault((whose[label], words[label]), []).append(label)
        for (_, said), members in clashes.items():
            if len(members) > 1:
                # Of what has been compared already, "quieter, louder" would be the next word.
                left = {name: x for name, x in values.items() if not set(COMPARATIVES[name]) & set(said)}
                more = _told_apart(left, [labels == label for label in members])
                for label, word in zip(members, more, strict=True):
                    words[label] = (*words[label], *word)
    return words


def _on_ears_scales(described: Described) -> dict[str, np.ndarray]:
    columns = described.columns()
    return {name: np.log2(x) if name in ("pitch", "brightness") else x for name, x in columns.items()}


def _words_of(values: dict[str, np.ndarray], mine: np.ndarray) -> tuple[str, ...]:
    effects = {name: _effect(values[name][mine], values[name][~mine], AUDIBLE[name]) for name in SAID_FIRST}
    found = {
        name: (abs(effect), WORDS[name][effect > 0]) for name, effect in effects.items() if abs(effect) >= LARGE - 0.5
    }
    # Silence has no pitch either, and is no noise: only what sounds can be unpitched.
    heard = np.isfinite(values["noisiness"][mine])
    if heard.any() and np.isnan(values["pitch"][mine][heard]).mean() > 0.5:
        found["pitch"] = 0.5, "unpitched"
    if not found:
        name, effect = max(effects.items(), key=lambda item: abs(item[1]))
        if abs(effect) >= SMALL - 0.5:
            return (f"rather {WORDS[name][effect > 0]}",)
        compared = all(_measured(values["brightness"][part]) for part in (mine, ~mine))
        return ("average",) if compared else ()
    # Chosen by strength and said in one order, so that names of a run can be compared at a glance.
    strongest = sorted(found, key=lambda name: -found[name][0])[:MOST_WORDS]
    return tuple(found[name][1] for name in SAID_FIRST if name in strongest)


def _told_apart(values: dict[str, np.ndarray], members: list[np.ndarray]) -> list[tuple[str, ...]]:
    """One comparative for each of several clusters, of what differs most between the two halves of them; or none."""
    best: tuple[float, list[tuple[str, ...]]] = 0.0, [()] * len(members)
    for name, (low, high) in COMPARATIVES.items():
        if name not in values:
            continue
        measured = [values[name][mine][np.isfinite(values[name][mine])] for mine in members]
        if min(map(len, measured)) == 0:
            continue
        medians = [float(np.median(x)) for x in measured]
        order = np.argsort(medians, kind="stable")
        # Below the widest gap is lower, above is higher.
        gap = int(np.diff(np.array(medians)[order]).argmax()) + 1
        lower, upper = (np.concatenate([measured[i] for i in part]) for part in (order[:gap], order[gap:]))
        effect = _effect(upper, lower, AUDIBLE[name])
        if effect > best[0]:
            below = set(order[:gap].tolist())
            best = effect, [(low,) if i in below else (high,) for i in range(len(members))]
    return best[1]


def _measured(values: np.ndarray) -> bool:
    """Whether enough is known to speak of all: half of them."""
    return len(values) > 0 and 2 * int(np.isfinite(values).sum()) >= len(values)


def _effect(mine: np.ndarray, rest: np.ndarray, audible: float) -> float:
    """How much likelier than not a segment is higher than one of the rest, -0.5 to 0.5; 0 where nobody would hear."""
    from scipy.stats import rankdata

    if not _measured(mine) or not np.isfinite(rest).any():
        return 0.0
    mine, rest = mine[np.isfinite(mine)], rest[np.isfinite(rest)]
    if abs(float(np.median(mine) - np.median(rest))) < audible:
        return 0.0
    # Mann and Whitney: the sum of my ranks among all, less what it is when all of mine are the lowest.
    ranks = rankdata(np.concatenate([mine, rest]))[: len(mine)]
    return float((ranks.sum() - len(mine) * (len(mine) + 1) / 2) / (len(mine) * len(rest)) - 0.5)
