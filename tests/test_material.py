"""The material: the split keeps its sides apart, draws are balanced, levels leave pauses out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.model import evaluation
from stylemix.model.evaluation import held_out_error
from stylemix.model.material import Material, Piece
from stylemix.model.split import divide, split_files

K = 6
lengths = st.lists(st.floats(0.5, 4000), min_size=1, max_size=30)


def hashes(n: int) -> list[str]:
    return [f"hash {i}" for i in range(n)]


@given(seconds=lengths, held_out=st.floats(0.01, 0.9), seed=st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_a_split_judges_and_learns(seconds: list[float], held_out: float, seed: int) -> None:
    sides = split_files(hashes(len(seconds)), seconds, held_out=held_out, seed=seed)
    held = sum(s for s, side in zip(seconds, sides, strict=True) if side == "held-out")
    assert held <= sum(seconds) / 2 + 1e-6
    assert sides.count("divided") == (0 if held else 1)
    assert sides.count("held-out") < len(sides)
    if "divided" in sides:
        assert seconds[sides.index("divided")] == max(seconds)


@given(n=st.integers(4, 60), held_out=st.sampled_from((0.1, 0.2, 0.3)))
@settings(max_examples=50, deadline=None)
def test_the_share_is_as_near_as_files_allow(n: int, held_out: float) -> None:
    sides = split_files(hashes(n), [60.0] * n, held_out=held_out, seed=0)
    assert abs(sides.count("held-out") - held_out * n) <= max(0.5 + 1e-9, 1 - held_out * n)


def test_names_and_order_do_not_matter_but_content_and_seed_do() -> None:
    seconds = [10.0 * (i + 1) for i in range(20)]
    sides = split_files(hashes(20), seconds, held_out=0.2, seed=0)
    backwards = split_files(hashes(20)[::-1], seconds[::-1], held_out=0.2, seed=0)
    assert backwards[::-1] == sides
    assert split_files(hashes(20), seconds, held_out=0.2, seed=1) != sides


def test_nothing_is_held_out_when_nothing_is_asked() -> None:
    assert split_files(["a", "b"], [60, 60], held_out=0, seed=0) == ["train", "train"]


@given(n=st.integers(1, 5000), held_out=st.floats(0.01, 0.9), gap=st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_no_frame_is_on_both_sides(n: int, held_out: float, gap: int) -> None:
    stretches = divide(n, "divided", held_out=held_out, gap=gap)
    sides = [held for _, _, held in stretches]
    assert sides in ([False], [False, True])
    assert all(0 <= start < stop <= n for start, stop, _ in stretches)
    if len(stretches) == 2:
        (_, learned_stop, _), (judged_start, judged_stop, _) = stretches
        assert judged_start - learned_stop == gap
        assert judged_stop == n


def test_a_file_too_short_for_the_gap_is_learned_from() -> None:
    assert divide(40, "divided", held_out=0.2, gap=30) == [(0, 40, False)]
    assert divide(1, "divided", held_out=0.2, gap=0) == [(0, 1, False)]


def test_undivided_files_are_whole() -> None:
    assert divide(9, "train", held_out=0.5, gap=1) == [(0, 9, False)]
    assert divide(9, "held-out", held_out=0.5, gap=1) == [(0, 9, True)]


def numbered(corpus: int, n: int, *, held_out: bool = False, start: int = 0, stop: int | None = None) -> Piece:
    """Frame i of corpus c has its loudest band at a height that says c and i."""
    frames = np.zeros((n, K), dtype=np.float32)
    frames[:, 0] = 5 + corpus
    frames[:, 1] = np.arange(n) / 1000
    return Piece(frames, corpus, start, n if stop is None else stop, held_out)


def draw(material: Material, n_crops: int, n_frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Frame numbers (B, N) and corpora (B,)."""
    shape, _, corpus, *_ = material.draw(n_crops, n_frames, np.random.default_rng(seed))
    return ((shape[:, 1] - shape[:, 2]) * 1000).round().int().numpy(), corpus.numpy()


def test_draws_come_from_learned_stretches_alone() -> None:
    material = Material(
        ["a", "b"],
        [
            numbered(0, 300, start=0, stop=200),
            numbered(0, 300, start=230, stop=300, held_out=True),
            numbered(1, 100),
            numbered(1, 500, held_out=True),
        ],
        weights={},
        floor_db=-200,
    )
    for seed in range(40):
        numbers, corpus = draw(material, 8, 32, seed)
        assert (np.diff(numbers, axis=1) == 1).all()
        assert numbers[corpus == 0].max() < 200
        assert numbers[corpus == 1].max() < 100


