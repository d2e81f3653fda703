"""What the command `clusters` does: list them, write a table, export their sound, compare ways to find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.clusters.choice import parse_choice
from stylemix.clusters.compare import CHOICES, compare_map, comparison_lines
from stylemix.clusters.export import check_export, export_clusters
from stylemix.clusters.groups import clusters_of
from stylemix.clusters.judging import judge
from stylemix.clusters.listing import listing_of
from stylemix.clusters.spaces import check_space
from stylemix.clusters.telling import listing_csv, listing_lines
from stylemix.files import check_output, write_text
from stylemix.model.run import Run, inputs_of
from stylemix.progress import progress

STDOUT = "-"


def report_clusters(
    run: Run,
    *,
    clusters: str | None = None,
    space: str | None = None,
    seed: int = 0,
    csv: str | Path | None = None,
    export: str | Path | None = None,
    split: str = "segments",
    compare: bool = False,
    force: bool = False,
    show_progress: bool = True,
) -> tuple[dict[str, Any], list[str]]:
    """List the clusters of a run, and write what is asked for.

    Parameters
    ----------
    run : Run
        A finished run.
    clusters : str, optional
        METHOD or METHOD:K.
    space : {"latents", "scattering", "both"}, optional
        In what segments are alike.
    seed : int
        Of the clusters.
    csv : str or Path, optional
        A file for the table; ``-`` for the lines that are returned.
    export : str or Path, optional
        A folder for the sound of each cluster.
    split : {"segments", "joined"}
        How that is cut.
    compare : bool
        Compare all methods, spaces and maps, too, or those that are asked for, which takes minutes.
    force : bool
        Allow existing files to be replaced; recordings never are.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    data : dict
        Of `stylemix.clusters.listing.listing_of`; with csv and export, where they were written; with comparison, of
        `stylemix.clusters.compare.compare_map`.
    lines : list of str
        For people, or the table.

    Raises
    ------
    BadInput
        If what is asked for makes no sense, or an output exists without `force`.
    StylemixError
        If the training did not finish, or something cannot be written.
    """
    # All that can be refused is refused before the minutes that grouping may take.
    choice = None if clusters is None else parse_choice(clusters)
    check_space(space)
    table = None if csv is None or str(csv) == STDOUT else check_output(csv, force=force, inputs=inputs_of(run))
    if export is not None:
        check_export(run, export, split)
    with progress("clusters", 1.0, show=show_progress) as update:
        found = clusters_of(run, space=space, choice=choice, seed=seed, update=update)
        found = judge(found, seed=seed, update=lambda done, note="": update(0.4 + 0.3 * done, note))
        data = listing_of(run, found, seed=seed, update=lambda share: update(0.7 + 0.1 * share, "describing"))
        if table is not None:
            write_text(table, listing_csv(data))
            data["csv"] = str(table)
        # After the table, so that a disk that is too small for the sound does not take that away.
        if export is not None:
            data["export"] = export_clusters(
                run, found, export, split=split, force=force, update=lambda share: update(0.8 + 0.2 * share, "export")
            )
        if compare:
            spaces, ways = [space] if space else None, [choice] if choice else CHOICES
            data["comparison"] = compare_map(run, spaces=spaces, choices=ways, seed=seed, update=update)
        update(1.0)
    # The table is all that stdout holds then: it goes into a pipe.
    return data, listing_csv(data).splitlines() if csv is not None and table is None else _told(data)


def _told(data: dict[str, Any]) -> list[str]:
    compared = ["", *comparison_lines(data["comparison"])] if "comparison" in data else []
    return [*listing_lines(data), *compared, *_written(data)]


def _written(data: dict[str, Any]) -> list[str]:
    lines = [f"{shown_name(data['csv'])}: the table"] if "csv" in data else []
    if facts := data.get("export"):
        lines.append(
            f"{shown_name(facts['out'])}: {facts['files']} files in {len(facts['folders'])} folders, "
            f"{facts['seconds'] / 60:.1f} minutes, {facts['bytes'] / 1e6:.0f} MB; {shown_name(facts['index'])} tells "
            "where each is from"
        )
        for n, what in (
            (facts["left_out"], "segments left out, their recordings have moved or changed"),
            (facts["in_no_cluster"], "segments left out, they are in no cluster"),
            (facts["others"], "other files lie in these folders, from before"),
        ):
            lines += [f"note: {n} {what}"] if n else []
    return ["", *lines] if lines else []
