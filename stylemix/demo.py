"""Everything, from nothing: compose two corpora, learn from them, render hybrids, show what came out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylemix.errors import BadInput
from stylemix.files import readable_os_errors

if TYPE_CHECKING:
    from stylemix.model.run import Run
    from stylemix.style_map.data import MapData

EXCERPT_S = 20.0
ALPHAS = (0.25, 0.5, 0.75)
# Of training; with everything around it a demo stays below five minutes on two cores.
MINUTES = 1.5


def make_demo(
    out: str | Path,
    *,
    minutes: float | None = None,
    seed: int = 0,
    force: bool = False,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Make the starter corpora, train on them, render hybrids and write one page to listen on.

    Parameters
    ----------
    out : str or Path
        A folder: corpora/, demo.mix/, hybrids/, map.html and listen.html come into it. What an interrupted demo has
        finished is used again.
    minutes : float, optional
        Of training; 1.5 by default.
    seed : int
        Of the music and of the training.
    force : bool
        Train and render again what is there already.
    show_progress : bool
        Show bars on stderr.

    Returns
    -------
    dict
        JSON-safe: the page, the map, the run, the hybrids, the training error, and seconds by stage.

    Raises
    ------
    BadInput
        If `out` is a file or holds a finished demo and `force` is not given.
    StylemixError
        If the disk is full.
    """
    folder = Path(out)
    page = folder / "listen.html"
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder}: is a file; --out of a demo is a folder")
    if page.exists() and not force:
        raise BadInput(f"{page}: a demo is there already; open it, or add --force to make it again")
    with readable_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock()
    run = clock.time("corpora and training", lambda: _trained(folder, minutes, seed, force, show_progress))
    results = clock.time("hybrids", lambda: _hybrids(run, folder / "hybrids", show_progress))
    points, atlas = clock.time("map", lambda: _map(run, folder / "map.html", show_progress))
    clock.time("page", lambda: _write_page(page, run, folder / "hybrids", results, points, clock.seconds))
    return {
        "page": str(page),
        "map": str(folder / "map.html"),
        "segments": atlas["segments"],
        "run": str(run.path),
        "hybrids": {name: result["out"] for name, result in results.items()},
        "error_over_pca": run.metrics["error_over_pca"],
        "seconds": {name: round(s, 1) for name, s in clock.seconds.items()},
        "total_s": round(sum(clock.seconds.values()), 1),
    }


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        result = work()
        self.seconds[name] = time.monotonic() - started
        return result


def _trained(folder: Path, minutes: float | None, seed: int, force: bool, show: bool) -> Run:
    from stylemix.learn import train
    from stylemix.starter import make_starter

    corpora = make_starter(folder / "corpora", seed=seed, force=force, show_progress=show)
    return train(
        corpora,
        out=folder / "demo.mix",
        minutes=MINUTES if minutes is None else minutes,
        seed=seed,
        resume=not force,
        force=force,
        show_progress=show,
    )


def _hybrids(run: Run, folder: Path, show: bool) -> dict[str, dict[str, Any]]:
    from stylemix.hybrid.render import hybrid_file

    curves: dict[str, float | str] = {f"alpha {alpha:g}": alpha for alpha in ALPHAS}
    curves["sweep"] = f"0:0,{EXCERPT_S:g}:1"
    results = {}
    for name, alpha in curves.items():
        stem = name.replace(" ", "-").replace(".", "")
        results[name] = hybrid_file(
            run, alpha=alpha, out=folder / f"{stem}.wav", stems=folder / stem, duration_s=EXCERPT_S, force=True,
            show_progress=show,
        )
    return results


def _map(run: Run, out: Path, show: bool) -> tuple[MapData, dict[str, Any]]:
    from stylemix.progress import progress
    from stylemix.style_map.atlas import map_data
    from stylemix.style_map.page import write_map

    with progress("map", 1.0, show=show) as update:
        points = map_data(run, hybrids=True, update=update)
        return points, write_map(out, points, force=True)


