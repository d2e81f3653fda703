"""The arguments and options of the commands, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

RunFolder: TypeAlias = Annotated[
    Path, typer.Argument(metavar="RUN.mix", readable=False, help="A run made by `stylemix train`.")
]
Folders: TypeAlias = Annotated[
    list[Path], typer.Argument(metavar="FOLDER", readable=False, help="Folders of recordings, one for each style.")
]
SoundFile: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A sound file.")]
MaybeFiles: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE", readable=False, show_default=False,
        help="Sound files or folders of them; without any, sounds composed by stylemix.",
    ),
]
RecipeName: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="NAME", help="A recipe or a TOML file; without one they are listed.")
]
ModeName: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="MODE", help="A mode of hybrids; without one they are listed.")
]

# Every command. Paths are not readable=True, which would make a missing permission wrong usage: who reads
# them says what is wrong in one line.
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else there.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Out: TypeAlias = Annotated[Path, typer.Option("--out", "-o", readable=False, help="Where to write.")]
MaybeOut: TypeAlias = Annotated[Path | None, typer.Option("--out", "-o", readable=False, help="Write a page too.")]
Force: TypeAlias = Annotated[bool, typer.Option("--force", "-f", help="Replace what exists (never an input).")]
Seed: TypeAlias = Annotated[int, typer.Option(metavar="N", help="The seed of all randomness.")]

Space: TypeAlias = Annotated[
    Literal["latents", "scattering", "both"] | None,
    typer.Option(help="In what segments are alike; else both, where the recordings are still there."),
]

ClustersBy: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--clusters", metavar="METHOD[:K]",
        help="How clusters are made: gmm (the default), kmeans, agglomerative or hdbscan, and into how many; else a "
        "criterion chooses.",
    ),
]

Layouts: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="METHOD[:DIMS],...",
        help="Ways to place the segments, the first shown first: umap, tsne, isomap or pca, in 2 or 3 dimensions.",
    ),
]
Hybrids: TypeAlias = Annotated[
    bool, typer.Option(help="Render hybrids of each cluster with its nearest one of the other style.")
]
Add: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--add", metavar="FILE", readable=False, show_default=False,
        help="Set a sound file that is not of the run on its map; may be given again.",
    ),
]
Png: TypeAlias = Annotated[
    Path | None, typer.Option("--png", metavar="FILE", readable=False, help="Draw a still picture, too or only.")
]
Svg: TypeAlias = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", readable=False, help="The same with lines and text.")
]
Colour: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="WHAT", help="What colours tell in these pictures: corpus, cluster, time, loudness, pitch, brightness, "
        "noisiness or density.",
    ),
]

Csv: TypeAlias = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE|-", readable=False, help="Write a table, a row a cluster; - for stdout."),
]
Export: TypeAlias = Annotated[
    Path | None,
    typer.Option("--export", metavar="DIR", readable=False, help="Write the sound of each cluster into a folder."),
]
Compare: TypeAlias = Annotated[
    bool, typer.Option("--compare", help="Compare all ways to find clusters and to draw maps, too; takes minutes.")
]
Split: TypeAlias = Annotated[
    Literal["segments", "joined"],
    typer.Option(help="A file for each segment, or for all that follow one another in a recording."),
]

# Training.
UseRecipe: TypeAlias = Annotated[
    str, typer.Option("--recipe", metavar="NAME|FILE", help="See `stylemix recipes`.")
]
Minutes: TypeAlias = Annotated[
    float | None,
    typer.Option(metavar="M", help="Minutes of training, plus about a minute to space alpha; else the recipe's."),
]
Steps: TypeAlias = Annotated[int | None, typer.Option(metavar="N", help="Optimiser steps at most; else the recipe's.")]
Device: TypeAlias = Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="Where to compute.")]
MaybeSeed: TypeAlias = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="The seed of all randomness; else the recipe's.")
]
Resume: TypeAlias = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]

# Measuring.
Quick: TypeAlias = Annotated[bool, typer.Option("--quick", help="Fewer sounds, nothing made of them.")]
Reconstruct: TypeAlias = Annotated[
    bool, typer.Option(help="Make sound from each representation, the slowest part.")
]

Modes: TypeAlias = Annotated[
    str, typer.Option("--modes", metavar="NAME,...", help="Which modes are measured, of those of `hybrid --mode`.")
]
Controls: TypeAlias = Annotated[
    str, typer.Option("--controls", metavar="NAME,...", help="Which modes are measured beside them, to compare with.")
]
Sources: TypeAlias = Annotated[int, typer.Option(metavar="N", help="From how many files 15 s are taken.")]
BothDirections: TypeAlias = Annotated[
    bool, typer.Option("--both-directions", help="Measure the way from the second corpus to the first, too.")
]
Ablation: TypeAlias = Annotated[
    bool, typer.Option("--ablation", help="Compare the learned latents with PCA and with none, too.")
]

# Rendering.
Alpha: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER|CURVE",
        help="0 is the first style, 1 the second; a curve is 0:0,10:1 (seconds:alpha), a CSV file, or a sound whose "
        "loudness it follows.",
    ),
]
Source: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE|FOLDER", readable=False, help="The sound whose timeline is kept.")
]
Target: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", readable=False, help="The sound to match it with; else the whole corpus.")
]
Walk: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="STEPS|FILE.csv",
        help="A way over the map in place of source, target and alpha: 0:117-530:0.25,2:118-533:0.5 (seconds:source "
        "segment-target segment:alpha).",
    ),
]
Mode: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="MODE", help="match (the default), style, morph (that of a walk), cross or fade: how the parents meet."
    ),
]
To: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="The corpus to move towards, of more than two.")
]
From: TypeAlias = Annotated[
    str | None,
    typer.Option("--from", metavar="NAME", help="The corpus that a source is of which is no file of the run."),
]
Start: TypeAlias = Annotated[float, typer.Option(metavar="S", help="Where to begin in the source (seconds).")]
Duration: TypeAlias = Annotated[float | None, typer.Option(metavar="S", help="How long (seconds); else to its end.")]
TargetStart: TypeAlias = Annotated[
    float, typer.Option(metavar="S", help="Where to begin in the file --target (seconds).")
]
TargetDuration: TypeAlias = Annotated[
    float | None, typer.Option(metavar="S", help="How much of it (seconds); else to its end.")
]
Stems: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="DIR", readable=False, help="Write the parents and the crossfade too.")
]
Phase: TypeAlias = Annotated[
    Literal["auto", "source", "estimate"], typer.Option(help="Phase of the source, or estimated anew.")
]
Quality: TypeAlias = Annotated[
    Literal["draft", "good", "best"], typer.Option(help="Work on phases that are estimated: fast, or clean.")
]

_WHERE = "Where between the corpora"
Weights: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=W,...", rich_help_panel=_WHERE,
        help="Shares of several corpora in place of --alpha; they sum to 1.",
    ),
]
SourceCluster: TypeAlias = Annotated[
    int | None, typer.Option(metavar="K", rich_help_panel=_WHERE, help="The middle of a cluster of the map as source.")
]
TargetCluster: TypeAlias = Annotated[
    int | None, typer.Option(metavar="K", rich_help_panel=_WHERE, help="Match with a cluster of the map only.")
]
ClusterSeed: TypeAlias = Annotated[
    int, typer.Option(metavar="N", rich_help_panel=_WHERE, help="The seed of the map whose clusters they are.")
]
RawAlpha: TypeAlias = Annotated[
    bool, typer.Option("--raw-alpha", rich_help_panel=_WHERE, help="Without the run's calibration of alpha.")
]
Extrapolate: TypeAlias = Annotated[
    bool, typer.Option("--extrapolate", rich_help_panel=_WHERE, help="Allow alpha from -1 to 2, beyond the parents.")
]
Variations: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N", rich_help_panel=_WHERE,
        help="Render N answers into the folder --out, with a page to choose from by ear.",
    ),
]
Variation: TypeAlias = Annotated[
    int, typer.Option(metavar="K", rich_help_panel=_WHERE, help="Render the K-th of them.")
]

_MATCHING = "How moments are matched"
Align: TypeAlias = Annotated[
    str, typer.Option(metavar="HOW", rich_help_panel=_MATCHING, help="transport, viterbi, nearest or off.")
]
Continuity: TypeAlias = Annotated[
    float, typer.Option(metavar="X", rich_help_panel=_MATCHING, help="How dear a jump in the target is.")
]
Randomness: TypeAlias = Annotated[
    float, typer.Option(metavar="X", rich_help_panel=_MATCHING, help="Noise on what a match costs.")
]
Loudness: TypeAlias = Annotated[
    float, typer.Option(metavar="X", rich_help_panel=_MATCHING, help="How much the loudness must agree.")
]
Chroma: TypeAlias = Annotated[
    float, typer.Option(metavar="X", rich_help_panel=_MATCHING, help="How much the pitch classes must agree.")
]
Timbre: TypeAlias = Annotated[
    float, typer.Option(metavar="X", rich_help_panel=_MATCHING, help="How much the spectral envelope must agree.")
]

_EXCHANGED = "What is exchanged (each mode has its own default)"
Envelope: TypeAlias = Annotated[
    float | None, typer.Option(metavar="0..1", rich_help_panel=_EXCHANGED, help="How far the spectral envelope goes.")
]
Pitch: TypeAlias = Annotated[
    float | None, typer.Option(metavar="0..1", rich_help_panel=_EXCHANGED, help="How far the partials go.")
]
Detail: TypeAlias = Annotated[
    float | None, typer.Option(metavar="0..1", rich_help_panel=_EXCHANGED, help="How far quick changes go.")
]
Rhythm: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="SIDE", rich_help_panel=_EXCHANGED, help="Whose loudness over time: source, target or both."),
]
HybridPhase: TypeAlias = Annotated[
    Literal["auto", "parents", "source", "estimate"],
    typer.Option(
        rich_help_panel=_EXCHANGED,
        help="Each parent's own (auto, parents), the source's, or estimated from the magnitudes.",
    ),
]
Bits: TypeAlias = Annotated[Literal["16", "24", "32f"] | None, typer.Option(help="Sample format of the file.")]
SampleRate: TypeAlias = Annotated[
    int | None, typer.Option(metavar="HZ", help="Sample rate of the file; else the source's.")
]

# Exploring.
Port: TypeAlias = Annotated[int, typer.Option(metavar="N", help="Of this machine alone; 0 is any free one.")]
Browser: TypeAlias = Annotated[bool, typer.Option(help="Open the page in the browser.")]


def words(text: str) -> list[str]:
    """Take a list of words apart.

    Parameters
    ----------
    text : str
        Words with commas between them.

    Returns
    -------
    list of str
        Without spaces around them; none for nothing.

    Examples
    --------
    >>> words("match, style")
    ['match', 'style']
    """
    return [word.strip() for word in text.split(",") if word.strip()]
