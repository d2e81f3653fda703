"""Content apart from sound: what it hides, what a translation adds, what it learns in a few steps."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput
from stylemix.model import translating
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.frames import set_loudness_apart
from stylemix.model.material import Material, Piece
from stylemix.model.run import Run, load_run
from stylemix.model.tensors import TensorFile, save_tensors
from stylemix.model.texture import energy_distance, kernel_agreement, texture
from stylemix.model.translating import frames_to_content, frames_to_shift
from stylemix.model.translation_fit import fit_translation, linear_accuracy
from stylemix.model.translation_loss import TranslationLoss
from stylemix.model.translator import Translator, contour_of, cosines, fine_structure
from stylemix.recipe import Model, Recipe, load_recipe
from tests.tiny_training import tiny_corpora, tiny_recipe, tiny_run

# Seconds of sound or of training in each: the fast tests of every change need not wait for them.
pytestmark = pytest.mark.slow

K, F = 36, 4
A, B = np.eye(2)


def trained(n_corpora: int = 2) -> Autoencoder:
    """Every weight is at work, those that start at zero included."""
    torch.manual_seed(0)
    size = Model(latent_dim=5, frames_per_step=F, width=8, depth=1, content_dim=6, content_width=16)
    model = Autoencoder(K, n_corpora, size).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator))
    return model


def frames(n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((K, n)).astype(np.float32) - 3


def corpora(n_corpora: int = 2, n_frames: int = 1200) -> Material:
    """Notes from the same scale: held and dark in the first corpus, struck and bright in the others."""
    pieces = []
    for c in range(n_corpora):
        for take in range(3):
            rng = np.random.default_rng((c, take))
            y = np.full((n_frames, K), -7.0)
            tilt = np.linspace(0, -3, K) if c == 0 else np.linspace(-2, c - 1, K)
            for start in range(0, n_frames, 16):
                note = np.isin(np.arange(K) % 12, rng.choice(12, 2, replace=False))
                # A partial more: corpora differ in their fine structure, too.
                note |= np.roll(note, 5 * c)
                decay = -np.arange(16)[:, None] * (0.0 if c == 0 else 0.2)
                y[start : start + 16] = np.where(note, tilt + decay, y[start : start + 16])
            noisy = (y + 0.3 * rng.standard_normal(y.shape)).astype(np.float32)
            pieces.append(Piece(noisy, c, 0, n_frames, held_out=take == 2))
    return Material([str(c) for c in range(n_corpora)], pieces, weights={}, floor_db=-60.0, frames_per_step=F)


def recipe(**training: Any) -> Recipe:
    return load_recipe("tiny", {
        "model": {"frames_per_step": F, "content_dim": 6, "content_width": 32},
        "vqt": {"bins_per_octave": 12},
        "training": {"style_every": 1, "style_crops": 12, "crop_steps": 8, "precision": "float32", **training},
    })  # fmt: skip


def test_a_smooth_equaliser_and_a_gain_leave_the_fine_structure_alone() -> None:
    shape = 0.2 * torch.randn(2, K, 9, generator=torch.Generator().manual_seed(0))
    smooth = torch.tensor([1.0, -2.0, 1.5, 0.5]) @ cosines(K, 4)
    torch.testing.assert_close(fine_structure(shape + smooth[:, None] + 2.0), fine_structure(shape))
    ripple = cosines(K, 20)[12:, None].movedim(-1, -2)
    torch.testing.assert_close(fine_structure(ripple), ripple)


def test_a_contour_is_relative_to_the_power_around() -> None:
    loudness = torch.log(torch.tensor([[1.0, 1.0, 2.0, 1.0, 1.0]]))
    expected = loudness[0, 2] - 0.5 * np.log((1 + 4 + 1) / 3)
    assert contour_of(loudness, 3)[0, 2].item() == pytest.approx(float(expected), abs=1e-6)
    torch.testing.assert_close(contour_of(loudness - 5, 3), contour_of(loudness, 3))
    assert not contour_of(torch.full((1, 5), -40.0), 3).isnan().any()


def test_texture_tells_strokes_from_held_sound_and_silence_has_a_gradient() -> None:
    held = torch.zeros(1, K, 64)
    struck = held - 0.1 * (torch.arange(64) % 16)
    found = texture(torch.cat([held, struck]))
    assert found.isfinite().all()
    assert (found[0] - found[1]).abs().max() > 1
    # The mean level of a band is the first thing told.
    assert found[:, 0].tolist() == pytest.approx([0.0, -0.75], abs=1e-5)
    silent = torch.full((1, K, 64), -20.0, requires_grad=True)
    texture(silent).sum().backward()
    assert silent.grad is not None
    assert silent.grad.isfinite().all()


def test_energy_distance_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    x, y, u, v = rng.normal(size=(4, 3)), rng.normal(1, 1, size=(5, 3)), rng.random(4), rng.random(5)

    def mean(a: np.ndarray, b: np.ndarray, wa: np.ndarray, wb: np.ndarray, same: bool) -> float:
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (same and i == j)]
        total = sum(wa[i] * wb[j] * np.linalg.norm(a[i] - b[j]) for i, j in pairs)
        return float(total / sum(wa[i] * wb[j] for i, j in pairs))

    expected = 2 * mean(x, y, u, v, False) - mean(x, x, u, u, True) - mean(y, y, v, v, True)
    given = [torch.from_numpy(a) for a in (x, y, u, v)]
    assert energy_distance(*given).item() == pytest.approx(expected, rel=1e-6)
    assert energy_distance(*given, within_y=False).item() == pytest.approx(expected + mean(y, y, v, v, True), rel=1e-6)


def test_agreement_is_unbiased_and_sees_a_difference_in_spread() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randn(40, 3, generator=generator) for _ in range(40)]
    same = [float(kernel_agreement(a, b)) for a, b in zip(draws[::2], draws[1::2], strict=True)]
    assert abs(np.mean(same)) < 0.01
    assert min(same) < 0
    assert all(float(kernel_agreement(a, 3 * b)) > 0.05 for a, b in zip(draws[::2], draws[1::2], strict=True))


def test_shapes_of_content_and_shift() -> None:
    model, y = trained(3), frames(22)
    content = frames_to_content(model, y, np.array([0, 1, 0]), floor_db=-60)
    assert (content.shape, content.dtype) == ((6, 6), np.float32)
    shift = frames_to_shift(model, y, np.array([1, 0, 0]), np.array([0, 0.5, 0.5]), floor_db=-60)
    assert (shift.shape, shift.dtype) == ((K, 22), np.float32)
    assert np.abs(shift).max() > 0.1


def test_no_change_of_condition_is_no_shift_and_half_of_it_is_half() -> None:
    model, y = trained(), frames(30)

    def shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        return frames_to_shift(model, y, before, after, floor_db=-60)

    assert not shift(A, A).any()
    assert not shift((A + B) / 2, (A + B) / 2).any()
    np.testing.assert_allclose(shift(A, (A + B) / 2), shift(A, B) / 2, atol=1e-6)
    ramp = np.stack([np.linspace(1, 0, 8), np.linspace(0, 1, 8)])
    stepwise = np.repeat(ramp[1], F)[:30]
    np.testing.assert_allclose(shift(A, ramp), stepwise * shift(A, B), atol=1e-5)


def test_before_the_first_step_it_is_an_equaliser_towards_the_mean() -> None:
    torch.manual_seed(0)
    model = Autoencoder(K, 2, Model(latent_dim=5, frames_per_step=F, width=8, depth=1)).eval()
    means = torch.randn(2, K, generator=torch.Generator().manual_seed(2))
    model.start_as_pca(means, torch.eye(F * K)[:, :5], torch.ones(5))
    y = frames(9)
    shift = frames_to_shift(model, y, A, B, floor_db=-60)
    shape, loudness = set_loudness_apart(torch.from_numpy(y), floor_db=-60)
    own = shape + contour_of(loudness, 8 * F + 1) - means[0][:, None]
    # A quarter of what the source's envelope has of its own is given up: the first of 36 / 9 cosines.
    rows = cosines(K, 4)
    share = 1 / (1 + np.exp(1.0))
    expected = (means[1] - means[0])[:, None] - share * rows.T @ (rows @ own)
    np.testing.assert_allclose(shift, expected.numpy(), atol=1e-5)


def test_what_is_given_up_is_smooth_and_bounded() -> None:
    translator = trained().translator
    assert translator is not None
    rendered, x = torch.zeros(1, 2, K, 5), torch.randn(1, K, 5, generator=torch.Generator().manual_seed(3))
    one, other = (torch.eye(2)[c][None, :, None].expand(1, 2, 5) for c in (0, 1))
    with torch.inference_mode():
        change = translator.change(rendered, x, one, other)
    rows = cosines(K, 4)
    torch.testing.assert_close(rows.T @ (rows @ change), change)
    assert ((rows @ change)[0].abs() <= (rows @ x)[0].abs() + 1e-6).all()


@pytest.mark.parametrize("n", [1, 5, 63, 97])
def test_chunks_agree_with_all_at_once(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    model, y = trained(), frames(n)
    whole = frames_to_content(model, y, A, floor_db=-60), frames_to_shift(model, y, A, B, floor_db=-60)
    monkeypatch.setattr(translating, "CHUNK_STEPS", 5)
    np.testing.assert_allclose(frames_to_content(model, y, A, floor_db=-60), whole[0], atol=1e-4)
    np.testing.assert_allclose(frames_to_shift(model, y, A, B, floor_db=-60), whole[1], atol=1e-4)


@pytest.mark.parametrize(
    ("y", "before", "after", "what"),
    [
        (frames(4)[:-1], A, B, r"log_magnitude .* must have shape \(36, any\), got \(35, 4\)"),
        (frames(4)[:, :0], A, B, r"got \(36, 0\)"),
        (frames(4), A, np.ones(3), r"condition \(corpora, steps\) must have shape \(2, 1\), got \(3, 1\)"),
        (frames(8), np.ones((2, 3)), B, r"must have shape \(2, 2\), got \(2, 3\)"),
    ],
)
def test_wrong_shapes_are_told(y: np.ndarray, before: np.ndarray, after: np.ndarray, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        frames_to_shift(trained(), y, before, after, floor_db=-60)


def learned(n_corpora: int, steps: int, **training: Any) -> tuple[Autoencoder, TranslationLoss]:
    """Train a translator alone."""
    torch.set_num_threads(1)
    chosen = recipe(**training)
    loss = TranslationLoss(corpora(n_corpora), chosen, torch.device("cpu"))
    torch.manual_seed(0)
    model = Autoencoder(K, n_corpora, chosen.model)
    assert model.translator is not None
    optimizer = torch.optim.Adam(model.translator.parameters(), lr=5e-3)
    for step in range(steps):
        optimizer.zero_grad()
        loss(model, step).backward()
        optimizer.step()
    return model.eval(), loss


def test_a_few_steps_bring_a_translation_nearer_to_the_other_corpus() -> None:
    model, loss = learned(2, 40, style_weight=3.0)
    facts = fit_translation(model, loss)
    distance = facts["texture_distance"]
    # Predictions alone, without a style_weight, leave 0.77 of it.
    assert distance["learned"] < 0.65 * distance["none"]
    assert distance["learned"] < 0.65 * distance["equaliser"]
    # On held-out pieces the struck corpus becomes darker and steadier: high bands sink, decays are filled up.
    struck = corpora().judging()[1].frames.T
    shift = frames_to_shift(model, struck, B, A, floor_db=-60)
    assert shift[-12:].mean() < shift[:12].mean()


def test_it_learns_when_it_is_its_turn() -> None:
    loss = TranslationLoss(corpora(), recipe(style_every=3), torch.device("cpu"))
    model = Autoencoder(K, 2, loss.recipe.model)
    assert [bool(loss(model, step).requires_grad) for step in range(4)] == [True, False, False, True]


def test_content_agrees_more_for_being_made_to() -> None:
    apart = []
    for weight in (0.0, 20.0):
        model, loss = learned(2, 40, agreement_weight=weight)
        assert model.translator is not None
        crops = loss.material.draw(24, 32, np.random.default_rng(1))
        with torch.no_grad():
            content = model.translator.encode(crops.shape, contour_of(crops.loudness, model.translator.contour_frames))
        sides = [content[crops.corpus == c].movedim(1, 2).flatten(0, 1) for c in (0, 1)]
        apart.append(float(kernel_agreement(*sides)))
    assert apart[1] < 0.5 * apart[0]


def test_three_corpora_translate_into_each_other() -> None:
    model, loss = learned(3, 3)
    facts = fit_translation(model, loss)
    assert np.isfinite(list(facts["texture_distance"].values())).all()
    assert 0.2 < facts["corpus_from_content"] <= 1


def test_whitened_content_is_white() -> None:
    model, loss = learned(2, 20)
    fit_translation(model, loss)
    rows = [
        frames_to_content(model, piece.frames.T, np.eye(2)[piece.corpus], floor_db=-60)
        for piece in loss.material.pieces
        if not piece.held_out
    ]
    together = np.concatenate(rows, axis=1)
    # Crops that were drawn say it of the whole.
    np.testing.assert_allclose(together.mean(axis=1), 0, atol=0.25)
    np.testing.assert_allclose(np.cov(together), np.eye(6), atol=0.35)


def test_linear_accuracy_of_nothing_to_see_is_chance() -> None:
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(600, 4))).float()
    side = torch.from_numpy(rng.integers(3, size=600))
    assert 0.2 < linear_accuracy(x[:300], side[:300], x[300:], side[300:]) < 0.47
    x[:, 0] += 9 * side
    assert linear_accuracy(x[:300], side[:300], x[300:], side[300:]) > 0.6


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("translated")
    return tiny_run(tiny_corpora(folder), folder / "a.mix", recipe=tiny_recipe(steps=40, style_weight=30.0))


def test_a_run_tells_content_and_shift(finished: Run) -> None:
    assert finished.has_content
    y = np.full((finished.vqt.n_bands, 21), -4.0, dtype=np.float32)
    dims = finished.recipe.model.content_dim
    assert finished.content(y, finished.one_hot(0)).shape == (dims, 6)
    assert not finished.style_shift(y, finished.one_hot(1), finished.one_hot(1)).any()
    assert finished.style_shift(y, finished.one_hot(0), finished.one_hot(1)).any()
    facts = finished.metrics["translation"]
    assert f"learned translation {facts['texture_distance']['learned']:.2f}" in finished.card()
    spaces = {f"corpus_{how}_{what}" for how in ("from", "near") for what in ("codes", "content")}
    assert set(facts) == {*spaces, "strength", "texture_distance"}
    assert float(finished.model.translator.strength) == facts["strength"]  # type: ignore[union-attr]


def test_a_run_made_before_content_loads_without_it(finished: Run, tmp_path: Path) -> None:
    folder = tmp_path / "old.mix"
    shutil.copytree(finished.path, folder)
    later = ("content_dim", "content_width", "style_crops", "style_every", "style_weight", "agreement_weight")
    text = (folder / "recipe.toml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith(later)]
    (folder / "recipe.toml").write_text("\n".join(kept))
    stored = TensorFile(folder / "model.safetensors").read()
    old = {name: tensor for name, tensor in stored.items() if not name.startswith("translator.")}
    assert len(old) < len(stored)
    save_tensors(folder / "model.safetensors", old, step="10")
    run = load_run(folder)
    assert not run.has_content
    with pytest.raises(BadInput, match=r"trained without it .* train again with model.content_dim above 0"):
        run.content(frames(4), run.one_hot(0))
    with pytest.raises(BadInput, match="trained without it"):
        run.style_shift(frames(4), run.one_hot(0), run.one_hot(1))


def test_the_autoencoder_learns_the_same_beside_it(finished: Run, tmp_path: Path) -> None:
    plain = load_recipe_without_content()
    run = tiny_run([Path(folder) for folder in finished.folders], tmp_path / "b.mix", recipe=plain)
    assert not run.has_content
    assert run.metrics["translation"] == {}
    both = finished.model.state_dict()
    assert all(torch.equal(value, both[name]) for name, value in run.model.state_dict().items())
    assert run.metrics["error"] == finished.metrics["error"]
    assert run.metrics["best_step"] > 0


def load_recipe_without_content() -> Recipe:
    """The recipe of `finished`, less the translator."""
    from dataclasses import replace

    whole = tiny_recipe(steps=40, style_weight=30.0)
    return replace(whole, model=replace(whole.model, content_dim=0))


def test_contours_reach_no_further_than_said() -> None:
    translator = trained().translator
    assert isinstance(translator, Translator)
    assert translator.contour_frames == 8 * F + 1
    shape, contour = torch.zeros(1, K, 80 * F), torch.zeros(1, 80 * F)
    bumped = shape.clone()
    bumped[..., 40 * F] = torch.randn(K)
    with torch.inference_mode():
        change = translator.render(translator.encode(bumped, contour)) - translator.render(
            translator.encode(shape, contour)
        )
    steps = np.flatnonzero((change.abs().amax(dim=(0, 1, 2)) > 1e-6).reshape(80, F).any(dim=1))
    assert 40 - steps.min() < translator.reach
    assert steps.max() - 40 < translator.reach
