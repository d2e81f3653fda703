"""Time scattering: closed forms, energies, rates, ends, pieces and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.transforms import TimeScattering, framing
from stylemix.transforms.cascade import Bank, modulus
from stylemix.transforms.framing import stretch_of
from stylemix.transforms.morlet import (
    Wavelet,
    gauss_response,
    littlewood_paley,
    morlet_bank,
    morlet_response,
)

RATE = 8000


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def scalogram(x: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """The definition at full rate: circular filters by whole Fourier transforms, then the modulus."""
    return np.abs(np.fft.ifft(np.fft.fft(x)[..., None, :] * gains))


@pytest.mark.parametrize(
    "wavelet", [Wavelet(0.35, 0.14), Wavelet(0.1, 0.005), Wavelet(-0.2, 0.02), Wavelet(0.01, 3e-4)]
)
def test_a_wavelet_has_no_mean_and_unit_norm(wavelet: Wavelet) -> None:
    gains = morlet_response(np.fft.fftfreq(2**15), wavelet)
    assert abs(gains[0]) < 1e-15
    assert np.abs(np.fft.ifft(gains)).sum() == pytest.approx(1, rel=1e-6)
    assert np.fft.fftfreq(2**15)[gains.argmax()] == pytest.approx(wavelet.xi, rel=0.05)


def test_neighbours_meet_at_half_power() -> None:
    first, second = morlet_bank(10, 8)[4:6]
    between = np.array([(first.xi * second.sigma + second.xi * first.sigma) / (first.sigma + second.sigma)])
    for wavelet in (first, second):
        assert morlet_response(between, wavelet)[0] ** 2 == pytest.approx(0.5, rel=1e-3)


def test_the_bank_reaches_from_the_top_to_the_average() -> None:
    f = np.linspace(0, 0.44, 3000)
    total = littlewood_paley(f, morlet_bank(8, 8), 0.1 / 2**8)
    assert total.min() > 0.15
    assert total.max() <= 1 + 1e-12


def test_a_tight_bank_keeps_every_frequency() -> None:
    bank = Bank(morlet_bank(7, 8), 7, tight=True)
    f = np.arange(-2048, 2048) / 4096
    gains = [bank.response(i, f) for i in range(-1, len(bank.wavelets))]
    both = [0.5 * (g**2 + np.roll(g[::-1], 1) ** 2) for g in gains]
    assert np.allclose(np.sum(both, axis=0), 1, atol=1e-12)


def test_it_is_the_definition() -> None:
    """Rates, stretches and pieces are only economy: plain whole transforms give the same numbers."""
    n = 4096
    x = noise(n).numpy()
    s = TimeScattering(RATE, J=6, Q=(4, 1), oversampling=8)
    f = np.fft.fftfreq(3 * n)
    low = gauss_response(f, 0.1 / 2**6)
    mirrored = np.pad(x, n, mode="reflect")
    first_gains = np.stack([morlet_response(f, w) for w in s.orders.banks[0].wavelets])
    first = scalogram(mirrored, first_gains)
    frames = n + np.arange(0, n, s.hop_length)
    rows = [np.fft.ifft(np.fft.fft(mirrored) * low).real[None, frames],
            np.fft.ifft(np.fft.fft(first) * low).real[:, frames]]
    second = {}
    for n2, wavelet in enumerate(s.orders.banks[1].wavelets):
        for n1 in s.orders.first_of(n2):
            u2 = scalogram(first[n1], morlet_response(f, wavelet)[None])[0]
            second[n1, n2] = np.fft.ifft(np.fft.fft(u2) * low).real[frames]
    wanted = np.concatenate([*rows, np.stack([second[path] for path in sorted(second)])])
    found = s.forward(torch.from_numpy(x)).array.numpy()
    assert found.shape == wanted.shape
    for order in range(3):
        here = s.meta()["order"] == order
        assert np.linalg.norm((found - wanted)[here]) < 1e-5 * np.linalg.norm(wanted[here])


def test_silence_is_silence() -> None:
    assert TimeScattering(RATE, J=6).forward(torch.zeros(2000)).array.abs().max() == 0


def test_a_constant_is_its_mean_and_nothing_else() -> None:
    s = TimeScattering(RATE, J=6).forward(torch.full((2000,), 0.5, dtype=torch.float64)).array
    assert torch.allclose(s[0], torch.tensor(0.5, dtype=torch.float64), atol=1e-9)
    assert s[1:].abs().max() < 1e-9


@pytest.mark.parametrize("n1", [0, 5, 17, 30])
def test_a_cosine_peaks_at_the_named_frequency_with_half_its_amplitude(n1: int) -> None:
    s = TimeScattering(RATE, J=7, Q=8)
    meta = s.meta()
    hz = meta["frequency_hz"][1 + n1, 0]
    x = 0.6 * torch.cos(2 * torch.pi * hz / RATE * torch.arange(8192, dtype=torch.float64))
    middle = s.forward(x).array[:, 32]
    first = middle[meta["order"] == 1]
    assert int(first.argmax()) == n1
    # An analytic wavelet passes one of the cosine's two halves; the gain at its centre is one, nearly.
    gain = morlet_response(np.array([hz / RATE]), s.orders.banks[0].wavelets[n1])[0]
    assert float(first[n1]) == pytest.approx(0.3 * gain, rel=1e-3)


def test_a_beating_shows_in_the_second_order_at_its_rate() -> None:
    """Two tones 25 Hz apart: the envelope in their band moves 25 times a second."""
    s = TimeScattering(RATE, J=10, Q=(4, 1))
    t = torch.arange(16384, dtype=torch.float64) / RATE
    x = torch.cos(2 * torch.pi * 1000 * t) + torch.cos(2 * torch.pi * 1025 * t)
    meta, middle = s.meta(), s.forward(x).array[:, 8]
    second = np.flatnonzero(meta["order"] == 2)
    f1, f2 = meta["frequency_hz"][second[int(middle[second].argmax())]]
    assert abs(np.log2(f1 / 1012)) < 0.2
    assert abs(np.log2(f2 / 25)) < 0.6


def test_energy_is_kept_by_tight_layers() -> None:
    """Of each layer's input: what its wavelets and its average take adds up to all of it."""
    n, scale = 8192, 7
    s = TimeScattering(RATE, J=scale, Q=(8, 1), T=0, scaling="tight", pad="zero", max_order=1)
    x = noise(n)
    # With room for all that rings beyond the ends.
    room = torch.nn.functional.pad(x, (s.margin, s.margin))
    found = s.forward(room)
    bands = sum(float(g.square().sum()) * hop for g, hop in zip(found.groups, found.hops, strict=True))
    f = np.fft.fftfreq(len(room))
    low = np.fft.fft(room.numpy()) * s.orders.banks[0].response(-1, f)
    assert bands + np.mean(np.abs(low) ** 2) == pytest.approx(float(x.square().sum()), rel=2e-4)


