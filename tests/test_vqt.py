"""The VQT in all its settings: exact inversion, closed forms, gradients, pooling, and blocks that add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.audio import read_wave
from stylemix.errors import BadInput
from stylemix.features import _settings, make_vqt
from stylemix.recipe import Recipe, load_recipe
from stylemix.transforms import VQT, Coefficients
from tests.banks import BANKS, error_db

RATE = 8000


@pytest.fixture(scope="module")
def vqt() -> VQT:
    return VQT(RATE, bins_per_octave=12)


@pytest.fixture(scope="module", params=BANKS)
def any_vqt(request: pytest.FixtureRequest) -> VQT:
    return VQT(RATE, **BANKS[request.param])


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def band(vqt: VQT, coefficients: Coefficients, index: int) -> tuple[torch.Tensor, int]:
    """One band's coefficients and its hop."""
    group = int(vqt.meta()["group"][index])
    row = index - int(np.searchsorted(vqt.meta()["group"], group))
    return coefficients.groups[group][..., row, :], coefficients.hops[group]


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(1, 3000),
    rate=st.sampled_from([8000, 22050, 44100, 96000, 192000]),
    bins=st.integers(1, 36),
    gamma=st.sampled_from([30.0, 300.0, "erb"]),
    hop=st.sampled_from([1, 2, 64, 256, 1024]),
    oversampling=st.sampled_from([1.0, 1.7]),
)
def test_every_length_comes_back(
    n: int, rate: int, bins: int, gamma: float, hop: int, oversampling: float
) -> None:
    # Windows are longest for ERB bands, and all bands dense for small hops: not both, to be done in time.
    gamma = 300.0 if hop < 64 else gamma
    vqt = VQT(rate, bins_per_octave=bins, gamma_hz=gamma, hop_length=hop, oversampling=oversampling)
    x = random(n, seed=n)
    assert error_db(vqt.inverse(vqt.forward(x)), x) < -250
    assert error_db(vqt.inverse(vqt.forward(x.float())), x.float()) < -100


@settings(max_examples=8, deadline=None)
@given(n=st.integers(1, 3000), rate=st.sampled_from([8000, 22050, 44100]), bins=st.sampled_from([1, 5, 12]))
def test_every_length_comes_back_from_a_constant_q(n: int, rate: int, bins: int) -> None:
    vqt = VQT(rate, bins_per_octave=bins, gamma_hz=0, fmin_hz=65.4)
    x = random(n, seed=n)
    assert error_db(vqt.inverse(vqt.forward(x)), x) < -250
    assert error_db(vqt.inverse(vqt.forward(x.float())), x.float()) < -100


@pytest.mark.slow
@pytest.mark.parametrize("n", [999_983, 10**6])
@pytest.mark.parametrize("rate", [8000, 48000, 192000])
@pytest.mark.parametrize("name", BANKS)
def test_a_million_samples_come_back(name: str, rate: int, n: int) -> None:
    vqt = VQT(rate, **BANKS[name])
    x = random(n)
    assert error_db(vqt.inverse(vqt.forward(x)), x) < -250
    assert error_db(vqt.inverse(vqt.forward(x.float())), x.float()) < -100


def test_music_comes_back(real_music: Path) -> None:
    file = sorted(real_music.rglob("*.mp3"))[0]
    wave = read_wave(file, sample_rate=22050)
    x = torch.from_numpy(wave.samples[..., : 20 * 22050])
    for options in ({}, {"gamma_hz": 0.0, "bins_per_octave": 24}, {"gamma_hz": "erb"}):
        vqt = VQT(22050, **options)  # type: ignore[arg-type]
        assert error_db(vqt.inverse(vqt.forward(x)), x) < -120