def _write_page(
    page: Path,
    run: Run,
    folder: Path,
    results: dict[str, dict[str, Any]],
    points: MapData,
    spent: dict[str, float],
) -> None:
    from stylemix.listening import ListeningData, TrainingCurve, write_listening_page

    m, curve = run.metrics, run.metrics["curve"]
    source, target = (name.replace("-", " ") for name in run.corpora[:2])
    data = ListeningData(
        title=f"Between {source} and {target}",
        intro=(
            f"Two little corpora, composed and synthesised by stylemix itself; one latent space learned from both "
            f"without labels in {m['seconds'] / 60:.1f} minutes; and new sound between them. Every hybrid keeps the "
            f"timeline of a piece of {source}; each of its moments was matched with a moment of {target}.",
            "The crossfade is the control: both parents at once. A hybrid should not sound like it.",
        ),
        players=_players(folder, results),
        facts=_facts(run, results, spent),
        curve=TrainingCurve(x=[row[0] for row in curve], error=[row[3] for row in curve], pca=curve[0][3]),
        tables=[_fade_table(folder, results)],
        points=points,
    )
    write_listening_page(page, data, force=True)


def _players(folder: Path, results: dict[str, dict[str, Any]]) -> list[Any]:
    from stylemix.pages.players import Player

    half, sweep = folder / "alpha-05", folder / "sweep"
    fixed = "Three places between"
    players = [Player("Source", "parent", half / "source.wav", 0.0, fixed)]
    for alpha in ALPHAS:
        players.append(Player("Hybrid", "hybrid", results[f"alpha {alpha:g}"]["out"], alpha, fixed))
    players += [
        Player("Matched target", "parent", half / "target.wav", 1.0, fixed, "in the source's time"),
        Player("Crossfade", "crossfade", half / "crossfade.wav", 0.5, fixed, "the control"),
        Player("Hybrid", "hybrid", results["sweep"]["out"], None, "From one to the other", "alpha 0 to 1"),
        Player("Crossfade", "crossfade", sweep / "crossfade.wav", None, "From one to the other", "the control"),
    ]
    return players


def _facts(run: Run, results: dict[str, dict[str, Any]], spent: dict[str, float]) -> dict[str, str]:
    facts, m = run.describe(), run.metrics
    render = min(result["real_time_factor"] for result in results.values())
    return {
        "Corpora": ", ".join(f"{c['name']} ({c['minutes']:.1f} min)" for c in facts["corpora"]),
        "Model": f"{facts['parameters']:,} parameters, {facts['latent_dim']} latent numbers "
        f"{facts['latent_rate_hz']:.1f} times a second",
        "Training": f"{m['steps']} steps in {m['seconds'] / 60:.1f} min on {m['device']}",
        "Held-out error": f"{m['error']:.4f} of the variance; PCA {m['pca_error']:.4f}",
        "Rendering": f"at least {render:.1f} times real time, stereo at 44.1 kHz",
        "Time": ", ".join(f"{name} {seconds:.0f} s" for name, seconds in spent.items()),
    }


def _fade_table(folder: Path, results: dict[str, dict[str, Any]]) -> Any:
    from stylemix.audio import read_wave
    from stylemix.listening import Table
    from stylemix.measure.metrics import fade_r2

    rows = []
    for name, result in results.items():
        if name == "sweep":
            # The share of a fade whose gains move is no property of one place between the parents.
            continue
        stems = Path(result["out"]).with_suffix("")
        source, target, crossfade = (read_wave(stems / f"{stem}.wav") for stem in ("source", "target", "crossfade"))
        hybrid = read_wave(stems / "hybrid.wav")
        explained = [100 * fade_r2(sound, source, target) for sound in (hybrid, crossfade)]
        rows.append([name, *(f"{value:.0f} %" for value in explained)])
    return Table(
        ("", "hybrid", "crossfade"),
        rows,
        "How much of the sound a fade of the two parents explains, band by band: less is more of a hybrid.",
    )
