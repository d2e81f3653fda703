"""The page of the server: the map with a panel beside it, and what its orders may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.explore.orders import AROUND_S, LONGEST_S, MATERIALS, MODES, MOST_STEPS, SHORTEST_S, places_of
from stylemix.pages.document import data_block, json_for_html, read_template
from stylemix.progress import progress

if TYPE_CHECKING:
    from stylemix.explore.orders import Places
    from stylemix.model.run import Run
    from stylemix.style_map.page import MapData

STYLES = ("explore/explore.css",)
SCRIPTS = ("explore/moves.js", "explore/history.js", "explore/explore.js")
MAX_BYTES = 64_000_000
"""More than a file that is sent around: this page travels within one machine, once."""


def explore_page(run: Run, *, show_progress: bool = True, **wanted: Any) -> tuple[str, Places]:
    """Make the page for a run.

    Parameters
    ----------
    run : Run
        A finished run.
    show_progress : bool
        Show a bar on stderr.
    **wanted
        As for `stylemix.style_map.atlas.map_data`.

    Returns
    -------
    page : str
        The whole document.
    places : Places
        What its orders may name.

    Raises
    ------
    BadInput
        If the map cannot be made.
    """
    from stylemix.clusters.choice import parse_choice
    from stylemix.style_map.atlas import map_data
    from stylemix.style_map.facts import hybrid_options

    with progress("map", 1.0, show=show_progress) as update:
        points = map_data(run, update=update, **wanted)
        clusters = wanted.get("clusters")
        choice = parse_choice(clusters) if isinstance(clusters, str) else clusters
        # Labels count from 0, and -1 is in no cluster; numbers from 1, and 0.
        grouping = hybrid_options(wanted.get("space"), choice, wanted.get("seed", 0))
        places = places_of(run, np.asarray(points.cluster) + 1, grouping)
        page = explore_document(points, places)
        update(1.0)
    return page, places


def explore_document(points: MapData, places: Places) -> str:
    """Put the map and the panel together.

    Parameters
    ----------
    points : MapData
        The segments, in the order of `places`.
    places : Places
        What orders may name.

    Returns
    -------
    str
        The whole document.
    """
    from stylemix.style_map.page import map_document

    return map_document(
        points, max_bytes=MAX_BYTES, panel=read_template("explore/explore.html"), styles=STYLES, scripts=SCRIPTS,
        data=data_block("explore-data", json_for_html(_settings(points, places))), served=True,
    )  # fmt: skip


def _settings(points: MapData, places: Places) -> dict[str, Any]:
    from stylemix.hybrid.modes import MODES as ABOUT

    there = [places.paths[index] is not None for index in places.file]
    return {
        "modes": [{"name": name, "why": ABOUT[name].why} for name in MODES],
        "materials": [name for name in MATERIALS if name != "cluster" or places.cluster is not None],
        "around_s": AROUND_S, "seconds": [SHORTEST_S, LONGEST_S], "most_steps": MOST_STEPS,
        # Segments whose recording is gone cannot be asked for.
        "gone": [i for i, one in enumerate(there) if not one],
        "partners": None if points.partners is None else points.partners.tolist(),
        "step_s": round(float(np.median(places.duration_s)), 3),
    }  # fmt: skip