@given(
    weights=st.lists(st.floats(0, 5), min_size=2, max_size=4).filter(lambda w: sum(w) > 0.1),
    n_crops=st.integers(1, 40),
    seed=st.integers(0, 3),
)
@settings(max_examples=50, deadline=None)
def test_every_batch_keeps_the_shares(weights: list[float], n_crops: int, seed: int) -> None:
    names = [f"c{i}" for i in range(len(weights))]
    pieces = [numbered(i, 50 * (i + 1)) for i in range(len(weights))]
    material = Material(names, pieces, weights=dict(zip(names, weights, strict=True)), floor_db=-200)
    _, corpus = draw(material, n_crops, 4, seed)
    wanted = np.array(weights) / sum(weights) * n_crops
    counts = np.bincount(corpus, minlength=len(weights))
    assert (np.abs(counts - wanted) < 1 + 1e-4).all()


def test_longer_stretches_are_drawn_more_often_but_long_corpora_are_not() -> None:
    material = Material(["a", "b"], [numbered(0, 100), numbered(1, 300), numbered(1, 900)], weights={}, floor_db=-200)
    starts, corpora = zip(*(draw(material, 10, 1, seed) for seed in range(200)), strict=True)
    corpus, number = np.concatenate(corpora), np.concatenate(starts)[:, 0]
    assert np.mean(corpus == 1) == pytest.approx(0.5, abs=0.01)
    # A quarter of it lies in the short one, of whose numbers the long one has a third too.
    assert np.mean(number[corpus == 1] < 300) == pytest.approx(0.25 + 0.75 / 3, abs=0.05)


def test_short_stretches_are_repeated() -> None:
    numbers, _ = draw(Material(["a"], [numbered(0, 5)], weights={}, floor_db=-200), 2, 12)
    assert numbers.tolist() == [[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]] * 2


def test_the_same_generator_draws_the_same() -> None:
    material = Material(["a", "b"], [numbered(0, 500), numbered(1, 500)], weights={}, floor_db=-60)

    def drawn(seed: int) -> torch.Tensor:
        return material.draw(8, 16, np.random.default_rng(seed), shift_bands=1, shift_share=0.5)[0]

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))


def test_transposition_moves_bands_and_repeats_the_edge() -> None:
    frames = np.tile(np.arange(K, dtype=np.float32), (50, 1))
    material = Material(["a"], [Piece(frames, 0, 0, 50, False)], weights={}, floor_db=-200)
    shape = material.draw(200, 4, np.random.default_rng(0), shift_bands=1, shift_share=0.5).shape
    rows = (shape[:, :, 0] - shape[:, :1, 0]).round().int().tolist()
    moved = {
        (0, 1, 2, 3, 4, 5): 0,
        (0, 0, 1, 2, 3, 4): 1,
        (0, 0, 0, 1, 2, 3): 2,
        (0, 1, 2, 3, 4, 4): -1,
        (0, 1, 2, 3, 3, 3): -2,
    }
    shifts = [moved[tuple(row)] for row in rows]
    assert set(shifts) == {-2, -1, 0, 1, 2}
    assert 60 < shifts.count(0) < 140


def with_context(n_steps: int, frames_per_step: int = 4, **arguments: Any) -> Piece:
    """The context of step m is m, and its negative."""
    steps = np.arange(n_steps, dtype=np.float16)
    return replace(numbered(0, n_steps * frames_per_step, **arguments), context=np.stack([steps, -steps], axis=1))


