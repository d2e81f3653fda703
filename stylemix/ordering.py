"""What the command `hybrid` does: one file, a folder of files, or several answers with a page to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylemix.errors import BadInput
from stylemix.hybrid.command import hybrid_command

if TYPE_CHECKING:
    from stylemix.model.run import Run

# What is another's in each repetition, or of this time only.
_NOT_REPEATED = ("force", "stems", "variation", "show_progress")


def render_asked(
    run: Run, *, out: str | Path, source: str | Path | None = None, variations: int | None = None, **asked: Any
) -> dict[str, Any]:
    """Render what was asked for.

    Parameters
    ----------
    run : Run
        The trained model.
    out : str or Path
        A file, or a folder where there are several sources or variations.
    source : str or Path, optional
        A file or a folder.
    variations : int, optional
        How many answers.
    **asked
        As for `stylemix.hybrid.render.hybrid_file`.

    Returns
    -------
    dict
        JSON-safe, of `hybrid_file`, `hybrid_folder` or `render_variations`.

    Raises
    ------
    BadInput
        If an input is wrong.
    """
    from stylemix.hybrid.render import hybrid_file, hybrid_folder

    folder = source is not None and Path(source).is_dir()
    if variations is not None:
        if folder:
            raise BadInput("variations: need one source, got a folder; give --source FILE")
        if asked.pop("stems", None) is not None:
            raise BadInput("variations: come with their parents in the folder --out; leave --stems out")
        if asked.pop("variation", 1) != 1:
            raise BadInput("variations: render all of them, got --variation too; leave one out")
        return render_variations(run, n=variations, out=out, source=source, **asked)
    if folder:
        return hybrid_folder(run, source=str(source), out=out, **asked)
    return hybrid_file(run, source=source, out=out, **asked)


def render_variations(run: Run, *, n: int, out: str | Path, force: bool = False, **asked: Any) -> dict[str, Any]:
    """Render variations and a contact sheet to choose from.

    Parameters
    ----------
    run : Run
        The trained model.
    n : int
        How many, 2 to 50.
    out : str or Path
        The folder.
    force : bool
        Allow existing files to be replaced.
    **asked
        As for `stylemix.hybrid.variations.hybrid_variations`.

    Returns
    -------
    dict
        JSON-safe, of `hybrid_variations`, with page (path, bytes).

    Raises
    ------
    BadInput
        If an input is wrong or an output exists.
    """
    from stylemix.contact_sheet import Card, write_contact_sheet
    from stylemix.hybrid.variations import hybrid_variations
    from stylemix.pages.players import Player

    page = Path(out) / "index.html"
    result = hybrid_variations(run, n=n, out=out, force=force, beside=[page.name], **asked)
    repeated = {name: value for name, value in asked.items() if name not in _NOT_REPEATED}
    parents = result["parents"]
    cards = [
        Card(Player("Source", "parent", parents["source"]), "parents/source.wav"),
        Card(Player("Crossfade", "crossfade", parents["crossfade"]), "parents/crossfade.wav"),
    ]
    for i, one in enumerate(result["variations"]):
        name = Path(one["out"]).name
        cards.append(
            Card(
                Player(f"Variation {i + 1}", "hybrid", one["out"]),
                name,
                hybrid_command(run.path, {**repeated, "variation": i + 1}, out=name),
                mean_run_s=one.get("mean_run_s"),
                differs=one.get("apart"),
            )
        )
    title = f"{n} hybrids of {Path(result['variations'][0]['source']).name}"
    result["page"] = write_contact_sheet(page, cards, title=title, force=force)
    return result


def answer_lines(result: dict[str, Any]) -> list[str] | None:
    """Say for people what came of several sources, or of several answers.

    Parameters
    ----------
    result : dict
        Of `render_asked`.

    Returns
    -------
    list of str or None
        What there is in all, then a line for each file, then the warnings; None for a single hybrid.

    Examples
    --------
    >>> one = {"out": "d/variation-01.wav", "mean_run_s": 1.25, "apart": 0.0}
    >>> answer_lines({"page": {"path": "d/index.html"}, "variations": [one], "warnings": []})
    ['d/index.html: 1 hybrid to choose from', 'd/variation-01.wav: runs of 1.2 s on average, the best match']
    >>> answer_lines({"out": "d", "done": [{"out": "d/a.wav", "seconds": 2.0, "warnings": []}], "warnings": []})
    ['d: 1 hybrid', 'd/a.wav: 2.0 s']
    """
    if "done" in result:
        return _folder_lines(result)
    if "variations" not in result:
        return None
    done = result["variations"]
    lines = [f"{result['page']['path']}: {_hybrids(len(done))} to choose from"]
    for i, one in enumerate(done):
        facts = []
        if one.get("mean_run_s") is not None:
            facts.append(f"runs of {one['mean_run_s']:.1f} s on average")
        if i == 0:
            facts.append("the best match")
        elif one.get("apart") is not None:
            facts.append(f"{100 * one['apart']:.0f} % of the time other material than the first")
        lines.append(f"{one['out']}: {', '.join(facts)}" if facts else str(one["out"]))
    return lines + [f"warning: {line}" for line in result["warnings"]]


def _folder_lines(result: dict[str, Any]) -> list[str]:
    done = result["done"]
    lines = [f"{result['out']}: {_hybrids(len(done))}", *(f"{one['out']}: {one['seconds']:.1f} s" for one in done)]
    # What is said of every file is said once.
    warnings = [*result["warnings"], *dict.fromkeys(line for one in done for line in one["warnings"])]
    return lines + [f"warning: {line}" for line in warnings]


def _hybrids(n: int) -> str:
    return f"{n} hybrid{'s' * (n != 1)}"
