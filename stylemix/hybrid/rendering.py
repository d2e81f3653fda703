"""From an order to the files it asks for: the steps that all ways of rendering share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stylemix.hybrid.modes import resolve
from stylemix.hybrid.order import Order
from stylemix.hybrid.pieces import pieces
from stylemix.hybrid.prepare import Prepared, prepare_variations
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.writing import Outputs
from stylemix.progress import progress


def prepare_ways(order: Order, reader: SourceReader, n: int, show_progress: bool) -> list[Prepared]:
    """Find what the source meets, in n ways.

    Parameters
    ----------
    order : Order
        What was asked for.
    reader : SourceReader
        The source.
    n : int
        How many.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    list of Prepared
        See `stylemix.hybrid.prepare.prepare_variations`.
    """
    # A curve that reaches beyond the end is said before the search, which may take minutes.
    order.positions(reader.duration_s)
    return prepare_variations(
        order.run, order.roles, reader, n, dials=order.dials, seed=order.asked.seed, show_progress=show_progress
    )


def order_outputs(
    order: Order,
    reader: SourceReader,
    out: str | Path,
    stems: str | Path | None,
    bits: str | None,
    sample_rate: int | None,
    force: bool,
) -> Outputs:
    """Open the files that an order is written to.

    Parameters
    ----------
    order : Order
        What was asked for.
    reader : SourceReader
        The source.
    out : str or Path
        The file to write.
    stems : str or Path or None
        Folder for the stems.
    bits : str or None
        Sample format.
    sample_rate : int or None
        Of the files (Hz), if another one than the source's.
    force : bool
        Allow existing files to be replaced.

    Returns
    -------
    Outputs
        To be used in a ``with`` block.
    """
    return Outputs(
        out,
        stems,
        n_channels=reader.n_channels,
        sample_rate=reader.sample_rate,
        out_rate=sample_rate,
        bits=bits,
        force=force,
        inputs=order.inputs(),
    )


def render_order(
    order: Order, prepared: Prepared, reader: SourceReader, sinks: Outputs, show_progress: bool
) -> dict[str, Any]:
    """Write one hybrid, and tell what it is.

    Parameters
    ----------
    order : Order
        What was asked for.
    prepared : Prepared
        One way to fulfil it.
    reader : SourceReader
        The source.
    sinks : Outputs
        Where it goes.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        JSON-safe: source, target, from, to, mode, dials, phase, quality, alpha, calibrated, seconds, channels, walk if
        there is one, warnings and facts about the alignment.
    """
    curve, calibrated, warnings = order.positions(reader.duration_s)
    with progress("rendering", reader.duration_s, show=show_progress) as report:
        for piece in pieces(prepared, reader, curve, want_target=sinks.has_stems):
            sinks.write(piece.hybrid, piece.source, piece.target, order.curve)
            report(piece.seconds_done)
    roles, dials = order.roles, resolve(order.dials)
    return {
        "source": str(roles.source),
        "target": _target(order, heard=bool(prepared.targets)),
        "from": order.run.corpora[roles.own],
        "to": ", ".join(order.run.corpora[i] for i in roles.others),
        "mode": dials.mode,
        "dials": dials.as_dict(),
        "phase": dials.phase,
        "quality": dials.told_quality,
        "alpha": order.curve.told(),
        "calibrated": calibrated,
        "seconds": reader.duration_s,
        "channels": reader.n_channels,
        **({} if order.asked.walk is None else {"walk": order.asked.walk.told()}),
        **prepared.facts,
        "warnings": [*prepared.warnings, *warnings],
    }


def _target(order: Order, *, heard: bool) -> str:
    """Say what was used: a file and the stretch of it, or the corpora."""
    roles = order.roles
    # The mode style hears no file: it goes by the corpus.
    given = {key for key in roles.targets if heard and (key < 0 or len(roles.targets) == 1)}
    names = [str(roles.targets[key]) for key in given] or [order.run.corpora[i] for i in roles.others]
    if roles.target_cluster is not None:
        names.append(f"cluster {roles.target_cluster}")
    stretch = roles.target_stretch_s
    return ", ".join(names) + ("" if stretch is None else f" from {stretch[0]:.3g} s, {stretch[1]:.3g} s long")
