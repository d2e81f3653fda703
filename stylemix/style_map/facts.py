"""What a map tells of itself: where it comes from, how far to trust it, and which commands count as it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stylemix.audio import shown_name
from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.spaces import in_words
from stylemix.style_map.data import Layout

if TYPE_CHECKING:
    from stylemix.clusters.groups import RunClusters
    from stylemix.model.run import Run


def hybrid_options(space: str | None, choice: ClusterChoice | None, seed: int) -> dict[str, Any]:
    """Say with which options `hybrid` numbers clusters as a map does.

    Parameters
    ----------
    space : str or None
        As the map was asked for.
    choice : ClusterChoice or None
        As the map was asked for.
    seed : int
        As the map was asked for.

    Returns
    -------
    dict
        clusters, space and cluster_seed, those that are not what a hybrid takes by itself.

    Examples
    --------
    >>> hybrid_options("latents", ClusterChoice("kmeans", 4), 0), hybrid_options(None, None, 0)
    ({'clusters': 'kmeans:4', 'space': 'latents'}, {})
    """
    told = {"clusters": None if choice is None else str(choice), "space": space, "cluster_seed": seed or None}
    return {key: value for key, value in told.items() if value is not None}


def map_facts(
    run: Run, found: RunClusters, placed: Sequence[Layout], told: dict[str, Any], warnings: Sequence[str], seed: int
) -> dict[str, str]:
    """Put into words where a map comes from.

    Parameters
    ----------
    run : Run
        The run.
    found : RunClusters
        Its clusters.
    placed : sequence of Layout
        The pictures, the one shown first at the head.
    told : dict
        From `hybrid_options`.
    warnings : sequence of str
        What went otherwise than was wished.
    seed : int
        Of all of it.

    Returns
    -------
    dict of str to str
        Names and values, for people.
    """
    segments, groups = found.grouping.segments, found.grouping.clusters
    options = "".join(f" --{key.replace('_', '-')} {value}" for key, value in told.items())
    facts = {
        "Length of a segment": f"about {segments.length_s:.3g} s",
        "Placed by": f"{placed[0].label} of {in_words(found.grouping.space, segments, found.grouping.features)}",
        "Clusters": f"{groups.k} by {groups.choice}: {groups.criterion}{groups.caution}",
        "Numbers of clusters": f"those of hybrid --source-cluster and --target-cluster{options}",
        **_worth(found),
        "Seed": str(seed),
        "Run": shown_name(run.path.name),
    }
    metrics = getattr(run, "metrics", {})
    if "error" in metrics and "pca_error" in metrics:
        facts["Held-out error"] = f"{metrics['error']:.3g} (PCA {metrics['pca_error']:.3g})"
    gone = sum(path is None for path in found.grouping.paths)
    if gone:
        facts["Silent files"] = f"{gone} of {len(run.files)} have moved or changed since the training"
    if warnings:
        facts["Notes"] = "; ".join(warnings)
    return facts


def _worth(found: RunClusters) -> dict[str, str]:
    quality = found.quality
    if quality is None:
        return {}
    facts = {"Purity of the clusters": f"{quality.purity:.2f}; one cluster would have {quality.purity_by_chance:.2f}"}
    if quality.silhouette is not None:
        facts["Silhouette of the clusters"] = f"{quality.silhouette:.2f}"
    if quality.stability is not None:
        said = f"{quality.stability:.2f} (Jaccard index; below 0.6, do not trust)"
        facts[f"Clusters found again in resampled {quality.resampled}"] = said
    return facts