def test_the_default_numbers_are_what_they_were() -> None:
    t = torch.arange(12000, dtype=torch.float64)
    c = VQT(22050).forward(torch.cos(0.0003 * t**1.6) + 0.5 * torch.sin(0.02 * t))
    assert [tuple(g.shape) for g in c.groups] == [(76, 110), (36, 220), (36, 440), (14, 880)]
    sums = [float(g.abs().sum()) for g in c.groups]
    np.testing.assert_allclose(sums, [134.197354, 1.26237831, 1.22173740, 0.66867269], rtol=2e-8)
    found = [complex(c.groups[g][r, n]) for g, r, n in ((0, 5, 20), (1, 0, 3), (2, -1, 11), (3, 0, 3))]
    wanted = [-0.000258086 - 8.7511e-05j, 0.000705476 - 0.001123163j, -5.51e-07 + 7.61e-07j, 0.000465839 - 0.001270822j]
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_silence_is_silent_and_a_constant_is_in_the_band_at_zero_alone(any_vqt: VQT) -> None:
    n = 4 * any_vqt.margin
    assert not any(g.any() for g in any_vqt.forward(torch.zeros(n)).groups)
    assert not any_vqt.inverse(any_vqt.forward(torch.zeros(n))).any()
    c = any_vqt.forward(torch.full((n,), 0.3, dtype=torch.float64))
    for index in range(any_vqt.n_bands):
        row, hop = band(any_vqt, c, index)
        middle = row[2 * any_vqt.margin // hop]
        # The edges, twice a margin away, are a pulse's tail of 1 / (2 pi u^2) at u = 29.
        assert abs(complex(middle) - (0.3 if index == 0 else 0)) < 0.3 * 4e-4


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.99])
def test_a_cosine_has_its_amplitude_and_phase_in_the_band_named_after_it(any_vqt: VQT, share: float) -> None:
    index = round(share * (any_vqt.n_bands - 1)) - (share == 0.99)
    frequency = any_vqt.meta()["frequency_hz"][index]
    n = 4 * any_vqt.margin
    x = 0.7 * torch.cos(2 * np.pi * frequency * torch.arange(n, dtype=torch.float64) / RATE + 0.4)
    coefficients = any_vqt.forward(x)
    c, hop = band(any_vqt, coefficients, index)
    inner = np.arange(n // 3 // hop, 2 * n // 3 // hop)
    expected = 0.7 * np.exp(1j * (2 * np.pi * frequency * inner * hop / RATE + 0.4))
    np.testing.assert_allclose(c[inner].numpy(), expected, atol=7e-4)
    peaks = [band(any_vqt, coefficients, k)[0].abs() for k in range(any_vqt.n_bands)]
    assert int(np.argmax([float(p[len(p) // 2 * n // any_vqt.padded_length(n)]) for p in peaks])) == index


def test_an_impulse_is_every_window_s_pulse(any_vqt: VQT) -> None:
    n, at = 2 * any_vqt.margin, any_vqt.hop_length * 7
    x = torch.zeros(n, dtype=torch.float64)
    x[at] = 1
    c = any_vqt.forward(x)
    length = any_vqt.padded_length(n)
    bins = np.fft.rfftfreq(length, 1 / RATE)
    for index in range(any_vqt.n_bands):
        row, hop = band(any_vqt, c, index)
        window = any_vqt.bank.window(index, bins)
        # At the impulse all frequencies are in phase: the sum of the window, both halves of the pair counted.
        total = 2 * window.sum() - (index == 0) - (index == any_vqt.n_bands - 1)
        assert complex(row[at // hop]) == pytest.approx(total / length, rel=1e-9)


def test_the_frame_keeps_half_to_all_of_the_energy(any_vqt: VQT) -> None:
    # Parseval: band k has 2 / L sum |X|^2 g_k^2, and g_k^2 + g_{k+1}^2 = (1 - u)^2 + u^2 lies between 1/2 and 1.
    x = random(5000)
    c = any_vqt.forward(x)
    energy = 0.0
    for index in range(any_vqt.n_bands):
        row, hop = band(any_vqt, c, index)
        energy += hop * float(row.abs().square().sum()) * (1 if index in (0, any_vqt.n_bands - 1) else 0.5)
    assert 0.5 <= energy / float(x.square().sum()) <= 1
    # On noise the mean of both over the warped distance: 3/4.
    assert energy / float(x.square().sum()) == pytest.approx(0.75, abs=0.03)


@settings(max_examples=15, deadline=None)
@given(shape=st.lists(st.integers(1, 3), max_size=3), n=st.integers(1, 600), double=st.booleans())
def test_a_batch_is_its_rows_one_by_one(shape: list[int], n: int, double: bool) -> None:
    vqt = VQT(RATE, bins_per_octave=4, gamma_hz=100.0)
    x = random(*shape, n, seed=n, dtype=torch.float64 if double else torch.float32)
    together = vqt.forward(x)
    rows = [vqt.forward(row) for row in x.reshape(-1, n)]
    for g, group in enumerate(together.groups):
        alone = torch.stack([row.groups[g] for row in rows]).reshape(group.shape)
        torch.testing.assert_close(group, alone)
        assert group.dtype == (torch.complex128 if double else torch.complex64)
        assert group.device == x.device
    back = vqt.inverse(together)
    assert back.dtype == x.dtype
    torch.testing.assert_close(back, x, atol=1e-5, rtol=1e-5)


def test_every_band_is_a_convolution_with_its_window_s_pulse(any_vqt: VQT) -> None:
    n = 3000
    x = random(n, seed=1)
    length = any_vqt.padded_length(n)
    spectrum = np.fft.fft(x.numpy(), length)
    frequencies = np.arange(length) * RATE / length
    coefficients = any_vqt.forward(x)
    for index in range(any_vqt.n_bands):
        # The slow way: filter the whole sound, then keep every hop-th sample.
        if index in (0, any_vqt.n_bands - 1):
            response = any_vqt.bank.window(index, np.minimum(frequencies, RATE - frequencies))
        else:
            response = np.where(frequencies <= RATE / 2, 2 * any_vqt.bank.window(index, frequencies), 0)
        c, hop = band(any_vqt, coefficients, index)
        np.testing.assert_allclose(c.numpy(), np.fft.ifft(spectrum * response)[::hop], atol=1e-10)


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


@pytest.mark.parametrize("options", [{"gamma_hz": 150.0}, {"gamma_hz": 0.0, "fmin_hz": 200.0}])
def test_it_is_differentiable(options: dict[str, float]) -> None:
    vqt = VQT(1000, bins_per_octave=1, hop_length=4, **options)  # type: ignore[arg-type]
    x = random(12, seed=3).requires_grad_()
    groups = tuple(g.detach().requires_grad_() for g in vqt.forward(x).groups)

    def features(y: torch.Tensor) -> torch.Tensor:
        return vqt.pool(vqt.forward(y).magnitudes(), y.shape[-1])

    def sound(*c: torch.Tensor) -> torch.Tensor:
        return vqt.inverse(Coefficients(c, vqt.hops, 12))

    assert torch.autograd.gradcheck(features, (x,))
    assert torch.autograd.gradcheck(lambda y: vqt.forward(y).groups, (x,))
    assert torch.autograd.gradcheck(sound, groups)
    assert torch.autograd.gradgradcheck(lambda y: vqt.forward(y).groups[0].abs().square().sum(), (x,))
    assert torch.autograd.gradgradcheck(lambda *c: sound(*c).pow(3).sum(), groups, fast_mode=True)


def test_what_inference_left_behind_can_be_trained_through() -> None:
    # Tables made in inference mode are kept, and must be good for gradients later; long enough for all of them.
    vqt, x = VQT(8000), torch.randn(40000)
    with torch.inference_mode():
        vqt.pool(vqt.forward(x).magnitudes(), 40000)
        vqt.inverse(vqt.forward(x))
    y = x.clone().requires_grad_()
    (vqt.pool(vqt.forward(y).magnitudes(), 40000).sum() + vqt.inverse(vqt.forward(y)).square().sum()).backward()
    assert y.grad is not None
    assert y.grad.isfinite().all()


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


def test_coefficients_of_another_transform_are_refused(vqt: VQT) -> None:
    c = vqt.forward(torch.ones(1000))
    with pytest.raises(BadInput, match=r"not this transform's.*give what forward gave"):
        VQT(RATE, bins_per_octave=24).inverse(c)
    with pytest.raises(BadInput, match="at most 6912 samples"):
        vqt.inverse(Coefficients(vqt.forward(torch.ones(20000)).groups, c.hops, 1000))
    with pytest.raises(BadInput, match="not this transform's"):
        vqt.inverse(Coefficients(c.groups[:1], c.hops, 1000))


def test_missing_frames_at_the_end_are_silence(vqt: VQT) -> None:
    c = vqt.forward(random(3000))
    cut = Coefficients(tuple(g[..., : 2048 // hop] for g, hop in zip(c.groups, c.hops, strict=True)), c.hops, 3000)
    for g, hop in zip(c.groups, c.hops, strict=True):
        g[..., 2048 // hop :] = 0
    torch.testing.assert_close(vqt.inverse(cut), vqt.inverse(c))


def test_windows_of_hours_are_refused() -> None:
    with pytest.raises(BadInput, match=r"gamma_hz 1e-05.* at most 600 s can be used; raise gamma_hz or lower bins"):
        VQT(8000, gamma_hz=1e-5).forward(torch.ones(10))
    with pytest.raises(BadInput, match=r"fmin_hz 0\.001.* raise fmin_hz or lower"):
        VQT(8000, gamma_hz=0, fmin_hz=0.001).forward(torch.ones(10))


def test_rows_have_names(any_vqt: VQT) -> None:
    meta = any_vqt.meta()
    c = any_vqt.forward(torch.ones(100))
    rows = [(hop, g) for g, (group, hop) in enumerate(zip(c.groups, c.hops, strict=True)) for _ in range(len(group))]
    assert list(zip(meta["hop"].tolist(), meta["group"].tolist(), strict=True)) == rows
    assert {values.shape for values in meta.values()} == {(any_vqt.n_bands,)}
    assert meta["q"][0] == 0
    # Against the width at half of the height.
    k = any_vqt.n_bands // 2
    grid = np.linspace(0, RATE / 2, 400001)
    above = grid[any_vqt.bank.window(k, grid) >= 0.5]
    assert meta["q"][k] == pytest.approx(meta["frequency_hz"][k] / np.ptp(above), rel=0.06)


def test_recipes_can_ask_for_a_constant_q_and_their_features_are_kept_apart() -> None:
    # The keys of what users have in their caches.
    kept = {"version", "sample_rate", "hop_length", "octave_width_hz", "gamma_hz"}
    assert set(_settings(make_vqt(Recipe()))) == kept
    banks = [make_vqt(load_recipe("base", {"vqt.gamma_hz": 0.0, "vqt.bins_per_octave": b})) for b in (24, 36)]
    options = [{"gamma_hz": 0, "fmin_hz": 55.0}, {"oversampling": 2.0}, {}, {"gamma_hz": "erb"}]
    banks += [VQT(22050, **o) for o in options]  # type: ignore[arg-type]
    keys = [tuple(sorted(_settings(bank).items())) for bank in banks]
    assert len(set(keys)) == len(keys)
    assert banks[1].frequencies_hz[2] == pytest.approx(32.7032, abs=1e-4)
    with pytest.raises(BadInput, match=r"windows of 62\.3 s.* lower vqt\.bins_per_octave"):
        make_vqt(load_recipe("base", {"vqt.gamma_hz": 0.0, "vqt.bins_per_octave": 192}))
