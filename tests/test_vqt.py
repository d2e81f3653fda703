"""The variable-Q transform: exact inversion, closed forms, gradients, pooling, and blocks that add up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.transforms import VQT, Coefficients, block_plan, crossfade, variable_q

RATE = 8000


@pytest.fixture(scope="module")
def vqt() -> VQT:
    return VQT(RATE, bins_per_octave=12)


def band(vqt: VQT, coefficients: Coefficients, index: int) -> tuple[torch.Tensor, int]:
    """One band's coefficients and its hop."""
    first = 0
    for group, hop in zip(coefficients.groups, coefficients.hops, strict=True):
        if index < first + group.shape[-2]:
            return group[..., index - first, :], hop
        first += group.shape[-2]
    raise IndexError(index)


def error_db(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return float(20 * torch.log10((found - wanted).norm() / wanted.norm()))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 3000), rate=st.sampled_from([8000, 22050, 44100]), bins=st.integers(1, 48))
def test_every_length_comes_back(n: int, rate: int, bins: int) -> None:
    vqt = VQT(rate, bins_per_octave=bins)
    x = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    assert error_db(vqt.inverse(vqt.forward(x)), x) < -250
    assert error_db(vqt.inverse(vqt.forward(x.float())), x.float()) < -100


def test_batches_and_channels_are_transformed_one_by_one(vqt: VQT) -> None:
    x = torch.randn(2, 3, 5000, generator=torch.Generator().manual_seed(0))
    together = vqt.forward(x)
    alone = vqt.forward(x[1, 2])
    for all_of_them, one in zip(together.groups, alone.groups, strict=True):
        torch.testing.assert_close(all_of_them[1, 2], one)
    assert vqt.inverse(together).shape == x.shape


