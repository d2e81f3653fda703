"""What each part of a hybrid is worth: latents none, PCA, without condition, full; alignment off to transport.

python tests/bench/ablation.py pair.mix other.mix

Held-out sources of the first corpus at alpha 0.5 on the mode's own path (no calibration: it was made for the full
model), judged as by `stylemix evaluate`. The mode `match` uses latents to align and nothing else, so its rows differ by
what is matched; the mode `style` moves the latents themselves, and what the decoder makes of it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.arrays import Latents
from stylemix.audio import read_wave
from stylemix.errors import StylemixError
from stylemix.hybrid.dials import ALIGNMENTS, Dials
from stylemix.hybrid.scan import block_features, scan, step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.measure.evidence import Stretch, choose_stretches, describe_corpus, describe_waves
from stylemix.measure.fade import fade_shares
from stylemix.measure.judges import Judge, appoint_judges
from stylemix.measure.metrics import chroma_correlation, onset_correlation
from stylemix.measure.rendering import Rendered, render_alphas
from stylemix.model.frames import set_loudness_apart
from stylemix.model.run import Run, load_run

ALPHA = 0.5
SOURCE_S = 15.0
KINDS = ("none", "PCA", "without condition", "full")
# Of each training file; PCA of an organ and a piano needs no more.
MOST_S = 120.0


class Variant:
    """A run with other latents: those of its files are made anew, all else is the run's."""

    has_content = False

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[int, Latents] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def latents(self, index: int) -> Latents:
        """The latents of a file, scanned once."""
        if index not in self._known:
            condition = np.eye(len(self._run.corpora), dtype=np.float32)[self._run.files[index].corpus]
            with SourceReader(self._run.file_path(index), model_rate=self._run.vqt.sample_rate) as reader:
                self._known[index] = scan(self, reader, condition).latents  # type: ignore[arg-type]
        return self._known[index]

    def apart(self, log_magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shapes and loudness, as the model has them."""
        floor_db = self._run.recipe.features.floor_db
        shape, loudness = set_loudness_apart(torch.from_numpy(np.ascontiguousarray(log_magnitude)), floor_db=floor_db)
        return shape.numpy(), loudness.numpy()

    def patches(self, shape: np.ndarray) -> np.ndarray:
        """The frames of each latent step below one another, shape (F * K, M)."""
        frames = self._run.recipe.model.frames_per_step
        shape = np.pad(shape, ((0, 0), (0, -shape.shape[1] % frames)), mode="edge")
        return shape.reshape(shape.shape[0], -1, frames).transpose(2, 0, 1).reshape(frames * shape.shape[0], -1)

    def frames(self, patches: np.ndarray, n: int) -> np.ndarray:
        """What `patches` took apart."""
        frames = self._run.recipe.model.frames_per_step
        n_bands = len(patches) // frames
        return patches.reshape(frames, n_bands, -1).transpose(1, 2, 0).reshape(n_bands, -1)[:, :n]

    def as_latents(self, codes: np.ndarray, loudness: np.ndarray) -> Latents:
        """Codes with what travels with them."""
        return Latents(codes.astype(np.float32), loudness, self._run.vqt.sample_rate, step_samples(self._run))


class Spectra(Variant):
    """No latents: the level-free log-spectrum of each step."""

    def encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None = None) -> Latents:
        """Average the frames of each step."""
        shape, loudness = self.apart(log_magnitude)
        frames = self._run.recipe.model.frames_per_step
        return self.as_latents(self.patches(shape).reshape(frames, len(shape), -1).mean(axis=0), loudness)

    def decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        """Repeat each step's spectrum."""
        frames = self._run.recipe.model.frames_per_step
        return np.repeat(codes, frames, axis=1)[:, : len(loudness)] + loudness


class Pca(Variant):
    """Whitened principal components of patches: the model before its first step."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        rows: list[list[np.ndarray]] = [[] for _ in run.corpora]
        for corpus, shape in self._training():
            rows[corpus].append(shape)
        self.means = np.stack([np.concatenate(some, axis=1).mean(axis=1) for some in rows])
        covariances = []
        for some, mean in zip(rows, self.means, strict=True):
            found = np.concatenate([self.patches(shape - mean[:, None]) for shape in some], axis=1)
            covariances.append(found @ found.T / found.shape[1])
        # Each corpus counts alike, however much of it there is.
        values, vectors = np.linalg.eigh(np.mean(covariances, axis=0))
        dims = run.recipe.model.latent_dim
        self.deviations = np.sqrt(np.maximum(values[::-1][:dims], 1e-9))
        self.components = vectors[:, ::-1][:, :dims]

    def _training(self) -> Iterator[tuple[int, np.ndarray]]:
        run = self._run
        for i, file in enumerate(run.files):
            if file.split == "train":
                samples = read_wave(run.file_path(i), sample_rate=run.vqt.sample_rate).samples
                yield file.corpus, self.apart(block_features(run, samples[:, : round(MOST_S * run.vqt.sample_rate)]))[0]

    def encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None = None) -> Latents:
        """Project."""
        shape, loudness = self.apart(log_magnitude)
        patches = self.patches(shape - (self.means.T @ condition)[:, None])
        return self.as_latents(self.components.T @ patches / self.deviations[:, None], loudness)

    def decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        """Project back."""
        patches = self.components @ (codes * self.deviations[:, None])
        found = self.frames(patches, len(loudness)) + (self.means.T @ condition)[:, None] + loudness
        return np.asarray(found, dtype=np.float32)


class Unconditioned(Variant):
    """The trained autoencoder that is told nothing of the corpus: its condition stays at the mean."""

    def encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None = None) -> Latents:
        """Encode as the mean corpus."""
        return self._run.encode(log_magnitude, np.full_like(condition, 1 / len(condition)), context)

    def decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        """Decode as the mean corpus."""
        return self._run.decode(codes, np.full_like(condition, 1 / len(condition)), loudness)


def variant(run: Run, kind: str) -> Any:
    """The run with latents of a kind."""
    kinds = {"none": Spectra, "PCA": Pca, "without condition": Unconditioned}
    return kinds[kind](run) if kind in kinds else run


def figures(rendered: list[Rendered], targets: list[Rendered], judges: list[Judge]) -> dict[str, Any]:
    """What is told of one row; targets are what the parents at alpha 1 are taken from."""
    described = describe_waves([one.hybrids[ALPHA] for one in rendered])
    found = [judge.judge(described) for judge in judges]
    triples = [(one.hybrids[ALPHA], one.source, of.target) for one, of in zip(rendered, targets, strict=True)]
    return {
        "p_b": [one["p_b"] for one in found],
        "kad": [one["kad_union"] and one["kad_union"]["value"] for one in found],
        "explained": float(np.mean([max(0.0, fade_shares(*sounds).both) for sounds in triples])),
        "chroma": float(np.mean([chroma_correlation(hybrid, source) for hybrid, source, _ in triples])),
        "onsets": float(np.mean([onset_correlation(hybrid, source) for hybrid, source, _ in triples])),
    }


def line(names: tuple[str, ...], found: dict[str, Any], fade: list[float | None]) -> str:
    """One row of the table."""
    ratios = [
        f"{ours / theirs:.2f}" if ours and theirs else "–" for ours, theirs in zip(found["kad"], fade, strict=True)
    ]
    p_b = ["–" if p is None else f"{p:.2f}" for p in found["p_b"]]
    kept = [f"{found[key]:.2f}" for key in ("explained", "chroma", "onsets")]
    return "| " + " | ".join([*names, *p_b, *ratios, *kept]) + " |"


def render(run: Any, stretches: list[Stretch], dials: Dials) -> list[Rendered]:
    """Each stretch, on the mode's own path."""
    return [render_alphas(run, stretch, (ALPHA,), dials=dials, other=1, raw_alpha=True) for stretch in stretches]


def ablate(run: Run, *, n_sources: int) -> Iterator[str]:
    """The lines of a run's table, as they are found."""
    judges = appoint_judges([describe_corpus(run, corpus) for corpus in (0, 1)])
    stretches = choose_stretches(run, 0, n_wanted=n_sources, seconds=SOURCE_S)
    matched = render(run, stretches, Dials())
    fades = [Rendered(x.stretch, x.source, x.target, {ALPHA: x.crossfade(ALPHA)}) for x in matched]
    control = figures(fades, matched, judges)
    heads = ("P(B)", "P(B), second judge", "KAD to both over the fade's", "the same, second judge")
    yield "| " + " | ".join(["mode", "latents", "alignment", *heads, "explained", "chroma", "onsets"]) + " |"
    yield "|---" * 10 + "|"
    yield line(("fade", "full", "viterbi"), control, control["kad"])
    left_out = []
    for kind in KINDS:
        wanted = [*(Dials(align=align) for align in ALIGNMENTS[::-1]), Dials(mode="style")]
        try:
            made = variant(run, kind)
        except StylemixError as error:
            left_out.append(f"{kind}: {error}")
            continue
        for dials in wanted:
            names = (dials.mode, kind, dials.align if dials.mode == "match" else "–")
            try:
                rendered = render(made, stretches, dials)
            except StylemixError as error:
                left_out.append(f"{', '.join(names)}: {error}")
                continue
            targets = rendered if dials.mode == "match" else matched
            yield line(names, figures(rendered, targets, judges), control["kad"])
    yield from (f"\nLeft out: {reason}" for reason in left_out)


def main() -> None:
    """Print a table for each run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="runs made by stylemix train")
    parser.add_argument("--sources", type=int, default=2, help="held-out files of the first corpus")
    arguments = parser.parse_args()
    for path in arguments.runs:
        run = load_run(path)
        print(f"{run.corpora[0]} to {run.corpora[1]}, alpha {ALPHA:g}\n")
        for text in ablate(run, n_sources=arguments.sources):
            print(text, flush=True)
        print()
    print(f"`python tests/bench/ablation.py {shlex.join(sys.argv[1:])}`")


if __name__ == "__main__":
    main()
