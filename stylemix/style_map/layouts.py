"""Which pictures of the space a map holds, and how they are made: over the map before, with newcomers set on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylemix.embedding.kept import embed_again
from stylemix.embedding.placing import place_points
from stylemix.embedding.stability import Provenance
from stylemix.errors import BadInput
from stylemix.style_map.data import Layout

if TYPE_CHECKING:
    from stylemix.clusters.groups import Grouping
    from stylemix.embedding.embed import Embedding
    from stylemix.model.run import Run
    from stylemix.style_map.newcomers import Newcomers

DEFAULT = "umap,umap:3,pca"
SHOWN = {"pca": "PCA", "isomap": "Isomap", "tsne": "t-SNE", "umap": "UMAP"}
_KNOWN = ", ".join(SHOWN)


@dataclass(frozen=True)
class LayoutWish:
    """A picture that was asked for.

    Parameters
    ----------
    method : {"umap", "tsne", "isomap", "pca"}
        How segments are placed.
    dims : {2, 3}
        On a plane or in a room.
    """

    method: str
    dims: int = 2


def parse_layouts(text: str) -> tuple[LayoutWish, ...]:
    """Read which pictures a user wants.

    Parameters
    ----------
    text : str
        "METHOD" or "METHOD:DIMS", with commas between them; the first is shown first.

    Returns
    -------
    tuple of LayoutWish
        Each once.

    Raises
    ------
    BadInput
        If there is none, or a method or a number of dimensions is unknown.

    Examples
    --------
    >>> parse_layouts("umap,pca:3")
    (LayoutWish(method='umap', dims=2), LayoutWish(method='pca', dims=3))
    """
    wishes = []
    for word in (word.strip().lower() for word in text.split(",") if word.strip()):
        method, colon, dims = word.partition(":")
        method = "tsne" if method == "t-sne" else method
        if method not in SHOWN or (colon and dims not in ("2", "3")):
            raise BadInput(
                f"layouts: each must be METHOD, METHOD:2 or METHOD:3, with METHOD one of {_KNOWN}, got {word!r}"
            )
        wishes.append(LayoutWish(method, int(dims or 2)))
    if not wishes:
        raise BadInput(f"layouts: there must be at least one of {_KNOWN}; leave the option out for {DEFAULT}")
    return tuple(dict.fromkeys(wishes))


def make_layouts(
    run: Run,
    grouping: Grouping,
    wishes: Sequence[LayoutWish],
    *,
    newcomers: Newcomers | None = None,
    seed: int = 0,
    warnings: list[str] | None = None,
    update: Callable[[float], None] = lambda share: None,
) -> list[Layout]:
    """Place the segments of a run in each way that was asked for.

    Each picture is laid over the one that the run was last shown by, so that it looks the same after a re-run and
    nearly the same after further training; then it is kept in the run for the next.

    Parameters
    ----------
    run : Run
        The run.
    grouping : Grouping
        Its segments and what describes them.
    wishes : sequence of LayoutWish
        Which pictures.
    newcomers : Newcomers, optional
        Segments of other files, set among the run's own without moving them.
    seed : int
        Of the methods that draw.
    warnings : list of str, optional
        Gets what the user should know.
    update : callable
        ``update(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    list of Layout
        One a wish, but for wishes that came to the same; points of the newcomers last.
    """
    segments = grouping.segments
    provenance = Provenance([file.sha256 for file in run.files], segments.file, segments.start_s, grouping.corpus)
    layouts: dict[str, Layout] = {}
    for done, wish in enumerate(wishes):
        update(done / len(wishes))
        found, notice = embed_again(
            run.path, grouping.space, grouping.features, provenance, method=wish.method, dims=wish.dims, seed=seed
        )
        if notice and warnings is not None and notice not in warnings:
            warnings.append(notice)
        points = found.points
        if newcomers is not None:
            points = np.concatenate([points, place_points(newcomers.features, grouping.features, points)])
        # Named by what was made, not by what was asked for: with few segments several wishes come to the same.
        layouts.setdefault(f"{found.method}-{wish.dims}d", _layout(found, wish, points))
        if found.method != found.asked and warnings is not None:
            warnings.append(f"too few different segments for {SHOWN[found.asked]}, {SHOWN[found.method]} is shown")
    return list(layouts.values())


def _layout(found: Embedding, wish: LayoutWish, points: np.ndarray) -> Layout:
    label = SHOWN[found.method] + (", 3-D" if wish.dims == 3 else "")
    note = ""
    if found.method != found.asked:
        note = f"Too few different segments for {SHOWN[found.asked]}: these are their principal components."
    elif found.explained:
        held = 100 * sum(found.explained)
        note = f"The axes hold {held:.0f} % of what sets segments apart; the rest is not in the picture."
    scores, shown = found.scores, {}
    for name, value in (
        ("Trustworthiness", scores.trustworthiness),
        ("Continuity", scores.continuity),
        ("Neighbours kept", scores.kept),
        ("Neighbours in other files of the same corpus", scores.same_corpus),
        ("the same by chance", scores.same_corpus_by_chance),
    ):
        if np.isfinite(value):
            shown[name] = float(value)
    return Layout(f"{found.method}-{wish.dims}d", label, points, shown, note)
