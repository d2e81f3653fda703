"""The model: PCA before the first step, patches, the condition, chunks of a long sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from stylemix.errors import BadInput
from stylemix.model import coding
from stylemix.model.autoencoder import Autoencoder, from_patches, to_patches
from stylemix.model.coding import codes_to_frames, frames_to_codes
from stylemix.model.frames import set_loudness_apart
from stylemix.recipe import Model

K, D, F = 10, 5, 4


def new_model(
    *, depth: int = 2, n_corpora: int = 2, frames_per_step: int = F, context: tuple[int, int] | None = None
) -> Autoencoder:
    torch.manual_seed(0)
    size = Model(latent_dim=D, frames_per_step=frames_per_step, width=16, depth=depth, dropout=0.1)
    return Autoencoder(K, n_corpora, size, context).eval()


def trained(**arguments: Any) -> Autoencoder:
    """Every weight is at work, those that start at zero included."""
    model = new_model(**arguments)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator))
    return model


def random_frames(n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((K, n)).astype(np.float32) - 3


@given(k=st.integers(1, 5), n=st.integers(1, 40), f=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_patches_can_be_undone(k: int, n: int, f: int) -> None:
    x = torch.arange(float(2 * k * n)).reshape(2, k, n)
    patches = to_patches(x, f)
    assert patches.shape == (2, f * k, -(-n // f))
    again = from_patches(patches, f)
    assert torch.equal(again[..., :n], x)
    # What fills the last patch up is the last frame.
    assert torch.equal(again[..., n:], x[..., -1:].expand(2, k, again.shape[-1] - n))


def test_before_the_first_step_it_is_pca() -> None:
    x = torch.randn(K, 4000, generator=torch.Generator().manual_seed(0)) * torch.linspace(2, 0.1, K)[:, None]
    mean = torch.randn(K, generator=torch.Generator().manual_seed(1))
    patches = to_patches(x, F).T.numpy()
    # scikit-learn's mean is taken off, as it is the model's `means` that does that here.
    patches = patches - patches.mean(axis=0)
    reference = PCA(D, whiten=True).fit(patches)
    model = new_model(n_corpora=1)
    components = torch.from_numpy(reference.components_.T.copy())
    model.start_as_pca(mean[None], components, torch.from_numpy(np.sqrt(reference.explained_variance_)))
    one = torch.ones(1, 1)
    frames = from_patches(torch.from_numpy(patches.T.copy()), F) + mean[:, None]
    with torch.inference_mode():
        codes = model.encode(frames[None], one)
        decoded = model.decode(codes, one[..., None].expand(1, 1, codes.shape[-1]))[0]
    expected = reference.transform(patches).T
    np.testing.assert_allclose(codes[0], expected, atol=1e-4)
    back = from_patches(torch.from_numpy(reference.inverse_transform(expected.T).T.copy()), F) + mean[:, None]
    np.testing.assert_allclose(decoded, back, atol=1e-4)


def test_depth_nothing_is_pca_for_ever() -> None:
    model = new_model(depth=0)
    assert len(model.encoder) == len(model.decoder) == 0
    assert model.encode(torch.zeros(1, K, 9), torch.eye(2)[:1]).shape == (1, D, 3)


def test_the_condition_mixes_the_means() -> None:
    model = new_model()
    model.start_as_pca(torch.stack([torch.zeros(K), torch.full((K,), 4.0)]), torch.eye(F * K)[:, :D], torch.ones(D))
    codes = torch.zeros(1, D, 3)
    ramp = torch.tensor([[[1.0, 0.75, 0.0], [0.0, 0.25, 1.0]]])
    with torch.inference_mode():
        out = model.decode(codes, ramp)
    assert out[0, 0].reshape(3, F).mean(1).tolist() == pytest.approx([0.0, 1.0, 4.0])


def test_the_condition_bends_the_layers_in_between() -> None:
    model = trained()
    codes = torch.randn(1, D, 8, generator=torch.Generator().manual_seed(2))

    def at(alpha: float) -> torch.Tensor:
        with torch.inference_mode():
            return model.decode(codes, torch.tensor([1 - alpha, alpha])[None, :, None].expand(1, 2, 8))

    ends, middle = (at(0.0), at(1.0)), at(0.5)
    apart = (ends[0] - ends[1]).norm()
    assert apart > 0.1
    assert (middle - ends[0]).norm() < apart
    assert (middle - ends[1]).norm() < apart
    assert torch.allclose(at(0.5 + 1e-4), middle, atol=1e-3)


def test_a_step_sees_as_many_neighbours_as_there_are_layers() -> None:
    model = trained(depth=3)
    x = torch.zeros(1, K, 20 * F)
    bumped = x.clone()
    bumped[..., 10 * F] = 5.0
    one = torch.eye(2)[:1]
    with torch.inference_mode():
        changed = (model.encode(bumped, one) - model.encode(x, one)).abs().amax(dim=(0, 1)) > 1e-6
    assert np.flatnonzero(changed).tolist() == list(range(7, 14))


@pytest.mark.parametrize("n", [1, 3, 4, 5, 63, 64, 65, 97, 256])
def test_chunks_agree_with_all_at_once(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    model, y = trained(depth=3), random_frames(n)
    condition = np.array([0.3, 0.7])
    at_once = frames_to_codes(model, y, condition, floor_db=-60)
    frames_at_once = codes_to_frames(model, at_once[0], condition, at_once[1])
    monkeypatch.setattr(coding, "CHUNK_STEPS", 8)
    chunked = frames_to_codes(model, y, condition, floor_db=-60)
    assert chunked[0].shape == (D, -(-n // F))
    assert chunked[1].shape == (n,)
    # Sums of another length are rounded otherwise; that is all.
    np.testing.assert_allclose(chunked[0], at_once[0], atol=1e-5)
    np.testing.assert_allclose(chunked[1], at_once[1], atol=1e-6)
    frames = codes_to_frames(model, chunked[0], condition, chunked[1])
    assert frames.shape == (K, n)
    np.testing.assert_allclose(frames, frames_at_once, atol=1e-4)


def test_a_condition_that_moves_is_followed_over_the_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained()
    codes, loudness = np.random.default_rng(1).standard_normal((D, 40)), np.zeros(158)
    ramp = np.stack([np.linspace(1, 0, 40), np.linspace(0, 1, 40)])
    at_once = codes_to_frames(model, codes, ramp, loudness)
    monkeypatch.setattr(coding, "CHUNK_STEPS", 7)
    np.testing.assert_allclose(codes_to_frames(model, codes, ramp, loudness), at_once, atol=1e-4)


def test_frames_come_back_with_their_loudness() -> None:
    model, y = trained(), random_frames(50)
    condition = np.array([1.0, 0.0])
    codes, loudness = frames_to_codes(model, y, condition, floor_db=-60)
    out = codes_to_frames(model, codes, condition, loudness)
    again = set_loudness_apart(torch.from_numpy(out), floor_db=-60)[1]
    np.testing.assert_allclose(again, loudness, atol=1e-5)


@pytest.mark.parametrize(
    ("frames", "condition", "what"),
    [
        (np.zeros((K + 1, 5)), np.array([1, 0]), r"log_magnitude .* must have shape \(10, any\), got \(11, 5\)"),
        (np.zeros((K, 0)), np.array([1, 0]), r"got \(10, 0\)"),
        (np.zeros(K), np.array([1, 0]), r"got \(10,\)"),
        (np.zeros((K, 5)), np.array([1, 0, 0]), r"condition .* must have shape \(2\), got \(3,\)"),
    ],
)
def test_wrong_shapes_into_the_encoder_are_told(frames: np.ndarray, condition: np.ndarray, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        frames_to_codes(new_model(), frames, condition, floor_db=-60)


@pytest.mark.parametrize(
    ("codes", "condition", "n", "what"),
    [
        (np.zeros((D + 1, 3)), np.array([1, 0]), 12, r"codes .* must have shape \(5, any\), got \(6, 3\)"),
        (np.zeros((D, 3)), np.array([1]), 12, r"condition .* must have shape \(2, 3\), got \(1, 3\)"),
        (np.zeros((D, 3)), np.ones((2, 4)), 12, r"condition .* must have shape \(2, 3\), got \(2, 4\)"),
        (np.zeros((D, 3)), np.array([1, 0]), 13, "loudness must have 1 to 12 frames for 3 steps, got 13"),
        (np.zeros((D, 3)), np.array([1, 0]), 0, "got 0"),
    ],
)
def test_wrong_shapes_into_the_decoder_are_told(codes: np.ndarray, condition: np.ndarray, n: int, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        codes_to_frames(new_model(), codes, condition, np.zeros(n))


R, C = 7, 3
CONTEXT = torch.randn(1, R, 6, generator=torch.Generator().manual_seed(5))
FRAMES = torch.randn(1, K, 6 * F, generator=torch.Generator().manual_seed(6))


def test_with_a_context_it_begins_as_the_same_pca() -> None:
    plain, hearing = new_model(), new_model(context=(R, C))
    components = torch.linalg.qr(torch.randn(F * K, D, generator=torch.Generator().manual_seed(1))).Q
    for model in (plain, hearing):
        model.start_as_pca(torch.ones(2, K), components, torch.ones(D))
    hearing.standardise_context(torch.zeros(2, R), torch.ones(C, R))
    one = torch.eye(2)[:1]
    # And what they share has begun with the same numbers.
    assert all(torch.equal(value, hearing.state_dict()[name]) for name, value in plain.state_dict().items())
    assert torch.equal(plain.encode(FRAMES, one), hearing.encode(FRAMES, one, CONTEXT))
    # Nor does the context matter to what the residual layers see, when these begin to speak.
    assert hearing.context_in is not None
    assert not hearing.context_in.weight.any()


def test_the_context_reaches_the_latents_of_its_step_and_the_neighbours() -> None:
    model = trained(depth=1, context=(R, C))
    one, bumped = torch.eye(2)[:1], CONTEXT.clone()
    bumped[..., 2] += 1
    with torch.inference_mode():
        change = (model.encode(FRAMES, one, bumped) - model.encode(FRAMES, one, CONTEXT)).abs().amax(dim=(0, 1))
    assert np.flatnonzero(change > 1e-6).tolist() == [1, 2, 3]


def test_the_mean_context_of_a_corpus_is_no_news() -> None:
    model = trained(context=(R, C))
    means = torch.arange(2.0 * R).reshape(2, R)
    model.standardise_context(means, torch.randn(C, R, generator=torch.Generator().manual_seed(8)))
    half = torch.tensor([[0.25, 0.75]])
    with torch.inference_mode():
        at_mean = model.encode(FRAMES, half, (half @ means)[..., None].expand(1, R, 6))
        model.context_in.weight.zero_()  # type: ignore[union-attr]
        deaf = model.encode(FRAMES, half, CONTEXT)
    torch.testing.assert_close(at_mean, deaf)


@pytest.mark.parametrize(
    ("hears", "context", "what"),
    [
        ((R, C), None, r"hears scattering coefficients of shape \(1, 7, 6\), got none; take them from Run.context"),
        ((R, C), CONTEXT[:, :, :5], r"got \(1, 7, 5\)"),
        ((R, C), CONTEXT[:, :6], r"got \(1, 6, 6\)"),
        (None, CONTEXT, r"trained without one \(features.kind = vqt\); leave it out"),
    ],
)
def test_a_context_too_few_or_too_many_is_told(
    hears: tuple[int, int] | None, context: torch.Tensor | None, what: str
) -> None:
    with pytest.raises(BadInput, match=what):
        new_model(context=hears).encode(FRAMES, torch.eye(2)[:1], context)


def test_chunks_hear_their_own_context(monkeypatch: pytest.MonkeyPatch) -> None:
    model, y = trained(depth=2, context=(R, C)), random_frames(97)
    context = np.random.default_rng(3).standard_normal((R, 25)).astype(np.float16)
    condition = np.array([0.3, 0.7])
    at_once, _ = frames_to_codes(model, y, condition, floor_db=-60, context=context)
    monkeypatch.setattr(coding, "CHUNK_STEPS", 8)
    chunked, _ = frames_to_codes(model, y, condition, floor_db=-60, context=context)
    np.testing.assert_allclose(chunked, at_once, atol=1e-5)
    with pytest.raises(BadInput, match=r"context \(rows, steps\) must have shape \(any, 25\), got \(7, 24\)"):
        frames_to_codes(model, y, condition, floor_db=-60, context=context[:, :24])
