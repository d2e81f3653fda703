"""The commands that look at something: inspect, map, clusters, evaluate, properties, info, recipes."""

from __future__ import annotations

import typer

from stylemix.cli import options as opt
from stylemix.cli.outcome import answer


def inspect(folders: opt.Folders, as_json: opt.Json = False) -> None:
    """Say what is in the folders, what will be skipped and why, and whether it is enough to train on.

    \b
    Example:
      stylemix inspect cage/ beach-boys/
    """
    with answer(as_json) as give:
        from stylemix.doctor import inspect_folders

        report = inspect_folders(folders)
        give(report.to_dict(), report.lines())


def map_styles(
    run: opt.RunFolder,
    out: opt.MaybeOut = None,
    space: opt.Space = None,
    layouts: opt.Layouts = "umap,umap:3,pca",
    clusters: opt.ClustersBy = None,
    hybrids: opt.Hybrids = True,
    add: opt.Add = None,
    png: opt.Png = None,
    svg: opt.Svg = None,
    colour: opt.Colour = "corpus",
    seed: opt.Seed = 0,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Draw the style clusters on a page where a click plays the sound, with hybrids between them.

    \b
    Example:
      stylemix map both.mix --out map.html
      stylemix map both.mix --out map.html --space scattering --layouts tsne,pca:3 --clusters kmeans:6
      stylemix map both.mix --out map.html --add song.wav --svg map.svg --colour cluster
    """
    with answer(as_json) as give:
        from stylemix.model.run import load_run
        from stylemix.style_map.atlas import map_run

        pictures = [path for path in (png, svg) if path is not None]
        result = map_run(
            load_run(run), out, pictures=pictures, colour=colour, space=space, layouts=layouts, clusters=clusters,
            hybrids=hybrids, add=add or (), force=force, seed=seed, show_progress=not quiet,
        )  # fmt: skip
        give(result, result.get("lines"))


def clusters(
    run: opt.RunFolder,
    by: opt.ClustersBy = None,
    space: opt.Space = None,
    seed: opt.Seed = 0,
    csv: opt.Csv = None,
    export: opt.Export = None,
    split: opt.Split = "segments",
    compare: opt.Compare = False,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """List the clusters of a run: what they sound like, whose they are, what is near, and how to hybridise them.

    \b
    Example:
      stylemix clusters both.mix
      stylemix clusters both.mix --clusters kmeans:6 --csv clusters.csv
      stylemix clusters both.mix --export sounds/ --split joined
      stylemix clusters both.mix --compare
    """
    if as_json and str(csv) == "-":
        raise typer.BadParameter("stdout holds one answer; leave --json out, or give a file", param_hint="--csv")
    with answer(as_json) as give:
        from stylemix.clusters.report import report_clusters
        from stylemix.model.run import load_run

        give(*report_clusters(
            load_run(run), clusters=by, space=space, seed=seed, csv=csv, export=export, split=split,
            compare=compare, force=force, show_progress=not quiet,
        ))  # fmt: skip


def evaluate(
    run: opt.RunFolder,
    out: opt.MaybeOut = None,
    modes: opt.Modes = "match,style",
    controls: opt.Controls = "fade,cross",
    phase: opt.HybridPhase = "auto",
    sources: opt.Sources = 2,
    both_directions: opt.BothDirections = False,
    raw_alpha: opt.RawAlpha = False,
    ablation: opt.Ablation = False,
    seed: opt.Seed = 0,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Measure what the hybrids of every mode are worth on unheard files, beside the fades that they must not be.

    \b
    Example:
      stylemix evaluate both.mix --out report.html
      stylemix evaluate both.mix --modes match,style,morph --sources 4 --json
    """
    with answer(as_json) as give:
        from stylemix.measure.report import evaluate as evaluate_run
        from stylemix.model.run import load_run

        result = evaluate_run(
            load_run(run), out=out, modes=opt.words(modes), controls=opt.words(controls), phase=phase,
            n_sources=sources, both_directions=both_directions, raw_alpha=raw_alpha, ablation=ablation, seed=seed,
            force=force, show_progress=not quiet,
        )  # fmt: skip
        give(result, result.get("lines"))


def properties(
    files: opt.MaybeFiles = None,
    out: opt.MaybeOut = None,
    quick: opt.Quick = False,
    reconstruct: opt.Reconstruct = True,
    seed: opt.Seed = 0,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Measure what eight representations of sound keep and what moves them, from Fourier to spiral scattering.

    Discriminability, stability under warps, invariance to shift and transposition, and what sound can be made
    from each; on your files, or on sounds that stylemix composes.

    \b
    Example:
      stylemix properties song.wav other.wav --out properties.html
      stylemix properties --quick
    """
    with answer(as_json) as give:
        from stylemix.measure.properties.report import measure_properties

        result = measure_properties(
            files or [], out=out, force=force, quick=quick, reconstruct=reconstruct, seed=seed,
            show_progress=not quiet,
        )
        give(result, result.get("lines"))


def info(run: opt.RunFolder, as_json: opt.Json = False) -> None:
    """Show what a run was made from and what it has reached.

    \b
    Example:
      stylemix info both.mix
    """
    with answer(as_json) as give:
        from stylemix.model.run import load_run

        loaded = load_run(run)
        give(loaded.describe(), loaded.card().splitlines())


def recipes(name: opt.RecipeName = None, as_json: opt.Json = False) -> None:
    """List the recipes that ship with stylemix, or show one with every key it resolves to.

    \b
    Example:
      stylemix recipes
      stylemix recipes quick
    """
    with answer(as_json) as give:
        from stylemix.recipe import list_recipes, load_recipe

        if name is None:
            about = list_recipes()
            give({"recipes": about}, [f"{key:8} {line}" for key, line in about.items()])
        else:
            recipe = load_recipe(name)
            give({"name": name, "recipe": recipe.to_dict()}, recipe.to_toml().splitlines())


def modes(name: opt.ModeName = None, as_json: opt.Json = False) -> None:
    """List the modes of a hybrid, or show the page about one: how it goes, and why.

    \b
    Example:
      stylemix modes
      stylemix modes match
    """
    with answer(as_json) as give:
        from stylemix.hybrid.modes import MODES, mode_page

        if name is None:
            about = {key: mode.why for key, mode in MODES.items()}
            give({"modes": about}, [f"{key:6} {line}" for key, line in about.items()])
        else:
            page = mode_page(name)
            give({"name": name, "page": page}, page.splitlines())
