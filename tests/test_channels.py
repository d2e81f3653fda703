"""Several channels stay one sound: the differences of their phases are a source's, or none, and beginnings go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stylemix.audio import read_wave
from stylemix.errors import BadInput
from stylemix.phase import Magnitudes, PooledMagnitudes, recover_channels, unit
from stylemix.transforms import VQT, Fourier

RATE = 8000
N = 2 * RATE
VQ = VQT(RATE, bins_per_octave=24, overlap=2)
STFT = Fourier(RATE, n_fft=512, hop_length=128)


def partials(turn: float, level: float = 0.5) -> torch.Tensor:
    """Two channels of four partials that swell and decay, (2, N); the second is softer and turned (radians)."""
    t = torch.arange(N, dtype=torch.float64) / RATE
    x = torch.zeros(2, N, dtype=torch.float64)
    for hz, decay in ((220.3, 1.0), (554.0, 2.0), (831.7, 1.5), (1702.0, 3.0)):
        phase = 2 * torch.pi * hz * t
        x += torch.exp(-decay * t) * torch.stack([phase.cos(), level * (phase + turn).cos()])
    return (0.2 * x * torch.hann_window(N, dtype=torch.float64)).float()


def wanted_of(x: torch.Tensor, transform: VQT | Fourier = VQ, *, pooled: bool = False) -> Magnitudes | PooledMagnitudes:
    magnitudes = transform.forward(x).magnitudes()
    if pooled and isinstance(transform, VQT):
        return PooledMagnitudes(transform, x.shape[-1], transform.pool(magnitudes, x.shape[-1]))
    return Magnitudes(transform, x.shape[-1], magnitudes)


def between(x: torch.Tensor, transform: VQT | Fourier = VQ) -> tuple[torch.Tensor, ...]:
    return tuple(unit(c) for c in transform.forward(x).groups)


def spectra(x: torch.Tensor) -> torch.Tensor:
    return torch.stft(x, 2048, 512, window=torch.hann_window(2048), return_complex=True)


def sc_db(found: torch.Tensor, wanted: torch.Tensor) -> float:
    a, b = (spectra(x).abs() for x in (found, wanted))
    return 20 * float(torch.log10((a - b).norm() / b.norm()))


def turned_wrongly(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Mean error of the phase between two channels (radians), weighted by their power."""
    a, b = (x[0] * x[1].conj() for x in map(spectra, (found, wanted)))
    return float((b.abs() * (a * b.conj()).angle().abs()).sum() / b.abs().sum())


@pytest.mark.parametrize("transform", [VQ, STFT], ids=["vqt", "stft"])
@pytest.mark.parametrize("quality", ["draft", "good"])
@pytest.mark.parametrize("turn", [0.0, 1.0, np.pi / 2, np.pi])
def test_the_source_s_phase_between_the_channels_is_kept(transform: VQT | Fourier, quality: str, turn: float) -> None:
    x = partials(turn)
    found = recover_channels(wanted_of(x, transform), quality=quality, between=between(x, transform))
    assert turned_wrongly(found, x) < 0.03
    # The sum and the difference of the channels are as near as the channels are.
    for one, other in ((found[0], x[0]), (found[0] + found[1], x[0] + x[1]), (found[0] - found[1], x[0] - x[1])):
        assert sc_db(one, other) < -20


def test_only_differences_of_the_source_s_phases_count() -> None:
    x, wanted = partials(1.0), wanted_of(partials(1.0))
    generator = torch.Generator().manual_seed(0)
    given = between(x)
    angles = (6 * torch.rand(d.shape[1:], generator=generator) for d in given)
    turned = tuple(d * torch.polar(torch.ones_like(a), a) for d, a in zip(given, angles, strict=True))
    one, other = (recover_channels(wanted, quality="draft", between=d) for d in (given, turned))
    assert float((one - other).norm() / one.norm()) < 1e-3


def test_opposite_channels_do_not_cancel_the_sum_they_are_found_from() -> None:
    x = partials(np.pi, level=1.0)
    assert float((x[0] + x[1]).abs().max()) < 1e-6
    alone = recover_channels(wanted_of(x[:1]), between=between(x[:1]))
    found = recover_channels(wanted_of(x), between=between(x))
    assert float((found[0] + found[1]).norm() / found.norm()) < 1e-4
    assert sc_db(found[0], x[0]) < sc_db(alone[0], x[0]) + 1


@pytest.mark.parametrize(("pooled", "most"), [(False, 0.02), (True, 0.035)])
def test_projections_hold_the_differences_where_two_sounds_lie_in_different_places(pooled: bool, most: float) -> None:
    # Partials on the left and noise on the right: nothing but the source tells how their phases go together.
    noise = torch.randn(N, generator=torch.Generator().manual_seed(2)) * torch.hann_window(N)
    x = partials(1.0) + 0.05 * noise * torch.tensor([[0.3], [1.0]])
    found = recover_channels(wanted_of(x, pooled=pooled), between=between(x))
    # 0.047 and 0.097 where each channel goes its own way from the same start.
    assert turned_wrongly(found, x) < most


@pytest.mark.parametrize("pooled", [False, True])
def test_without_a_source_channels_of_one_sound_are_in_phase(pooled: bool) -> None:
    x = partials(0.0)
    found = recover_channels(wanted_of(x, pooled=pooled))
    np.testing.assert_allclose(found[1], 0.5 * found[0], atol=1e-4)
    assert sc_db(found[0], x[0]) < -20