def test_scattering_brings_no_two_sounds_further_apart() -> None:
    s = TimeScattering(RATE, J=6, Q=(8, 1), scaling="tight", pad="zero", oversampling=4)
    for scale in (1.0, 0.1, 1e-3):
        a = noise(4000, seed=1)
        b = a + scale * noise(4000, seed=2)
        room = [torch.nn.functional.pad(v, (s.margin, s.margin)) for v in (a, b)]
        fa, fb = (s.forward(v).array for v in room)
        assert float((fa - fb).square().sum()) * s.hop_length <= float((a - b).square().sum()) * (1 + 1e-3)


def test_small_shifts_change_little_and_less_with_a_longer_average() -> None:
    x = noise(2**15)
    changes = []
    for average in (64, 512, 4096):
        s = TimeScattering(RATE, J=6, T=average)
        a, b = s.forward(x).array, s.forward(torch.roll(x, 16)).array
        changes.append(float((a - b).norm() / a.norm()))
    assert changes[0] > 2 * changes[1] > 4 * changes[2]


def test_a_transposition_moves_the_first_order_by_rows() -> None:
    s = TimeScattering(RATE, J=8, Q=8, max_order=1)
    t = torch.arange(8192, dtype=torch.float64)
    low, high = (s.forward(torch.cos(2 * torch.pi * f * t)).array[1:, 16] for f in (0.05, 0.05 * 2 ** (4 / 8)))
    assert torch.allclose(high[4:24], low[8:28], atol=2e-3 * float(low.max()))


