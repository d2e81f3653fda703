"""Fourier: exact inversion, closed forms, agreement with the library, refusals; long real transforms."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.phase import recover
from stylemix.transforms import Coefficients, Fourier, huge_fft, real_fft
from stylemix.transforms.huge_fft import irfft_by_slices, rfft_by_slices
from stylemix.transforms.real_fft import irfft, rfft
from tests.banks import error_db

RATE = 8000


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=60, deadline=None)
@given(
    n=st.one_of(st.integers(1, 50), st.integers(1, 5000), st.sampled_from([997, 2048, 4999])),
    half=st.integers(2, 300),
    share=st.floats(0.01, 1.0),
    window=st.sampled_from(["hann", "hamming", "blackman", "boxcar", "cosine"]),
    lead=st.lists(st.integers(1, 2), max_size=2),
)
def test_every_length_comes_back(n: int, half: int, share: float, window: str, lead: list[int]) -> None:
    # Hops up to half of what the Hann window allows, and shorter than the window's length: signals may be too.
    fourier = Fourier(RATE, n_fft=2 * half, hop_length=max(1, int(share * half / 2)), window=window)
    x = random(*lead, n, seed=n)
    c = fourier.forward(x)
    assert c.array.shape == (*lead, half + 1, -(-n // fourier.hop_length))
    back = fourier.inverse(c)
    assert back.shape == x.shape
    assert error_db(back, x) < -220
    assert error_db(fourier.inverse(fourier.forward(x.float())), x.float()) < -100


def test_the_largest_hop_still_comes_back() -> None:
    for window in ("hann", "blackman", "boxcar"):
        with pytest.raises(BadInput, match=r"hop_length must be 1 to (\d+), so that every sample") as caught:
            Fourier(RATE, n_fft=512, hop_length=257, window=window)
        hop = int(str(caught.value).split("1 to ")[1].split(",")[0])
        fourier = Fourier(RATE, n_fft=512, hop_length=hop, window=window)
        for n in (hop, 5 * hop, 5 * hop + 1):
            assert error_db(fourier.inverse(fourier.forward(random(n).float())), random(n).float()) < -90


@pytest.mark.parametrize("n", [999_983, 10**6])
def test_a_million_samples_come_back(n: int) -> None:
    x = random(n)
    fourier = Fourier(44100)
    assert error_db(fourier.inverse(fourier.forward(x)), x) < -250
    assert error_db(fourier.inverse(fourier.forward(x.float())), x.float()) < -120


def test_it_is_librosa_s_transform_in_amplitudes_and_with_phases_at_the_centre() -> None:
    x = random(9000)
    found = Fourier(RATE, n_fft=512, hop_length=128).forward(x).array
    theirs = librosa.stft(x.numpy(), n_fft=512, hop_length=128, pad_mode="constant")[:, : found.shape[-1]]
    scale = 2 / librosa.filters.get_window("hann", 512).sum() * (-1.0) ** np.arange(257)
    scale[[0, -1]] /= 2
    np.testing.assert_allclose(found.numpy(), theirs * scale[:, None], atol=1e-7)


@pytest.mark.parametrize("row", [1, 17, 100, 127])
def test_a_cosine_has_its_amplitude_and_phase_in_the_row_named_after_it(row: int) -> None:
    fourier = Fourier(RATE, n_fft=256, hop_length=50)
    meta = fourier.meta()
    x = 0.7 * torch.cos(2 * np.pi * meta["frequency_hz"][row] / RATE * torch.arange(4000, dtype=torch.float64) + 0.4)
    frames = np.arange(4, 70)
    c = fourier.forward(x).array[:, frames]
    assert set(c.abs().argmax(0).tolist()) == {row}
    expected = 0.7 * np.exp(1j * (2 * np.pi * meta["frequency_hz"][row] * frames * 50 / RATE + 0.4))
    # In the rows beside zero and Nyquist the pair's other half is heard through the window's first side lobe.
    np.testing.assert_allclose(c[row].numpy(), expected, atol=1e-12 if 2 <= row <= 126 else 0.36)


def test_silence_constants_and_impulses() -> None:
    fourier = Fourier(RATE, n_fft=256, hop_length=64)
    assert not fourier.forward(torch.zeros(1000)).array.any()
    c = fourier.forward(torch.full((1000,), -0.3, dtype=torch.float64)).array[:, 5]
    # A Hann window has a constant in the two lowest rows: half the amplitude of the cosine it takes for it.
    np.testing.assert_allclose(c[:3].numpy(), [-0.3, -0.3, 0], atol=1e-12)
    assert c[2:].abs().max() < 1e-12
    x = torch.zeros(1000, dtype=torch.float64)
    x[320] = 1
    # An impulse in a frame's centre is flat, with zero phase: 2 w(0) / sum of w = 4 / n_fft.
    np.testing.assert_allclose(fourier.forward(x).array[1:-1, 5].numpy(), 4 / 256, atol=1e-15)


def test_the_bandwidth_is_that_of_noise() -> None:
    fourier = Fourier(RATE, n_fft=256, hop_length=64)
    x = random(200_000)
    power = fourier.forward(x).array[5:-5, 5:-5].abs().square().mean()
    # White noise has 1 / (RATE / 2) of its power in a hertz; a cosine of amplitude A has A^2 / 2.
    assert float(power) / 2 == pytest.approx(fourier.meta()["bandwidth_hz"][0] / (RATE / 2), rel=0.02)


def test_frames_keep_the_energy() -> None:
    # Parseval over each frame, and a Hann window squared at a quarter adds up to 3/2 everywhere.
    fourier = Fourier(RATE, n_fft=256, hop_length=64)
    x = random(64 * 100)
    x[:256] = x[-256:] = 0
    power = fourier.forward(x).array.abs().square()
    one_sided = power[1:-1].sum() / 2 + power[0].sum() + power[-1].sum()
    scale = (fourier.window.sum() ** 2) / 256
    assert float(one_sided * scale / 1.5) == pytest.approx(float(x.square().sum()), rel=1e-9)


def test_it_is_differentiable() -> None:
    fourier = Fourier(RATE, n_fft=8, hop_length=2)
    x = random(2, 13).requires_grad_()
    c = fourier.forward(x).array.detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda y: fourier.forward(y).array, (x,))
    assert torch.autograd.gradcheck(lambda a: fourier.inverse(Coefficients((a,), (2,), 13)), (c,))


def test_type_and_device_are_kept() -> None:
    fourier = Fourier(RATE, n_fft=64, hop_length=16)
    for dtype, kind in ((torch.float32, torch.complex64), (torch.float64, torch.complex128)):
        c = fourier.forward(random(100, dtype=dtype))
        assert c.array.dtype == kind
        assert fourier.inverse(c).dtype == dtype
        assert fourier.inverse(c).device == c.array.device


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate": 0}, r"sample_rate must be positive \(Hz\), got 0"),
        ({"n_fft": 1001}, "n_fft must be even and at least 2, got 1001"),
        ({"n_fft": 0}, "n_fft must be even and at least 2, got 0"),
        ({"hop_length": 0}, "hop_length must be 1 to 959, .* got 0"),
        ({"hop_length": 1024}, "n_fft 2048 and window 'hann', hop_length must be 1 to 959"),
        ({"window": "hane"}, "window 'hane' is unknown"),
    ],
)
def test_an_impossible_transform_is_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Fourier(**({"sample_rate": RATE} | options))  # type: ignore[arg-type]


def test_what_is_no_sound_or_not_its_coefficients_is_refused() -> None:
    fourier = Fourier(RATE)
    with pytest.raises(BadInput, match="Fourier: x holds NaN or Inf"):
        fourier.forward(torch.tensor([0.0, float("inf")]))
    c = fourier.forward(torch.ones(2000))
    with pytest.raises(BadInput, match=r"shape \(1025, 4\) with hops \(512,\) are not .* of 2049 samples, \(1025, 5\)"):
        fourier.inverse(Coefficients(c.groups, c.hops, 2049))
    with pytest.raises(BadInput, match=r"not this transform's .* hop 256; give what forward gave"):
        Fourier(RATE, hop_length=256).inverse(c)


@settings(max_examples=30, deadline=None)
@given(half=st.integers(4096, 9000), missing=st.integers(0, 5000), rows=st.sampled_from([(), (1,), (1, 1), (2,)]))
def test_long_real_transforms_are_the_library_s(half: int, missing: int, rows: tuple[int, ...]) -> None:
    n = 2 * half
    x = random(*rows, n - missing, seed=half)
    torch.testing.assert_close(rfft(x, n), torch.fft.rfft(x, n=n))
    # What is imaginary at the ends is ignored, as there.
    spectrum = torch.complex(random(*rows, half + 1), random(*rows, half + 1, seed=1))
    torch.testing.assert_close(irfft(spectrum, n), torch.fft.irfft(spectrum, n=n))


@settings(max_examples=60, deadline=None)
@given(a=st.integers(2, 40), b=st.integers(2, 40), share=st.floats(0.01, 1.0), size=st.sampled_from([1, 50, 2**16]))
def test_huge_real_transforms_are_the_library_s(a: int, b: int, share: float, size: int) -> None:
    n = a * b
    x = random(max(1, int(share * n)), seed=n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huge_fft, "_SLICE", size)
        torch.testing.assert_close(rfft_by_slices(x, a, b), torch.fft.rfft(x, n=n))
        if n % 2 == 0:
            spectrum = torch.complex(random(n // 2 + 1), random(n // 2 + 1, seed=1))
            torch.testing.assert_close(irfft_by_slices(spectrum, a, b), torch.fft.irfft(spectrum, n=n))


def test_the_way_by_slices_is_taken_where_no_gradient_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 8192
    monkeypatch.setattr(real_fft, "_KEPT", 4096)
    x = random(n)
    spectrum = torch.fft.rfft(x)
    torch.testing.assert_close(rfft(x, n), spectrum)
    torch.testing.assert_close(irfft(spectrum, n), x)
    test_long_real_transforms_have_the_library_s_gradients()
    # Where a length has no two factors near its root, the other way is taken.
    torch.testing.assert_close(rfft(x, 2 * 4099), torch.fft.rfft(x, n=2 * 4099))
    monkeypatch.setattr(real_fft, "rfft_by_slices", None)
    with pytest.raises(TypeError):
        rfft(x, n)


def test_long_real_transforms_have_the_library_s_gradients() -> None:
    n = 8192
    x = random(n).requires_grad_()
    spectrum = torch.complex(random(n // 2 + 1), random(n // 2 + 1, seed=1)).requires_grad_()
    weights = torch.complex(random(n // 2 + 1, seed=2), random(n // 2 + 1, seed=3))
    ours, theirs = (torch.autograd.grad((f(x, n) * weights).abs().pow(2.5).sum(), x)[0] for f in (rfft, torch.fft.rfft))
    torch.testing.assert_close(ours, theirs)
    ours, theirs = (
        torch.autograd.grad(f(spectrum, n).pow(3).sum(), spectrum)[0] for f in (irfft, torch.fft.irfft)
    )
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(rfft(x.float(), n), torch.fft.rfft(x.float()), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("n_samples", [8000, 8192])
@pytest.mark.parametrize("hop", [64, 128])
def test_librosa_s_magnitudes_become_amplitudes_and_sound(n_samples: int, hop: int) -> None:
    x = np.cos(0.3 * np.arange(n_samples)) * np.hanning(n_samples)
    fourier = Fourier(8000, n_fft=512, hop_length=hop)
    theirs = np.abs(librosa.stft(x, n_fft=512, hop_length=hop))
    ours = fourier.amplitudes(theirs, n_samples)
    torch.testing.assert_close(ours, fourier.forward(torch.from_numpy(x)).array.abs(), atol=1e-12, rtol=0)
    y = recover((ours,), fourier, n_samples)
    assert float(y.abs().max()) == pytest.approx(np.abs(x).max(), rel=0.01)


def test_magnitudes_of_other_settings_are_no_amplitudes() -> None:
    fourier = Fourier(8000, n_fft=512, hop_length=128)
    with pytest.raises(BadInput, match=r"magnitudes of shape \(129, 63\) are not of 8000 samples with n_fft 512"):
        fourier.amplitudes(np.ones((129, 63)), 8000)
    with pytest.raises(BadInput, match=r"real floating-point numbers, got torch\.complex128; take their abs"):
        fourier.amplitudes(np.ones((257, 63), complex), 8000)
