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


@pytest.fixture(scope="module", params=[(name, overlap) for name in BANKS for overlap in (1, 2, 3)], ids=str)
def any_vqt(request: pytest.FixtureRequest) -> VQT:
    name, overlap = request.param
    return VQT(RATE, **BANKS[name], overlap=overlap)


def heard(vqt: VQT, index: int, f: np.ndarray) -> np.ndarray:
    """What a band makes of frequencies of either sign, up to that of Nyquist."""
    if index in (0, vqt.n_bands - 1):
        return np.asarray(vqt.bank.window(index, np.abs(f)))
    # Twice, as it hears one of each pair of frequencies; near the ends both: the other is the mirror image.
    return 2 * (vqt.bank.window(index, f) + np.where(f < 0, vqt.bank.window(index, f + RATE), 0))


def response(vqt: VQT, index: int, length: int) -> np.ndarray:
    """`heard` on the bins of a transform."""
    f = np.fft.fftfreq(length, 1 / RATE)
    f[length // 2] = RATE / 2
    return heard(vqt, index, f)


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
    overlap=st.integers(1, 4),
)
def test_every_length_comes_back(
    n: int, rate: int, bins: int, gamma: float, hop: int, oversampling: float, overlap: int
) -> None:
    # Windows are longest for ERB bands, and all bands dense for small hops: not both, to be done in time.
    gamma = 300.0 if hop < 64 else gamma
    # A window cannot reach over more bands than there are, and with one an octave there are few.
    overlap = min(overlap, VQT(rate, bins_per_octave=bins, gamma_hz=gamma, overlap=1).n_bands - 1)
    vqt = VQT(rate, bins_per_octave=bins, gamma_hz=gamma, hop_length=hop, oversampling=oversampling, overlap=overlap)
    x = random(n, seed=n)
    assert error_db(vqt.inverse(vqt.forward(x)), x) < -250
    assert error_db(vqt.inverse(vqt.forward(x.float())), x.float()) < -100


@settings(max_examples=8, deadline=None)
@given(
    n=st.integers(1, 3000),
    rate=st.sampled_from([8000, 22050, 44100]),
    bins=st.sampled_from([1, 5, 12]),
    overlap=st.integers(1, 4),
)
def test_every_length_comes_back_from_a_constant_q(n: int, rate: int, bins: int, overlap: int) -> None:
    vqt = VQT(rate, bins_per_octave=bins, gamma_hz=0, fmin_hz=65.4, overlap=overlap)
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
    c = VQT(22050, overlap=1).forward(torch.cos(0.0003 * t**1.6) + 0.5 * torch.sin(0.02 * t))
    assert [tuple(g.shape) for g in c.groups] == [(76, 110), (36, 220), (36, 440), (14, 880)]
    sums = [float(g.abs().sum()) for g in c.groups]
    np.testing.assert_allclose(sums, [134.197354, 1.26237831, 1.22173740, 0.66867269], rtol=2e-8)
    found = [complex(c.groups[g][r, n]) for g, r, n in ((0, 5, 20), (1, 0, 3), (2, -1, 11), (3, 0, 3))]
    wanted = [-0.000258086 - 8.7511e-05j, 0.000705476 - 0.001123163j, -5.51e-07 + 7.61e-07j, 0.000465839 - 0.001270822j]
    np.testing.assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_windows_take_twenty_bytes_a_sample_for_each_band_of_overlap(overlap: int) -> None:
    folding = VQT(22050, overlap=overlap)._plan(2**19, torch.float32, torch.device("cpu"))
    kept = [*folding._windows, *folding._duals, *(t for run in folding._runs for t in (run.fold, *run.at))]
    assert {t.device.type for t in kept} == {"cpu"}
    assert {t.dtype for t in kept} == {torch.float32, torch.int32}
    assert sum(t.numel() * t.element_size() for t in kept) / 2**19 < 20 * overlap