def test_channels_that_are_found_apart_fall_apart() -> None:
    # Soft noise decides the phase in which each partial starts, and it is another in each channel.
    x = partials(1.0) + 1e-3 * torch.randn(2, N, generator=torch.Generator().manual_seed(1))
    wanted = wanted_of(x)
    apart = [recover_channels(wanted_of(x[i : i + 1]), quality="good")[0] for i in range(2)]
    together = recover_channels(wanted, between=between(x))
    assert turned_wrongly(torch.stack(apart), x) > 10 * turned_wrongly(together, x)


def test_one_channel_is_what_recover_gives_it() -> None:
    from stylemix.phase import recover

    x = partials(0.0)[:1]
    wanted = wanted_of(x)
    for given in (None, between(x)):
        found = recover_channels(wanted, between=given)
        other = recover(wanted.magnitudes, VQ, N)
        assert sc_db(found[0], other[0]) < -25


def test_a_silent_channel_stays_silent_and_many_pass() -> None:
    x = torch.cat([partials(1.0), torch.zeros(1, N), partials(2.0)])
    found = recover_channels(wanted_of(x), quality="good", between=between(x))
    assert found.shape == x.shape
    assert float(found[2].abs().max()) < 1e-4
    assert sc_db(found[4], x[4]) < -20
    silent = recover_channels(wanted_of(0 * x[:2]), between=between(0 * x[:2]))
    assert float(silent.abs().max()) < 1e-6


@pytest.mark.parametrize("quality", ["draft", "good"])
@pytest.mark.parametrize("given", [True, False])
def test_a_known_beginning_goes_on_in_its_phase(quality: str, given: bool) -> None:
    # Partials whose phases at the start are not what an estimate would choose: only the beginning tells them.
    t = torch.arange(N, dtype=torch.float64) / RATE
    x = sum(torch.cos(2 * torch.pi * hz * t + turn) for hz, turn in ((220.3, 0.7), (831.7, 2.5), (1702.0, 4.0)))
    x = (0.1 * torch.stack([x, x]) * torch.tensor([[1.0], [0.5]])).float()  # type: ignore[arg-type]
    head = RATE // 2
    wanted = wanted_of(x)
    options = {"quality": quality, "between": between(x) if given else None}
    found = recover_channels(wanted, known=x[:, :head], **options)  # type: ignore[arg-type]
    blind = recover_channels(wanted, **options)  # type: ignore[arg-type]
    after = slice(head, head + RATE // 2)
    errors = [float((y[:, after] - x[:, after]).norm() / x[:, after].norm()) for y in (found, blind)]
    assert errors[0] < 0.1
    assert errors[1] > 0.3
    np.testing.assert_allclose(found[:, : head // 2], x[:, : head // 2], atol=1e-6)


def test_what_is_not_kept_of_a_beginning_still_tells_its_phases() -> None:
    # A beginning that is too soft is lifted to what is asked for, except where it is kept.
    x, head = partials(1.0), N // 2
    inside = slice(head // 2 + 512, head - 2048)
    for n_kept, level in ((0, 1.0), (head // 2, 1.0), (head, 0.5), (None, 0.5)):
        found = recover_channels(wanted_of(x), between=between(x), known=0.5 * x[:, :head], n_kept=n_kept)
        np.testing.assert_allclose(found[:, inside], level * x[:, inside], atol=0.05 * float(x.abs().max()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quality": "fine"}, "draft, good or best, got 'fine'"),
        ({"between": "mono"}, r"between: must be complex numbers of the magnitudes' shapes"),
        ({"between": "real"}, r"between: must be complex .* got torch.float32"),
        ({"known": torch.zeros(3, 100)}, r"known: the beginning has the shape \(3, 100\)"),
        ({"known": torch.zeros(100)}, r"known: the beginning has the shape"),
        ({"n_kept": -1}, r"n_kept: must be a number of samples of at least 0, got -1"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], message: str) -> None:
    x = partials(1.0)
    if options.get("between") == "mono":
        options = {"between": between(x[:1])}
    elif options.get("between") == "real":
        options = {"between": VQ.forward(x).magnitudes()}
    with pytest.raises(BadInput, match=message) as caught:
        recover_channels(wanted_of(x), **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_magnitudes_without_a_dimension_of_channels_are_refused() -> None:
    with pytest.raises(BadInput, match=r"channels: magnitudes must be \(..., C, bands, frames\)"):
        recover_channels(wanted_of(partials(0.0)[0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["love_theme_44k1_stereo.ogg", "apex_aleph_48k_stereo.ogg"])
def test_the_image_of_real_recordings_survives(real_music: Path, name: str) -> None:
    wave = read_wave(real_music / "originals" / name, sample_rate=22050).samples
    x = torch.from_numpy(wave[:, 30 * 22050 : 35 * 22050])
    vqt = VQT(22050, bins_per_octave=48, gamma_hz=7.5, overlap=2)
    wanted = wanted_of(x, vqt, pooled=True)
    # At `good`, which takes fewer steps, the error of the phase is half as large again.
    assert turned_wrongly(recover_channels(wanted, between=between(x, vqt)), x) < 0.03
    held = recover_channels(wanted, between=between(x, vqt), quality="best")
    free = recover_channels(wanted, quality="best")
    side = [sc_db(y[0] - y[1], x[0] - x[1]) for y in (held, free)]
    assert turned_wrongly(held, x) < 0.02
    assert side[0] < -18
    assert side[1] > side[0] + 8