def test_a_context_is_drawn_with_its_crop() -> None:
    material = Material(["a"], [with_context(50)], weights={}, floor_db=-200, frames_per_step=4)
    shape, _, _, context, _ = material.draw(20, 10, np.random.default_rng(0))
    first = (shape[:, 1, 0] - shape[:, 2, 0]) * 1000
    assert context is not None
    assert context.shape == (20, 2, 3)
    # Crops begin anywhere: between two steps of the file it is interpolated; past the last it stays.
    expected = (first[:, None].round() / 4 + torch.arange(3)).clamp_max(49)
    torch.testing.assert_close(context[:, 0], expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(context[:, 1], -expected, atol=1e-3, rtol=0)
    assert (expected % 1 != 0).any()


def test_a_repeated_stretch_repeats_its_context() -> None:
    material = Material(["a"], [with_context(9, start=8, stop=16)], weights={}, floor_db=-200, frames_per_step=4)
    context = material.draw(1, 20, np.random.default_rng(0)).context
    assert context is not None
    assert context[0, 0].tolist() == [2, 3, 2, 3, 2]


def test_a_transposed_crop_has_a_transposed_context() -> None:
    def move(context: np.ndarray, semitones: int) -> np.ndarray:
        return context + 100 * semitones

    frames = np.tile(np.arange(K, dtype=np.float32), (40, 1))
    piece = Piece(frames, 0, 0, 40, False, np.zeros((10, 1), dtype=np.float16))
    material = Material(["a"], [piece], weights={}, floor_db=-200, frames_per_step=4, transpose_context=move)
    shape, _, _, context, _ = material.draw(100, 4, np.random.default_rng(0), shift_bands=1, shift_share=0.5)
    assert context is not None
    # A band further up is a crop one level lower: the lowest rows are 0 0 1 2, and so on.
    lowest, highest = (shape[:, row, 0] - shape[:, 2, 0] for row in (0, -1))
    semitones = {(-2, 3): 0, (-1, 3): 1, (0, 3): 2, (-2, 2): -1, (-2, 1): -2}
    found = [semitones[key] for key in zip(lowest.round().int().tolist(), highest.round().int().tolist(), strict=True)]
    assert set(found) == {-2, -1, 0, 1, 2}
    assert (context[:, 0, 0] / 100).round().int().tolist() == found
    unable = Material(["a"], [piece], weights={}, floor_db=-200, frames_per_step=4)
    with pytest.raises(BadInput, match="only be transposed with a transpose_context"):
        unable.draw(100, 4, np.random.default_rng(0), shift_bands=1, shift_share=0.5)


def test_a_context_of_a_stretch_starts_where_it_does() -> None:
    material = Material(["a"], [with_context(10)], weights={}, floor_db=-200, frames_per_step=4)
    piece = material.pieces[0]
    context = material.context(piece, 6, 17)
    assert context is not None
    assert context[0].tolist() == [1.5, 2.5, 3.5]
    bare = Material(["a"], [numbered(0, 40)], weights={}, floor_db=-200)
    assert bare.context(bare.pieces[0], 0, 8) is None
    assert bare.draw(2, 4, np.random.default_rng(0)).context is None


def test_held_out_stretches_are_measured_with_their_own_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "_CHUNK_FRAMES", 16)
    pieces = [with_context(10, held_out=True), with_context(10, held_out=True, start=8, stop=36)]
    material = Material(["a"], pieces, weights={}, floor_db=-200, frames_per_step=4)
    heard = []

    def rebuild(shape: torch.Tensor, corpus: int, context: torch.Tensor | None) -> torch.Tensor:
        assert context is not None
        heard.append(context[0, 0].tolist())
        return shape

    assert held_out_error(rebuild, material, torch.zeros(1, K)) == 0
    assert heard == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [2, 3, 4, 5], [6, 7, 8]]


def test_some_contexts_are_no_contexts() -> None:
    with pytest.raises(BadInput, match="either all pieces must have a context or none"):
        Material(["a"], [with_context(10), numbered(0, 40)], weights={}, floor_db=-200)


def test_a_level_is_the_power_of_what_sounds() -> None:
    frames = np.full((100, K), math.log(0.1), dtype=np.float32)
    # Pauses 60 dB down, and a held-out stretch that is louder: neither counts.
    pauses = np.full((900, K), math.log(1e-4), dtype=np.float32)
    pieces = [Piece(np.concatenate([frames, pauses]), 0, 0, 1000, False), Piece(frames + 3, 0, 0, 100, True)]
    assert Material(["a"], pieces, weights={}, floor_db=-60).levels.item() == pytest.approx(math.log(0.1), abs=1e-5)


def test_without_anything_held_out_it_is_judged_on_what_it_learned() -> None:
    learned = [numbered(0, 10), numbered(1, 10)]
    assert Material(["a", "b"], learned, weights={}, floor_db=-60).judging() == learned
    held = numbered(0, 10, held_out=True)
    assert Material(["a", "b"], [*learned, held], weights={}, floor_db=-60).judging() == [held]
