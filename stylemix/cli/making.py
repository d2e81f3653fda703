"""The commands that make something: demo, train, rebuild, hybrid, explore."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Any

import typer

from stylemix.cli import options as opt
from stylemix.cli.outcome import answer, print_answer


def demo(
    out: opt.Out = Path("demo"),
    minutes: opt.Minutes = None,
    seed: opt.Seed = 0,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Make two small corpora, train on them, render hybrids and a map: everything, from nothing.

    \b
    Example:
      stylemix demo --out demo
    """
    with answer(as_json) as give:
        from stylemix.demo import make_demo

        give(make_demo(out, minutes=minutes, seed=seed, force=force, show_progress=not quiet))


def train(
    folders: opt.Folders,
    out: opt.Out,
    recipe: opt.UseRecipe = "base",
    minutes: opt.Minutes = None,
    steps: opt.Steps = None,
    device: opt.Device = "auto",
    seed: opt.MaybeSeed = None,
    resume: opt.Resume = False,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Learn one latent space from two folders of recordings or more.

    Alpha 0 will be the first folder's style, alpha 1 the second's.
    Stop at any time with Ctrl-C and go on with --resume.

    \b
    Example:
      stylemix train cage/ beach-boys/ --out both.mix --minutes 5
    """
    if len(folders) < 2:
        raise typer.BadParameter("give two folders or more, one for each style", param_hint="FOLDER")
    with answer(as_json, after_interrupt="go on with the same command and --resume") as give:
        from stylemix.learn import train as train_run

        run = train_run(
            folders, out=out, recipe=recipe, minutes=minutes, steps=steps, device=device, seed=seed,
            resume=resume, force=force, show_progress=not quiet,
        )
        hint = f"stylemix hybrid {shlex.quote(str(run.path))} --alpha 0.5 --source FILE --out half-way.wav"
        give({"out": str(run.path), **run.describe()}, [f"{run.path} is ready; next: {hint}"])


def rebuild(
    run: opt.RunFolder,
    file: opt.SoundFile,
    out: opt.Out,
    phase: opt.Phase = "auto",
    quality: opt.Quality = "good",
    bits: opt.Bits = None,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Encode and decode one file: how well does the model know it?

    \b
    Example:
      stylemix rebuild both.mix song.wav --out again.wav
    """
    with answer(as_json) as give:
        from stylemix.hybrid.render import rebuild_file
        from stylemix.model.run import load_run

        give(rebuild_file(
            load_run(run), file, out=out, force=force, bits=bits, phase=phase, quality=quality,
            show_progress=not quiet,
        ))


def hybrid(
    run: opt.RunFolder,
    out: opt.Out,
    alpha: opt.Alpha = None,
    source: opt.Source = None,
    target: opt.Target = None,
    walk: opt.Walk = None,
    mode: opt.Mode = None,
    to: opt.To = None,
    from_corpus: opt.From = None,
    start: opt.Start = 0.0,
    duration: opt.Duration = None,
    target_start: opt.TargetStart = 0.0,
    target_duration: opt.TargetDuration = None,
    stems: opt.Stems = None,
    weights: opt.Weights = None,
    source_cluster: opt.SourceCluster = None,
    target_cluster: opt.TargetCluster = None,
    clusters: opt.ClustersBy = None,
    space: opt.Space = None,
    cluster_seed: opt.ClusterSeed = 0,
    raw_alpha: opt.RawAlpha = False,
    extrapolate: opt.Extrapolate = False,
    variations: opt.Variations = None,
    variation: opt.Variation = 1,
    align: opt.Align = "transport",
    continuity: opt.Continuity = 1.0,
    randomness: opt.Randomness = 0.0,
    loudness: opt.Loudness = 0.5,
    chroma: opt.Chroma = 0.75,
    timbre: opt.Timbre = 0.25,
    envelope: opt.Envelope = None,
    pitch: opt.Pitch = None,
    detail: opt.Detail = None,
    rhythm: opt.Rhythm = None,
    phase: opt.HybridPhase = "auto",
    quality: opt.Quality = "good",
    bits: opt.Bits = None,
    sample_rate: opt.SampleRate = None,
    seed: opt.Seed = 0,
    force: opt.Force = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Render new sound that lies between the two styles.

    A folder as --source renders each of its files into the folder --out. --stems DIR writes the parents
    (source.wav, target.wav), the hybrid and the crossfade that it must not be (crossfade.wav).

    \b
    Example:
      stylemix hybrid both.mix --alpha 0.5 --source song.wav --out half-way.wav
      stylemix hybrid both.mix --alpha 0:0,10:1 --source song.wav --out journey.wav --stems stems/
      stylemix hybrid both.mix --alpha 0.5 --source songs/ --out hybrids/
      stylemix hybrid both.mix --alpha 0.5 --source song.wav --variations 8 --out choices/
      stylemix hybrid three.mix --weights cage=0.2,boys=0.5,organ=0.3 --source song.wav --out blend.wav
      stylemix hybrid both.mix --walk 0:117-530:0.25,2:118-533:0.5 --duration 6 --out walk.wav
    """
    with answer(as_json) as give:
        from stylemix.model.run import load_run
        from stylemix.ordering import answer_lines, render_asked

        asked: dict[str, Any] = {
            "alpha": alpha, "source": source, "target": target, "walk": walk, "mode": mode, "to": to,
            "from_corpus": from_corpus, "start_s": start, "duration_s": duration, "target_start_s": target_start,
            "target_duration_s": target_duration, "stems": stems, "weights": weights,
            "source_cluster": source_cluster, "target_cluster": target_cluster, "clusters": clusters,
            "space": space, "cluster_seed": cluster_seed, "raw_alpha": raw_alpha, "extrapolate": extrapolate,
            "variation": variation, "align": align, "continuity": continuity, "randomness": randomness,
            "loudness": loudness, "chroma": chroma, "timbre": timbre, "envelope": envelope, "pitch": pitch,
            "detail": detail, "rhythm": rhythm, "phase": phase, "quality": quality, "bits": bits,
            "sample_rate": sample_rate, "seed": seed, "force": force,
        }  # fmt: skip
        result = render_asked(load_run(run), out=out, variations=variations, show_progress=not quiet, **asked)
        give(result, answer_lines(result))


def explore(
    run: opt.RunFolder,
    port: opt.Port = 0,
    browser: opt.Browser = True,
    space: opt.Space = None,
    layouts: opt.Layouts = "umap,umap:3,pca",
    clusters: opt.ClustersBy = None,
    seed: opt.Seed = 0,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Serve the map on this machine: a click between its points, or a path over it, renders a hybrid and plays it.

    The address holds a token: who does not know it is refused. Ctrl-C ends it. With --json the one object, the
    address, comes as soon as the page is served.

    \b
    Example:
      stylemix explore both.mix
      stylemix explore both.mix --port 8765 --no-browser --clusters kmeans:6
    """
    stdout = sys.stdout
    with answer(as_json) as give:
        from stylemix.explore.serving import explore_run
        from stylemix.model.run import load_run

        def announce(address: str) -> None:
            # A script that reads the address goes on from there: at the end it would come too late.
            with contextlib.redirect_stdout(stdout if as_json else sys.stderr):
                print_answer({"address": address}, [address, "Ctrl-C ends it."], as_json)

        result = explore_run(
            load_run(run), port=port, open_browser=browser, announce=announce, show_progress=not quiet,
            space=space, layouts=layouts, clusters=clusters, seed=seed,
        )  # fmt: skip
        if not as_json:
            give(result, [f"{result['hybrids']} hybrid{'s' * (result['hybrids'] != 1)} made; closed"])