def test_the_mean_over_the_sound_has_one_frame() -> None:
    x = noise(2, 3, 5000)
    s = TimeScattering(RATE, J=6, T="global")
    found = s.forward(x)
    assert found.array.shape == (2, 3, len(s.meta()["order"]), 1)
    local = TimeScattering(RATE, J=6).forward(x).array
    assert torch.allclose(found.array[..., 0], local.mean(-1))


def test_without_an_average_there_are_moduli_at_their_own_rates() -> None:
    x = noise(3000)
    s = TimeScattering(RATE, J=6, Q=(4, 1), T=0)
    found, meta = s.forward(x), s.meta()
    assert sum(g.shape[-2] for g in found.groups) == len(meta["order"])
    assert [g.shape[-1] for g in found.groups] == [-(-3000 // hop) for hop in found.hops]
    assert set(meta["order"]) == {1, 2}
    rows = iter(range(len(meta["hop"])))
    for group, hop in zip(found.groups, found.hops, strict=True):
        assert {int(meta["hop"][next(rows)]) for _ in range(group.shape[-2])} == {hop}
    # The loudest row of a tone's moduli is the one that meta() names.
    tone = torch.cos(2 * torch.pi * 1100 / RATE * torch.arange(3000.0))
    level = torch.cat([g.mean(-1) for g in s.forward(tone).groups]).numpy() * (meta["order"] == 1)
    assert abs(np.log2(meta["frequency_hz"][level.argmax(), 0] / 1100)) < 1 / 8


def test_logarithms_and_quotients() -> None:
    x = noise(4000)
    plain = TimeScattering(RATE, J=6).forward(x).array
    s = TimeScattering(RATE, J=6, renormalize=True)
    bent, meta = s.forward(x).array, s.meta()
    rows = {tuple(n[~np.isnan(n)].astype(int)): i for i, n in enumerate(meta["n"])}
    assert torch.allclose(bent[rows[3, 4]], plain[rows[3, 4]] / (plain[rows[3,]] + 1e-6))
    assert torch.allclose(bent[rows[3,]], plain[rows[3,]] / (bent[0] + 1e-6))
    assert torch.allclose(s.forward(8 * x).array[1:], bent[1:], rtol=1e-4)
    logs = TimeScattering(RATE, J=6, renormalize=True, log=True).forward(x).array
    assert torch.allclose(logs, torch.log(bent + 1e-6))


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(16, 5000),
    lead=st.sampled_from([(), (1,), (2, 3)]),
    options=st.sampled_from([{"J": 4}, {"J": 3, "Q": (2, 2)}, {"J": 4, "T": 7.5}, {"J": 4, "T": 0},
                             {"J": 2, "Q": 1, "max_order": 1, "oversampling": 2.0}]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_any_shape_gives_what_it_says(
    n: int, lead: tuple[int, ...], options: dict[str, Any], dtype: torch.dtype
) -> None:
    s = TimeScattering(RATE, **options)
    found = s.forward(noise(*lead, n, dtype=dtype))
    assert found.n_samples == n
    assert found.hops == s.hops
    for g, hop in zip(found.groups, found.hops, strict=True):
        assert g.shape[:-2] == lead
        assert g.shape[-1] == -(-n // hop)
        assert g.dtype == dtype
    assert sum(g.shape[-2] for g in found.groups) == len(s.meta()["order"])


def test_a_batch_is_its_sounds_one_by_one() -> None:
    x = noise(3, 2, 3001)
    s = TimeScattering(RATE, J=6)
    together = s.forward(x).array
    alone = torch.stack([torch.stack([s.forward(x[i, j]).array for j in range(2)]) for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("average", [None, 0, 300])
def test_pieces_are_the_whole(average: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(60001)
    s = TimeScattering(RATE, J=7, Q=(8, 1), T=average)
    whole = s.forward(x)
    monkeypatch.setattr(framing, "_PIECE", 2**13)
    assert framing.Framing(s.margin, 256).piece(60001) < 20000
    pieces = s.forward(x)
    for a, b in zip(whole.groups, pieces.groups, strict=True):
        assert a.shape == b.shape
        assert float((a - b).norm()) < 1e-4 * float(a.norm())


def test_beyond_the_ends_lies_the_mirror_image() -> None:
    x = torch.arange(5.0)
    assert stretch_of(x, -6, 9, "reflect").tolist() == np.pad(np.arange(5.0), (6, 4), mode="reflect").tolist()
    assert stretch_of(x, -2, 6, "zero").tolist() == [0, 0, 0, 1, 2, 3, 4, 0]
    assert stretch_of(torch.ones(1), -2, 3, "reflect").tolist() == [1, 1, 1, 1, 1]


def test_gradients_are_right() -> None:
    s = TimeScattering(RATE, J=3, Q=(2, 1), log=True, renormalize=True)
    assert torch.autograd.gradcheck(lambda x: s.forward(x).array, noise(64).requires_grad_())
    s = TimeScattering(RATE, J=3, Q=(2, 1), T=0)
    assert torch.autograd.gradcheck(lambda x: s.forward(x).groups, noise(40, seed=3).requires_grad_())


def test_the_gradient_of_silence_is_finite() -> None:
    x = torch.zeros(500, requires_grad=True)
    TimeScattering(RATE, J=4).forward(x).array.sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())
    z = torch.zeros(3, dtype=torch.cfloat, requires_grad=True)
    modulus(z).sum().backward()
    assert z.grad is not None
    assert float(z.grad.abs().max()) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"J": 0}, "J must be a whole number, at least 1"),
        ({"J": 25}, "J must be at most 24"),
        ({"Q": (0, 1)}, "Q must be a whole number of wavelets an octave, at least 1, got 0"),
        ({"Q": (8, 0)}, "got 0"),
        ({"Q": (8, 1, 1)}, "Q must be one number or two"),
        ({"T": 0.5}, "T must be at least 1 sample, 0"),
        ({"T": -4}, "T must be at least 1 sample"),
        ({"T": "all"}, "'global', got 'all'"),
        ({"T": float("nan")}, "T must be at least 1 sample"),
        ({"max_order": 3}, "max_order must be 1 or 2"),
        ({"oversampling": 0.5}, "oversampling must lie between 1"),
        ({"scaling": "l2"}, "'l1' or 'tight'"),
        ({"pad": "wrap"}, "'reflect' or 'zero'"),
        ({"T": 0, "log": True}, "T=0 makes none"),
        ({"sample_rate": 0}, "sample_rate must be positive"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        TimeScattering(**({"sample_rate": RATE, "J": 6} | options))


@pytest.mark.parametrize(
    ("options", "x", "message"),
    [
        ({}, torch.zeros(1000), "J=11 needs at least 2048 samples, got 1000; take J <= 9 or pad"),
        ({"J": 6, "T": 2000}, torch.zeros(1000), "T=2000 samples needs as many, got 1000; lower T"),
        ({}, torch.zeros(3, 0), "x is empty"),
        ({}, torch.full((4096,), torch.inf), "NaN or Inf"),
        ({}, torch.zeros(4096, dtype=torch.float16), "float32 or float64, got torch.float16"),
    ],
)
def test_sound_it_cannot_take_is_refused(options: dict[str, Any], x: torch.Tensor, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        TimeScattering(RATE, **options).forward(x)