@pytest.mark.parametrize("index", [3, 20, 40, 52])
def test_a_sinusoid_in_the_middle_of_a_band_has_its_amplitude_and_phase_there(vqt: VQT, index: int) -> None:
    frequency = vqt.frequencies_hz[index]
    t = torch.arange(3 * RATE, dtype=torch.float64) / RATE
    x = 0.7 * torch.cos(2 * np.pi * frequency * t + 0.4)
    c, hop = band(vqt, vqt.forward(x), index)
    inner = np.arange(RATE // hop, 2 * RATE // hop)
    expected = 0.7 * np.exp(1j * (2 * np.pi * frequency * inner * hop / RATE + 0.4))
    np.testing.assert_allclose(c[inner].numpy(), expected, atol=1e-3)


def test_one_band_is_a_convolution_with_its_window_s_pulse(vqt: VQT) -> None:
    index, n = 30, 6000
    x = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    length = vqt.padded_length(n)
    spectrum = np.fft.fft(x.numpy(), length)
    frequencies = np.arange(length) * RATE / length
    analytic = np.where(frequencies <= RATE / 2, 2 * vqt.bank.window(index, frequencies), 0)
    # The slow way: filter the whole sound, then keep every hop-th sample.
    filtered = np.fft.ifft(spectrum * analytic)
    c, hop = band(vqt, vqt.forward(x), index)
    np.testing.assert_allclose(c.numpy(), filtered[::hop], atol=1e-10)


def test_the_bands_at_zero_and_at_nyquist_are_real(vqt: VQT) -> None:
    x = torch.randn(4000, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    c = vqt.forward(x)
    for index in (0, vqt.n_bands - 1):
        assert band(vqt, c, index)[0].imag.abs().max() < 1e-12
    assert band(vqt, c, 1)[0].imag.abs().max() > 1e-3


def test_the_synthesis_is_the_nearest_sound(vqt: VQT) -> None:
    # The projection onto what sounds can have is idempotent and orthogonal.
    torch.manual_seed(0)
    shapes = vqt.forward(torch.zeros(3000, dtype=torch.float64)).groups
    free = Coefficients(tuple(torch.randn_like(c) for c in shapes), vqt.hops, 3000)
    # Without the zeros behind the sound: the plain frame, whose dual is the pseudo-inverse.
    full = Coefficients(free.groups, vqt.hops, vqt.padded_length(3000) - vqt.margin)
    assert vqt.padded_length(full.n_samples) == vqt.padded_length(3000)
    once = vqt.forward(vqt.inverse(full))
    twice = vqt.forward(vqt.inverse(once))
    for a, b in zip(once.groups, twice.groups, strict=True):
        torch.testing.assert_close(a, b)


def test_it_is_differentiable() -> None:
    vqt = VQT(1000, bins_per_octave=2, gamma_hz=60.0, hop_length=4)
    x = torch.randn(20, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(3))

    def features(y: torch.Tensor) -> torch.Tensor:
        return vqt.pool(vqt.forward(y).magnitudes(), y.shape[-1])

    assert torch.autograd.gradcheck(features, (x,))
    assert torch.autograd.gradcheck(lambda y: vqt.inverse(vqt.forward(y)), (x,))


def test_pooled_noise_has_the_power_of_its_band(vqt: VQT) -> None:
    # White noise of variance s^2 has the power s^2 * sum |g_k|^2 / N in the band with the response g_k.
    n = 60 * RATE
    x = 0.3 * torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    pooled = vqt.pool(vqt.forward(x).magnitudes(), n)[:, 20:-20]
    grid = np.arange(0, RATE / 2, 0.5)
    for index in (10, 30, 50):
        # One-sided response 2 g, on a grid of 0.5 Hz over the whole circle of RATE Hz.
        expected = 0.09 * np.square(2 * vqt.bank.window(index, grid)).sum() * 0.5 / RATE
        found = float(pooled[index].mul(2).exp().mean())
        assert 10 * np.log10(found / expected) == pytest.approx(0, abs=0.5)


def test_spreading_is_linear_interpolation_on_every_lattice(vqt: VQT) -> None:
    n = 10 * vqt.hop_length
    line = torch.arange(10, dtype=torch.float64).expand(vqt.n_bands, 10)
    for rows, hop in zip(vqt.spread(line, n), vqt.hops, strict=True):
        inside = 9 * vqt.hop_length // hop
        torch.testing.assert_close(
            rows[0, :inside], torch.arange(inside, dtype=torch.float64) * hop / vqt.hop_length
        )
        assert (rows[:, inside:] == 9).all()


def test_frames_and_lattice_have_the_lengths_they_promise(vqt: VQT) -> None:
    for n in (1, 255, 256, 257, 9999):
        c = vqt.forward(torch.ones(n))
        assert vqt.pool(c.magnitudes(), n).shape == (vqt.n_bands, -(-n // vqt.hop_length))
        assert {g.shape[-1] * hop for g, hop in zip(c.groups, c.hops, strict=True)} == {vqt.padded_length(n)}
        assert vqt.padded_length(n) >= n + vqt.margin


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(0), r"x is empty, shape \(0,\)"),
        (torch.tensor(1.0), r"x is empty, shape \(\)"),
        (torch.zeros(10, dtype=torch.int32), "float32 or float64, got torch.int32"),
        (torch.zeros(5, dtype=torch.cfloat), "float32 or float64, got torch.complex64"),
        (torch.tensor([0.0, torch.nan]), "NaN or Inf"),
        (np.zeros(5), "torch.Tensor, got ndarray"),
    ],
)
def test_what_is_no_sound_is_refused(vqt: VQT, x: torch.Tensor, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        vqt.forward(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate": 500}, "at least 1000 Hz"),
        ({"gamma_hz": -1.0}, "gamma_hz and fmin_hz at least 0"),
        ({"oversampling": 0.5}, "oversampling at least 1"),
        ({"max_hop": 100}, "power of two"),
    ],
)
def test_an_impossible_bank_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        variable_q(**({"sample_rate": 8000} | options))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 500),
    block=st.integers(1, 90),
    fade=st.integers(0, 40),
    margin=st.integers(0, 30),
    align=st.integers(1, 16),
)
def test_the_blocks_of_a_plan_add_up_to_one(n: int, block: int, fade: int, margin: int, align: int) -> None:
    fade = min(fade, block)
    plan = block_plan(n, block=block, fade=fade, margin=margin, align=align)
    total = np.zeros(n)
    for b in plan:
        total[b.start : b.stop] += crossfade(b)
        assert b.read_start % align == 0
        assert b.read_start <= b.start - margin
        assert b.read_stop >= b.stop + margin
    np.testing.assert_allclose(total, 1)
    assert len({b.read_stop - b.read_start for b in plan}) == 1
