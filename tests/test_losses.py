"""The losses: closed forms."""

from __future__ import annotations

import pytest
import torch

from stylemix.model.autoencoder import Autoencoder
from stylemix.model.losses import between_loss, mix_between, reconstruction_loss
from stylemix.recipe import Model


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_error_is_weighed_over_frames_and_averaged_over_bands() -> None:
    shape = torch.zeros(2, 3, 4)
    decoded = torch.zeros(2, 3, 4)
    decoded[0, :, 0], decoded[0, 0, 1], decoded[1] = 2.0, 3.0, 100.0
    weight = torch.tensor([[1.0, 0.5, 1.0, 0.0], [0.0] * 4])
    # Frame 0: 4; frame 1: 9 / 3; over a weight of 2.5 in all. The silent crop costs nothing.
    assert reconstruction_loss(decoded, shape, weight).item() == pytest.approx((4 + 0.5 * 3) / 2.5)


def test_silence_alone_costs_nothing_and_breaks_nothing() -> None:
    decoded = torch.ones(1, 2, 3, requires_grad=True)
    loss = reconstruction_loss(decoded, torch.zeros(1, 2, 3), torch.zeros(1, 3))
    loss.backward()
    assert loss.item() == 0
    assert decoded.grad.abs().max() == 0


def test_mixtures_lie_between_partners() -> None:
    codes = torch.arange(4.0)[:, None, None].expand(4, 2, 3)
    condition = torch.eye(4)
    mixed, mixture, _ = mix_between(codes, condition, generator())
    torch.testing.assert_close(mixture.sum(1), torch.ones(4))
    # The same point for every dimension and step of a crop, and for its condition.
    assert (mixed == mixed[:, :1, :1]).all()
    partner = torch.randperm(4, generator=(g := generator()))
    at = torch.rand(4, 1, generator=g)
    torch.testing.assert_close(mixed[:, 0, 0], codes[:, 0, 0] * (1 - at[:, 0]) + codes[partner, 0, 0] * at[:, 0])
    torch.testing.assert_close(mixture, condition * (1 - at) + condition[partner] * at)


def test_pca_has_no_holes_and_a_shaken_model_has() -> None:
    torch.manual_seed(0)
    model = Autoencoder(6, 2, Model(latent_dim=4, frames_per_step=2, width=8, depth=1)).eval()
    directions = torch.linalg.qr(torch.randn(12, 4, generator=generator())).Q
    model.start_as_pca(torch.randn(2, 6, generator=generator(1)), directions, torch.tensor([2.0, 1.0, 0.5, 0.1]))
    codes = torch.randn(6, 4, 5, generator=generator(2))
    condition = torch.eye(2)[torch.tensor([0, 1, 0, 1, 0, 1])]
    assert between_loss(model, codes, condition, generator(3)).item() < 1e-10
    with torch.no_grad():
        model.decoder_out.weight.normal_(generator=generator(4))
    shaken = between_loss(model, codes, condition, generator(3))
    assert shaken > 0.01
    shaken.backward()
    assert model.decoder_out.weight.grad.abs().max() > 0


def test_contexts_are_mixed_as_their_sounds_are() -> None:
    codes = torch.arange(4.0)[:, None, None].expand(4, 3, 5)
    mixed, mixture, around = mix_between(codes, torch.eye(4), generator(), codes[:, :2] * 10)
    assert around is not None
    torch.testing.assert_close(around, mixed[:, :2] * 10)
    assert not torch.equal(mixed, codes)
    assert mix_between(codes, torch.eye(4), generator())[2] is None
    torch.testing.assert_close(mixture.sum(1), torch.ones(4))