def test_silence_is_silent_and_a_constant_is_in_the_bands_that_reach_zero(any_vqt: VQT) -> None:
    n = 4 * any_vqt.margin
    assert not any(g.any() for g in any_vqt.forward(torch.zeros(n)).groups)
    assert not any_vqt.inverse(any_vqt.forward(torch.zeros(n))).any()
    c = any_vqt.forward(torch.full((n,), 0.3, dtype=torch.float64))
    for index in range(any_vqt.n_bands):
        row, hop = band(any_vqt, c, index)
        middle = row[2 * any_vqt.margin // hop]
        wanted = 0.3 * response(any_vqt, index, 2)[0]
        assert (wanted > 0) == (index < any_vqt.bank.overlap)
        # The edges, twice a margin away, are a pulse's tail of 1 / (2 pi u^2) at u = 29.
        assert abs(complex(middle) - wanted) < 0.3 * 4e-4


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.99])
def test_a_cosine_has_its_amplitude_and_phase_in_the_band_named_after_it(any_vqt: VQT, share: float) -> None:
    index = round(share * (any_vqt.n_bands - 1)) - (share == 0.99)
    frequency = any_vqt.meta()["frequency_hz"][index]
    n = 4 * any_vqt.margin
    x = 0.7 * torch.cos(2 * np.pi * frequency * torch.arange(n, dtype=torch.float64) / RATE + 0.4)
    coefficients = any_vqt.forward(x)
    c, hop = band(any_vqt, coefficients, index)
    inner = np.arange(n // 3 // hop, 2 * n // 3 // hop)
    turning = np.exp(1j * (2 * np.pi * frequency * inner * hop / RATE + 0.4))
    of_itself, of_its_image = heard(any_vqt, index, np.array([frequency, -frequency])) / 2
    assert of_itself == pytest.approx(1)
    expected = 0.7 * (turning + of_its_image * turning.conj())
    np.testing.assert_allclose(c[inner].numpy(), expected, atol=7e-4)
    assert (of_its_image > 0) == (
        index < any_vqt.bank.overlap / 2 or any_vqt.n_bands - 1 - index < any_vqt.bank.overlap / 2
    )
    if of_its_image:
        return
    peaks = [band(any_vqt, coefficients, k)[0].abs() for k in range(any_vqt.n_bands)]
    assert int(np.argmax([float(p[len(p) // 2 * n // any_vqt.padded_length(n)]) for p in peaks])) == index


def test_an_impulse_is_every_window_s_pulse(any_vqt: VQT) -> None:
    n, at = 2 * any_vqt.margin, any_vqt.hop_length * 7
    x = torch.zeros(n, dtype=torch.float64)
    x[at] = 1
    c = any_vqt.forward(x)
    length = any_vqt.padded_length(n)
    for index in range(any_vqt.n_bands):
        row, hop = band(any_vqt, c, index)
        # At the impulse all frequencies are in phase.
        wanted = response(any_vqt, index, length).sum() / length
        assert complex(row[at // hop]) == pytest.approx(wanted, rel=1e-9)


def test_the_frame_keeps_the_energy_to_a_bound(any_vqt: VQT) -> None:
    # Parseval: band k has 2 / L sum |X|^2 g_k^2. For r = 1 the sum of g^2, (1 - u)^2 + u^2 at u = sin^2, lies between
    # 1/2 and 1, at 3/4 in the mean. For more it is the same everywhere, 3/8 of the 2r windows, as cos^4(a) = 3/8 +
    # cos(2a) / 2 + cos(4a) / 8 and the cosines cancel. A real sound's two halves share what a window hears of both.
    x, r = random(5000), any_vqt.bank.overlap
    c = any_vqt.forward(x)
    energy = 0.0
    for index in range(any_vqt.n_bands):
        row, hop = band(any_vqt, c, index)
        energy += hop * float(row.abs().square().sum()) * (1 if index in (0, any_vqt.n_bands - 1) else 0.5)
    kept = energy / float(x.square().sum())
    if r == 1:
        assert 0.5 <= kept <= 1
    assert kept == pytest.approx(0.75 * r, abs=0.03)


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
    coefficients = any_vqt.forward(x)
    for index in range(any_vqt.n_bands):
        # The slow way: filter the whole sound, then keep every hop-th sample.
        filtered = np.fft.ifft(spectrum * response(any_vqt, index, length))
        c, hop = band(any_vqt, coefficients, index)
        np.testing.assert_allclose(c.numpy(), filtered[::hop], atol=1e-10)


def test_the_bands_at_zero_and_at_nyquist_are_real(vqt: VQT) -> None:
    x = torch.randn(4000, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    c = vqt.forward(x)
    for index in (0, vqt.n_bands - 1):
        assert band(vqt, c, index)[0].imag.abs().max() < 1e-12
    assert band(vqt, c, 1)[0].imag.abs().max() > 1e-3


def full_length(vqt: VQT, n: int) -> int:
    """The longest sound of the transform's length for n samples: all of it but the margin's silence."""
    length = vqt.padded_length(n) - vqt.margin
    assert vqt.padded_length(length) == vqt.padded_length(n)
    return length


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_the_synthesis_is_the_nearest_sound(overlap: int) -> None:
    # Without the zeros behind the sound: the plain frame. Its coefficients as a matrix, real and imaginary parts one
    # below the other, each row weighted by the root of its hop; numpy's own pseudo-inverse of that is the nearest.
    vqt = VQT(1000, bins_per_octave=1, gamma_hz=60.0, hop_length=8, overlap=overlap)
    n = vqt.padded_length(1)
    folding = vqt._plan(n, torch.float64, torch.device("cpu"))

    def flat(groups: tuple[torch.Tensor, ...]) -> torch.Tensor:
        weighed = [torch.view_as_real(g) * hop**0.5 for g, hop in zip(groups, vqt.hops, strict=True)]
        return torch.cat([w.flatten(-3) for w in weighed], dim=-1)

    eye = folding.analyse(torch.fft.rfft(torch.eye(n, dtype=torch.float64)))
    matrix = flat(eye).T.numpy()
    generator = torch.Generator().manual_seed(0)
    free = tuple(torch.randn(g.shape[1:], dtype=g.dtype, generator=generator) for g in eye)
    found = torch.fft.irfft(folding.synthesise(free), n)
    wanted = np.linalg.pinv(matrix) @ flat(free).numpy()
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-12)


def test_projecting_twice_is_projecting_once(any_vqt: VQT) -> None:
    n = full_length(any_vqt, 3000)
    shapes = any_vqt.forward(torch.zeros(n, dtype=torch.float64)).groups
    generator = torch.Generator().manual_seed(0)
    free = tuple(torch.randn(c.shape, dtype=c.dtype, generator=generator) for c in shapes)
    once = any_vqt.forward(any_vqt.inverse(Coefficients(free, any_vqt.hops, n)))
    twice = any_vqt.forward(any_vqt.inverse(once))
    for a, b in zip(once.groups, twice.groups, strict=True):
        torch.testing.assert_close(a, b)


def test_the_gradient_is_the_adjoint(any_vqt: VQT) -> None:
    # <A x, c> = <x, A* c>, for the analysis and the synthesis, in both precisions.
    x = random(2, 1000, seed=5).requires_grad_()
    c = any_vqt.forward(x)
    free = [torch.randn(g.shape, dtype=g.dtype, generator=torch.Generator().manual_seed(7)) for g in c.groups]
    inner = torch.stack([(g.conj() * f).real.sum() for g, f in zip(c.groups, free, strict=True)]).sum()
    (adjoint,) = torch.autograd.grad(inner, x)
    assert float((adjoint * x.detach()).sum()) == pytest.approx(inner.item(), rel=1e-9)
    in_single = zip(any_vqt.forward(x.float()).groups, free, strict=True)
    (single,) = torch.autograd.grad(torch.stack([(g.conj() * f).real.sum() for g, f in in_single]).sum(), x)
    assert error_db(single, adjoint) < -100
    leaves = [f.requires_grad_() for f in free]
    y = any_vqt.inverse(Coefficients(tuple(leaves), any_vqt.hops, 1000))
    inner = (y * x.detach()).sum()
    back = torch.autograd.grad(inner, leaves)
    product = sum(float((b.conj() * f.detach()).real.sum()) for b, f in zip(back, free, strict=True))
    assert product == pytest.approx(inner.item(), rel=1e-9)


@pytest.mark.parametrize("overlap", [1, 2])
@pytest.mark.parametrize("options", [{"gamma_hz": 150.0}, {"gamma_hz": 0.0, "fmin_hz": 200.0}])
def test_it_is_differentiable(options: dict[str, float], overlap: int) -> None:
    vqt = VQT(1000, bins_per_octave=1, hop_length=4, overlap=overlap, **options)  # type: ignore[arg-type]
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
        torch.testing.assert_close(rows[0, :inside], torch.arange(inside, dtype=torch.float64) * hop / vqt.hop_length)
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
    with pytest.raises(BadInput, match=f"at most {vqt.padded_length(1000)} samples"):
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
    assert set(_settings(make_vqt(load_recipe("base", {"vqt.overlap": 1})))) == kept
    assert set(_settings(make_vqt(Recipe()))) == kept | {"overlap"}
    banks = [make_vqt(load_recipe("base", {"vqt.gamma_hz": 0.0, "vqt.bins_per_octave": b})) for b in (24, 36)]
    options = [{"gamma_hz": 0, "fmin_hz": 55.0}, {"oversampling": 2.0}, {}, {"gamma_hz": "erb"}, {"overlap": 1}]
    banks += [VQT(22050, **o) for o in options]  # type: ignore[arg-type]
    keys = [tuple(sorted(_settings(bank).items())) for bank in banks]
    assert len(set(keys)) == len(keys)
    assert banks[1].frequencies_hz[2] == pytest.approx(32.7032, abs=1e-4)
    for overlap, seconds in ((1, 62), (2, 31)):
        with pytest.raises(BadInput, match=rf"windows of {seconds}\.?\d* s.* lower vqt\.bins_per_octave"):
            make_vqt(load_recipe("base", {"vqt.gamma_hz": 0.0, "vqt.bins_per_octave": 192, "vqt.overlap": overlap}))
