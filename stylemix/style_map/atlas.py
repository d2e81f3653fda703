"""From a run to its map: segments described, grouped, placed, with their sound and hybrids between their clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.audio import read_tags, shown_name
from stylemix.clusters.choice import ClusterChoice, parse_choice
from stylemix.clusters.describe import DESCRIPTORS, Described, describe_segments
from stylemix.clusters.groups import Grouping, RunClusters, clusters_of
from stylemix.clusters.judging import judge
from stylemix.clusters.partners import partners_of
from stylemix.clusters.spaces import SPACE, Segments, check_space
from stylemix.errors import BadInput
from stylemix.files import check_output
from stylemix.model.run import inputs_of
from stylemix.progress import progress
from stylemix.style_map.clips import FileClips, shown_files
from stylemix.style_map.data import ClusterInfo, GridHybrid, Layout, MapData, Values
from stylemix.style_map.facts import hybrid_options, map_facts
from stylemix.style_map.figure import draw_map
from stylemix.style_map.layouts import DEFAULT, make_layouts, parse_layouts
from stylemix.style_map.newcomers import Newcomers, read_newcomers
from stylemix.style_map.page import write_map
from stylemix.style_map.pair_grid import render_pairs

if TYPE_CHECKING:
    from stylemix.model.run import Run

NEW = "new files"
"""What files are shown as that are on the map, but not of the run."""


def map_data(
    run: Run,
    *,
    space: str | None = None,
    layouts: str = DEFAULT,
    clusters: str | ClusterChoice | None = None,
    seed: int = 0,
    hybrids: bool = False,
    add: Sequence[str | Path] = (),
    update: Callable[..., None] = lambda done, note="": None,
) -> MapData:
    """Cut a run's files into segments, describe, group and place them, and find their sound.

    Parameters
    ----------
    run : Run
        A finished run.
    space : {"latents", "scattering", "both"}, optional
        In what segments are alike: what the model learned of them, the statistics of their scattering, or both. By
        default both, or the latents alone where a recording has moved or changed since the training.
    layouts : str
        Which pictures of that space, as in ``umap,pca:3``; the first is shown first.
    clusters : str or ClusterChoice, optional
        By which method and into how many clusters, as in ``kmeans:6``; by default those that hybrids count.
    seed : int
        Of the embeddings and the clusters.
    hybrids : bool
        Render hybrids of each cluster with its nearest one of another corpus.
    add : sequence of str or Path
        Sound files that are not of the run, to be set on its map.
    update : callable
        ``update(done, note=...)`` hears how far it is, 0 to 1.

    Returns
    -------
    MapData
        For `write_map`, `draw_map` or a page that holds a map; files that moved or changed since the training are
        silent.

    Raises
    ------
    BadInput
        If the space, a layout or a way to cluster is unknown, recordings are needed that are gone, or a file cannot be
        added.
    StylemixError
        If the run is damaged or its training did not finish.
    """
    check_space(space)
    wishes = parse_layouts(layouts)
    choice = parse_choice(clusters) if isinstance(clusters, str) else clusters
    found = clusters_of(run, space=space, choice=choice, seed=seed, update=update)
    found = judge(found, seed=seed, seeds=False, update=lambda share, note="": update(0.4 + 0.1 * share, note=note))
    new = read_newcomers(run, add, found.grouping) if add else None
    described = _described(run, found, new, lambda share: update(0.5 + 0.1 * share, note="descriptors"))
    warnings = []
    if space is None and found.grouping.space != SPACE:
        warnings.append(f"recordings are gone: segments are compared by their {found.grouping.space} alone")
    placed = make_layouts(
        run, found.grouping, wishes, newcomers=new, seed=seed, warnings=warnings,
        update=lambda share: update(0.6 + 0.2 * share, note="placing"),
    )  # fmt: skip
    made, told = [], hybrid_options(space, choice, seed)
    if hybrids:
        made = render_pairs(
            run, found, seed=seed, grouped=told, warnings=warnings,
            update=lambda share, note="": update(0.8 + 0.15 * share, note=note or "hybrids"),
        )  # fmt: skip
    update(0.95, note="sound")
    facts = map_facts(run, found, placed, told, warnings, seed)
    if new is not None:
        facts["New files"] = f"{(new.out > 1).sum()} of their {len(new.out)} segments are like nothing on the map"
    return _assembled(run, found, new, described, placed, made, facts)


def _assembled(
    run: Run,
    found: RunClusters,
    new: Newcomers | None,
    described: Described,
    placed: list[Layout],
    made: list[GridHybrid],
    facts: dict[str, str],
) -> MapData:
    grouping = found.grouping
    segments, paths = _together(grouping.segments, list(grouping.paths), new)
    n_new = 0 if new is None else len(new.segments.file)
    corpus = np.append(grouping.corpus, np.full(n_new, len(run.corpora)))
    labels = np.append(grouping.clusters.labels, [] if new is None else new.labels).astype(int)
    corpora = [shown_name(name) for name in run.corpora]
    added = [] if new is None else list(new.paths)
    owners = [file.corpus for file in run.files] + [len(run.corpora)] * len(added)
    shown = shown_files([*(Path(file.path) for file in run.files), *added], owners)
    there = np.array([path is not None for path in paths])
    values = {
        name: Values(one.label, one.unit, getattr(described, name), one.scale) for name, one in DESCRIPTORS.items()
    }
    return MapData(
        placed[0].points[:, :2], corpus, labels, [shown[i] for i in segments.file], segments.start_s,
        segments.duration_s, corpora + [NEW] * bool(n_new), grouping.clusters.names,
        clip=FileClips(paths, segments), audible=there[segments.file], title=" and ".join(corpora),
        facts=facts, layouts=placed, values=values,
        tags=_tags(paths, owners, shown), infos=_infos(run, found), hybrids=made,
        placed=np.arange(len(labels)) >= len(grouping.corpus), run=shown_name(run.path.name),
        partners=_partners(run, found.grouping, there),
    )  # fmt: skip


def _partners(run: Run, grouping: Grouping, there: np.ndarray) -> np.ndarray:
    return partners_of(
        grouping.points, grouping.corpus, len(run.corpora), allowed=there[grouping.segments.file]
    )


def _tags(paths: Sequence[Path | None], owners: Sequence[int], shown: Sequence[str]) -> list[str]:
    # One for each name of a corpus, as the map counts files.
    tags: dict[tuple[int, str], str] = {}
    for path, owner, name in zip(paths, owners, shown, strict=True):
        tags.setdefault((owner, name), "" if path is None else str(read_tags(path)))
    return list(tags.values())


def _together(
    segments: Segments, paths: list[Path | None], new: Newcomers | None
) -> tuple[Segments, list[Path | None]]:
    if new is None:
        return segments, paths
    own, more = segments, new.segments
    joined = Segments(
        np.concatenate([own.latents, more.latents]),
        np.append(own.file, more.file + len(paths)),
        np.append(own.start_s, more.start_s),
        np.append(own.duration_s, more.duration_s),
        own.length_s,
        np.append(own.n_steps, more.n_steps),
    )
    return joined, [*paths, *new.paths]


def _described(
    run: Run, found: RunClusters, new: Newcomers | None, update: Callable[[float], None]
) -> Described:
    if new is None and found.grouping.described is not None:
        return found.grouping.described
    segments, paths = _together(found.grouping.segments, list(found.grouping.paths), new)
    hashes = [file.sha256 for file in run.files] + ([] if new is None else list(new.hashes))
    return describe_segments(paths, hashes, segments, update)


def _infos(run: Run, found: RunClusters) -> list[ClusterInfo]:
    segments, names = found.grouping.segments, [shown_name(name) for name in run.corpora]
    infos = []
    for one in found.clusters:
        here = (segments.file == one.medoid.file) & (segments.start_s <= one.medoid.start_s + 1e-6)
        infos.append(
            ClusterInfo(
                one.number,
                found.grouping.clusters.names[one.number - 1],
                one.size,
                dict(zip(names, one.shares, strict=True)),
                int(np.flatnonzero(here)[-1]),
                {names[corpus]: near for corpus, near in one.nearest.items()},
                np.nan if one.silhouette is None else one.silhouette,
                np.nan if one.stability is None else one.stability,
            )
        )
    return infos


def map_run(
    run: Run,
    out: str | Path | None = None,
    *,
    pictures: Sequence[str | Path] = (),
    colour: str = "corpus",
    force: bool = False,
    show_progress: bool = True,
    **wanted: Any,
) -> dict[str, Any]:
    """Write the map of a run: one page that opens offline and plays every segment, and pictures for papers.

    Parameters
    ----------
    run : Run
        A finished run.
    out : str or Path, optional
        The page.
    pictures : sequence of str or Path
        Still pictures of the first layout; PNG, SVG or PDF by their endings.
    colour : str
        What the pictures' colours tell: ``corpus``, ``cluster``, ``time`` or one of the descriptors.
    force : bool
        Allow existing files to be replaced.
    show_progress : bool
        Show a bar on stderr.
    **wanted
        As for `map_data`: space, layouts, clusters, seed, hybrids, add.

    Returns
    -------
    dict
        path, bytes, segments, files, clusters, with_sound, longest_clip_s, hybrids, layouts (with their scores),
        notes, pictures, notice, and lines for people; without a page, only what a picture has.

    Raises
    ------
    BadInput
        If nothing is to be written, a file exists without `force` or is one of the run's files, or a wish is no good.
    StylemixError
        If the run is damaged or something cannot be written.
    """
    if out is None and not pictures:
        raise BadInput("map: nothing is to be written; give --out PAGE.html, --png FILE or --svg FILE")
    inputs = [*inputs_of(run), *wanted.get("add", ())]
    for path in [*([] if out is None else [out]), *pictures]:
        check_output(path, force=force, inputs=inputs)
    with progress("map", 1.0, show=show_progress) as update:
        points = map_data(run, update=update, **wanted)
        facts: dict[str, Any] = {
            "segments": points.n_segments,
            "clusters": len(points.cluster_names),
            "layouts": {layout.name: dict(layout.scores) for layout in points.layouts},
            "notes": points.facts.get("Notes", ""),
        }
        if out is not None:
            facts |= write_map(out, points, force=force, inputs=inputs)
        if pictures:
            facts["pictures"] = [
                draw_map(points, path, colour=colour, force=force, inputs=inputs)["path"] for path in pictures
            ]
        update(1.0)
    return facts | {"lines": _lines(facts)}


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = [f"{facts['segments']} segments in {facts['clusters']} clusters"]
    for name, scores in facts["layouts"].items():
        lines.append(f"  {name}: " + ", ".join(f"{what.lower()} {value:.2f}" for what, value in scores.items()))
    if "path" in facts:
        sound = f"{facts['with_sound']} with sound, {facts['hybrids']} hybrids, {facts['bytes'] / 1e6:.1f} MB"
        lines += [f"{facts['path']}: {sound}", *([facts["notice"]] if facts["notice"] else [])]
    lines += [f"note: {facts['notes']}"] if facts["notes"] else []
    return lines + [f"{picture}: a picture" for picture in facts.get("pictures", ())]
