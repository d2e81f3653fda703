"""PCA of patches: against scikit-learn, a closed form, and the quick method against all eigenvectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from stylemix.errors import BadInput
from stylemix.model import pca as pca_module
from stylemix.model.autoencoder import to_patches
from stylemix.model.material import Material, Piece
from stylemix.model.pca import Pca, fit_pca

K = 12


def material(
    n_frames: tuple[int, ...] = (400, 400), *, weights: dict[str, float] | None = None, n_bands: int = K
) -> Material:
    """Loud correlated frames, every corpus with a mean of its own; the shapes are far above their floor."""
    pieces = []
    for corpus, n in enumerate(n_frames):
        rng = np.random.default_rng(corpus)
        mixing = rng.standard_normal((n_bands, n_bands)) * np.geomspace(0.6, 0.02, n_bands)[:, None]
        frames = rng.standard_normal((n, n_bands)) @ mixing + rng.standard_normal(n_bands)
        pieces.append(Piece(frames.astype(np.float32), corpus, 0, n, False))
    names = [f"c{i}" for i in range(len(n_frames))]
    return Material(names, pieces, weights=weights or {}, floor_db=-100)


def shapes(m: Material) -> list[torch.Tensor]:
    """What PCA sees of each corpus."""
    found = [m.shapes(p, p.start, p.stop) for p in m.pieces]
    assert all((weight == 1).all() for _, weight in found)
    return [shape for shape, _ in found]


def assert_same_directions(fit: Pca, reference: np.ndarray) -> None:
    """Components may differ in sign alone."""
    agreement = np.abs((fit.components.numpy() * reference).sum(axis=0))
    np.testing.assert_allclose(agreement, 1, atol=1e-4)


def test_frames_of_two_corpora_are_those_of_scikit_learn() -> None:
    m = material()
    fit = fit_pca(m, latent_dim=5, frames_per_step=1, match_spectrum=True)
    x = shapes(m)
    np.testing.assert_allclose(fit.means, torch.stack([s.mean(1) for s in x]), atol=1e-5)
    centred = np.concatenate([(s - s.mean(1, keepdim=True)).T.numpy() for s in x])
    reference = PCA(5).fit(centred)
    assert_same_directions(fit, reference.components_.T)
    # scikit-learn divides by n - 1.
    variance = reference.explained_variance_ * (len(centred) - 1) / len(centred)
    np.testing.assert_allclose(fit.deviations.square(), variance, rtol=1e-4)


def test_patches_on_two_grids_are_all_counted() -> None:
    m = material((401, 333))
    fit = fit_pca(m, latent_dim=6, frames_per_step=4, match_spectrum=True)
    covariance = np.zeros((4 * K, 4 * K))
    for corpus, shape in enumerate(shapes(m)):
        x = shape - fit.means[corpus].unsqueeze(1)
        patches = torch.cat([to_patches(x, 4), to_patches(x[:, 2:], 4)], dim=1).double().numpy()
        covariance += 0.5 * patches @ patches.T / patches.shape[1]
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(fit.deviations.square(), values[::-1][:6], rtol=1e-3)
    assert_same_directions(fit, vectors[:, ::-1][:, :6])


def test_components_are_orthonormal() -> None:
    fit = fit_pca(material(), latent_dim=7, frames_per_step=3, match_spectrum=True)
    torch.testing.assert_close(fit.components.T @ fit.components, torch.eye(7), atol=1e-5, rtol=0)


def test_a_weight_counts_like_more_material() -> None:
    # Weight 0 for one corpus leaves the other's PCA.
    alone = fit_pca(material(weights={"c1": 0.0}), latent_dim=4, frames_per_step=1, match_spectrum=True)
    first = shapes(material())[0]
    reference = PCA(4).fit(first.T.numpy())
    assert_same_directions(alone, reference.components_.T)


def test_length_does_not_count_between_corpora() -> None:
    once = fit_pca(material((400, 400)), latent_dim=4, frames_per_step=1, match_spectrum=True)
    m = material((400, 400))
    doubled = Material(m.names, [*m.pieces, m.pieces[0]], weights={}, floor_db=-100)
    twice = fit_pca(doubled, latent_dim=4, frames_per_step=1, match_spectrum=True)
    torch.testing.assert_close(once.deviations, twice.deviations)


def test_unmatched_spectra_share_one_mean() -> None:
    m = material()
    fit = fit_pca(m, latent_dim=K, frames_per_step=1, match_spectrum=False)
    matched = fit_pca(m, latent_dim=K, frames_per_step=1, match_spectrum=True)
    assert torch.equal(fit.means[0], fit.means[1])
    torch.testing.assert_close(fit.means[0], matched.means.mean(0))
    # Then half the distance of the corpora is a deviation like the others.
    apart = (matched.means[0] - matched.means[1]).square().sum() / 4
    assert apart > 1
    torch.testing.assert_close(
        fit.deviations.square().sum(), matched.deviations.square().sum() + apart, rtol=1e-3, atol=0
    )


def test_silence_steers_nothing() -> None:
    m = material()
    quiet = np.full((300, K), -25, dtype=np.float32)
    quiet[:, 0] = -20
    more = Material(m.names, [*m.pieces, Piece(quiet, 0, 0, 300, False)], weights={}, floor_db=-100)
    torch.testing.assert_close(
        fit_pca(more, latent_dim=4, frames_per_step=1, match_spectrum=True).deviations,
        fit_pca(m, latent_dim=4, frames_per_step=1, match_spectrum=True).deviations,
    )


def test_more_dimensions_than_there_are() -> None:
    fit = fit_pca(material(), latent_dim=20, frames_per_step=1, match_spectrum=True)
    assert fit.components.shape == (K, 20)
    assert fit.components[:, K:].abs().max() == 0
    assert (fit.deviations > 0).all()


def test_one_frame_is_enough_to_go_on() -> None:
    fit = fit_pca(material((1, 1)), latent_dim=3, frames_per_step=4, match_spectrum=True)
    assert torch.isfinite(fit.components).all()
    assert (fit.deviations > 0).all()


def test_the_quick_method_finds_what_all_eigenvectors_find(monkeypatch: pytest.MonkeyPatch) -> None:
    m = material((3000, 3000), n_bands=40)
    exact = fit_pca(m, latent_dim=20, frames_per_step=4, match_spectrum=True)
    monkeypatch.setattr(pca_module, "_LARGE", 100)
    quick = fit_pca(m, latent_dim=20, frames_per_step=4, match_spectrum=True)
    total = shapes(m)[0].var(dim=1).sum() * 4
    left = [float(total - fit.deviations.square().sum()) for fit in (exact, quick)]
    assert left[1] == pytest.approx(left[0], rel=1e-4)
    assert not torch.equal(exact.components, quick.components)


def test_patches_too_long_for_a_covariance_are_refused() -> None:
    with pytest.raises(BadInput, match=r"at most 8192, got 1000 times 12; lower model\.frames_per_step"):
        fit_pca(material(), latent_dim=3, frames_per_step=1000, match_spectrum=True)
