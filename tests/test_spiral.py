"""Spiral scattering: its definition in plain numpy, plane waves, Shepard's glissandi, energies and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.transforms import framing
from stylemix.transforms.joint import JointScattering
from stylemix.transforms.morlet import gauss_response, morlet_response
from stylemix.transforms.pitch_spiral import PitchSpiral, spiral_bank
from stylemix.transforms.quefrency import QuefrencyBank
from stylemix.transforms.scattering import TimeScattering
from stylemix.transforms.spiral import SpiralScattering

# Seconds of sound or of training in each: the fast tests of every change need not wait for them.
pytestmark = pytest.mark.slow

RATE = 4000


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def filtered(x: np.ndarray, gains: np.ndarray) -> np.ndarray:
    return np.fft.ifft(np.fft.fft(x) * gains)


def impulse_response(bank: QuefrencyBank, index: int, reach: int) -> np.ndarray:
    """A filter of either axis on all whole numbers from -reach to reach, straight from the formula of its gain."""
    q = np.fft.fftfreq(8 * reach)
    k = index - 1 if index <= len(bank.wavelets) else index - 1 - len(bank.wavelets)
    gain = morlet_response(q, bank.wavelets[k]) if index else gauss_response(q, bank.low_sigma)
    pulse = np.fft.ifft(gain)[np.arange(-reach, reach + 1)]
    return pulse if index <= len(bank.wavelets) else pulse.conj()


def roll_and_filter(bands: np.ndarray, h: np.ndarray, g: np.ndarray, per_octave: int) -> np.ndarray:
    """The definition, step by step: along log-frequency, fold at the octave, across octaves, unfold.

    Before the first and after the last of the bands (n_in, N) there are as many octaves of zeros as `g` reaches over.
    """
    beyond, n_in = len(g) // 2, len(bands)
    rows = np.zeros(((2 * beyond + -(-n_in // per_octave)) * per_octave, bands.shape[1]), dtype=complex)
    first = beyond * per_octave
    for n, band in enumerate(bands):
        for lag, weight in zip(range(-(len(h) // 2), len(h) // 2 + 1), h, strict=True):
            if 0 <= first + n + lag < len(rows):
                rows[first + n + lag] += weight * band
    folded = rows.reshape(-1, per_octave, bands.shape[1])
    across = np.zeros_like(folded)
    for octave in range(len(folded)):
        for lag, weight in zip(range(-beyond, beyond + 1), g, strict=True):
            if 0 <= octave - lag < len(folded):
                across[octave] += weight * folded[octave - lag]
    return across.reshape(-1, bands.shape[1])[first : first + n_in]


def shepard(chroma: float = 0.0, envelope: float = 0.0, *, seconds: float = 3.0, gamma: float = 0.25) -> torch.Tensor:
    """Seven sines an octave apart that glide for ever under an envelope that fades out at both ends.

    Parameters
    ----------
    chroma, envelope : float
        Octaves a second: of the sines, and of the ripple of `gamma` cycles per octave on the envelope.
    """
    t = np.arange(round(seconds * RATE)) / RATE
    height = (np.arange(7)[:, None] + chroma * t) % 7
    phase = 2 * np.pi * np.cumsum(14 * 2**height, axis=1) / RATE
    ripple = 1 + 0.9 * np.cos(2 * np.pi * gamma * (height - envelope * t)) if envelope else 1.0
    return torch.as_tensor(np.sum(np.sin(np.pi * height / 7) ** 2 * ripple * np.sin(phase), axis=0))


@pytest.fixture(scope="module")
def small() -> SpiralScattering:
    return SpiralScattering(RATE, J=7, Q=8)


@pytest.fixture(scope="module")
def summary() -> SpiralScattering:
    """One number for each triple of wavelets."""
    return SpiralScattering(RATE, J=10, Q=12, T="global", F="global")


@pytest.mark.slow
def test_it_is_the_definition() -> None:
    """Rates, matrices and one convolution for two are only economy: slow numpy gives the same numbers."""
    n = 2048
    x = noise(n).numpy()
    s = SpiralScattering(RATE, J=6, Q=4, oversampling=16)
    found, meta = s.forward(torch.as_tensor(x)).array.numpy(), s.meta()
    mirrored = np.pad(x, n, mode="reflect")
    f = np.fft.fftfreq(len(mirrored))
    low = gauss_response(f, 0.1 / 2**6)
    envelopes = np.abs([filtered(mirrored, morlet_response(f, w)) for w in s.orders.banks[0].wavelets])
    frames = n + np.arange(0, n, s.hop_length)
    for n2 in (4, 6):
        wavelet = s.orders.banks[1].wavelets[n2]
        bands = np.array([filtered(row, morlet_response(f, wavelet)) for row in envelopes[: s._n_in(n2)]])
        for n_fr, n_oct in ((0, 0), (0, 2), (1, 0), (2, 1), (3, 1), (1, 4), (4, 3)):
            h = impulse_response(s.bank.chroma, n_fr, 60)
            g = impulse_response(s.bank.octave, n_oct, 20)
            moduli = np.abs(roll_and_filter(bands, h, g, 4))
            wanted = np.array([filtered(row, low).real[frames] for row in moduli])
            rows = (meta["n"][:, 1] == n2) & (meta["n_fr"] == n_fr) & (meta["n_oct"] == n_oct)
            at = meta["n"][rows, 0].astype(int)
            assert list(at) == list(range(0, s._n_in(n2), int(meta["step"][rows][0])))
            assert np.abs(found[rows] - wanted[at]).max() < 1e-5 * wanted.max()


@pytest.mark.parametrize(
    ("beta", "gamma"), [(2.1, 0.2), (2.1, -0.2), (-2.1, 0.2), (1.05, 0.0), (0.0, 0.175), (-4.2, 0.35)]
)
def test_a_plane_wave_along_the_spiral_meets_the_gains_at_its_frequencies(beta: float, gamma: float) -> None:
    """exp(2 pi i (beta u + gamma u)) is one wave of beta + gamma cycles per octave: H(f) = h(f) g(Qf) answers."""
    bank = spiral_bank(60 * 12, 12, J_fr=2, Q_fr=1, J_oct=1, tight=False)
    f = (beta + gamma) / 12
    wave = torch.as_tensor(np.exp(2j * np.pi * f * np.arange(60 * 12)))[None, :, None]
    spiral = PitchSpiral(bank, 60 * 12, F=0, oversampling=8)
    rows = spiral.moduli(wave)[0, :, 0].reshape(len(bank.pairs), -1)
    for (b, g), row in zip(bank.pairs, rows, strict=True):
        h, across = impulse_response(bank.chroma, b, 200), impulse_response(bank.octave, g, 25)
        gain_h = np.abs(np.sum(h * np.exp(-2j * np.pi * f * np.arange(-200, 201))))
        gain_g = np.abs(np.sum(across * np.exp(-2j * np.pi * f * 12 * np.arange(-25, 26))))
        # Far from both ends, where the zeros beyond them do not reach.
        np.testing.assert_allclose(row[25 * 12 : 35 * 12].numpy(), gain_h * gain_g, atol=1e-6)


def test_tight_filters_keep_the_energy_of_everything_on_the_spiral() -> None:
    bank = spiral_bank(101, 12, J_fr=None, Q_fr=1, J_oct=1, tight=True)
    mirrored = np.roll(bank.product.responses[1:, ::-1], 1, axis=1)
    power = np.sum(bank.product.responses**2, axis=0) + np.sum(mirrored**2, axis=0)
    np.testing.assert_allclose(power, 1, atol=1e-12)
    assert bank.product.n_padded % 12 == 0
    # Alone, neither axis' filters are all there is: both low-passes have their wavelets to complete them.
    assert np.sum(bank.product.responses[0] ** 2) < 0.2 * len(power)


def test_the_energy_of_bands_is_that_of_their_moduli_on_the_spiral() -> None:
    """Where the axis is long enough for all that rings beyond the bands, nothing is lost and nothing is added."""
    n_bands = 50 * 8
    spiral = PitchSpiral(spiral_bank(n_bands, 8, J_fr=2, Q_fr=1, J_oct=1, tight=True), n_bands, F=0, oversampling=8)
    bands = torch.zeros(1, n_bands, 5, dtype=torch.complex128)
    bands[:, 23 * 8 : 27 * 8] = torch.complex(noise(32, 5), noise(32, 5, seed=1))
    assert float(spiral.moduli(bands).square().sum()) == pytest.approx(float(bands.abs().square().sum()), rel=1e-6)


def test_the_spiral_takes_no_more_than_the_envelopes_give() -> None:
    s = SpiralScattering(RATE, J=6, Q=4, T=0, scaling="tight", pad="zero", oversampling=2)
    x = torch.nn.functional.pad(noise(6000), (s.margin, s.margin))
    meta, found = s.meta(), s.forward(x)
    power = torch.cat([g.square().sum(-1) for g in found.groups]).numpy() * meta["hop"]
    kept = float(np.sum((power * meta["step"])[meta["order"] == 2]))
    room = framing.stretch_of(x, 0, framing.Framing(0, 128).padded_length(len(x)), "zero")[None]
    first = s.orders.first_order(room)
    given = 0.0
    for n2, hop in enumerate(s.orders.hops[1]):
        if s._n_in(n2):
            bands = s.orders.second_bands(first, n2, room.shape[-1])[:, : s._n_in(n2)]
            given += float(bands.abs().square().sum()) * hop
    # What rings on beyond the first and the last band is the difference.
    assert 0.5 * given < kept <= given * (1 + 1e-3)


def test_scattering_brings_no_two_sounds_further_apart() -> None:
    s = SpiralScattering(RATE, J=6, Q=4, scaling="tight", pad="zero", oversampling=4)
    weight = torch.as_tensor(np.where(s.meta()["order"] == 2, s.meta()["step"], 1) * s.hop_length)[:, None]
    for scale in (1.0, 0.1, 1e-3):
        a = noise(4000, seed=1)
        b = a + scale * noise(4000, seed=2)
        room = [torch.nn.functional.pad(v, (s.margin, s.margin)) for v in (a, b)]
        fa, fb = (s.forward(v).array for v in room)
        assert float(((fa - fb).square() * weight).sum()) <= float((a - b).square().sum()) * (1 + 1e-3)


def test_silence_is_silence(small: SpiralScattering) -> None:
    assert small.forward(torch.zeros(3000)).array.abs().max() == 0


def test_a_constant_is_its_mean_and_nothing_else(small: SpiralScattering) -> None:
    s = small.forward(torch.full((3000,), 0.7, dtype=torch.float64)).array
    assert torch.allclose(s[0], torch.tensor(0.7, dtype=torch.float64), atol=1e-9)
    assert s[1:].abs().max() < 1e-6


MOTIONS = [(1, 0), (-1, 0), (0, 8), (0, -8), (1, 8), (1, -8), (-1, 8), (-1, -8)]


@pytest.fixture(scope="module")
def moved(summary: SpiralScattering) -> dict[tuple[int, int], np.ndarray]:
    """Coefficients of Shepard tones by the velocities of their sines and of their envelope (octaves a second)."""
    sounds = torch.stack([shepard(*motion) for motion in MOTIONS]).float()
    return dict(zip(MOTIONS, summary.forward(sounds).array[..., 0].numpy(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("motion", MOTIONS)
def test_signs_tell_glides_from_climbing_envelopes(
    motion: tuple[int, int], moved: dict[tuple[int, int], np.ndarray], summary: SpiralScattering
) -> None:
    """Sines that glide, an envelope that climbs, both together or against each other: each sign says its own."""
    s, meta = moved[motion], summary.meta()
    ratios = [
        s[still & (meta[spin] == 1)].sum() / s[still & (meta[spin] == -1)].sum()
        for spin, still in (("spin", meta["n_oct"] == 0), ("spin_oct", meta["n_fr"] == 0))
    ]
    for velocity, ratio in zip(motion, ratios, strict=True):
        # A motion answers with a factor of 3.6 in its own sign or more; none leaves the balance even to a fifth.
        assert np.sign(velocity) * np.log(ratio) > np.log(3.3) if velocity else 1 / 1.3 < ratio < 1.3


@pytest.mark.parametrize(("motion", "deaf"), [((1, 0), {"time"}), ((0, 8), {"time", "joint"})])
def test_what_time_and_joint_scattering_cannot_hear(
    motion: tuple[int, int], deaf: set[str], moved: dict[tuple[int, int], np.ndarray], summary: SpiralScattering
) -> None:
    """Reversed glides are reversed time to the one; sines an octave apart are no neighbours in pitch to the other."""
    options: dict[str, Any] = {"J": 10, "Q": 12, "T": "global"}
    joint = JointScattering(RATE, J_fr=summary.bank.chroma.low_j, F="global", **options)
    back = (-motion[0], -motion[1])
    pair = torch.stack([shepard(*motion), shepard(*back)]).float()
    heard = {"spiral": (np.stack([moved[motion], moved[back]]), summary.meta())}
    for name, other in (("joint", joint), ("time", TimeScattering(RATE, **options))):
        heard[name] = (other.forward(pair).array[..., 0].numpy(), other.meta())
    for name, (s, meta) in heard.items():
        up, down = s[:, meta["order"] == 2]
        distance = np.linalg.norm(up - down) / np.linalg.norm(up)
        assert distance < 0.06 if name in deaf else distance > 0.6


def combs(first: float, second: float) -> torch.Tensor:
    """Two combs of octaves, half an octave apart, under ripples that climb with so many octaves a second each."""
    t = np.arange(3 * RATE) / RATE
    sound = np.zeros(len(t))
    for offset, velocity in ((0.0, first), (0.5, second)):
        height = np.arange(7)[:, None] + offset
        ripple = 1 + 0.9 * np.cos(2 * np.pi * 0.25 * (height - velocity * t))
        sound += np.sum(np.sin(np.pi * height / 7) ** 2 * ripple * np.sin(2 * np.pi * 14 * 2**height * t), axis=0)
    return torch.as_tensor(sound).float()


@pytest.mark.slow
def test_only_the_spiral_hears_which_of_two_combs_climbs() -> None:
    """Wavelets long enough to hear octaves climb blur the combs, and short enough ones to part them hear no octaves."""
    options: dict[str, Any] = {"J": 10, "Q": 12, "T": "global", "F": 0}
    pair = torch.stack([combs(8, -8), combs(-8, 8)])
    distances = []
    transforms: list[SpiralScattering | JointScattering] = [SpiralScattering(RATE, **options)]
    transforms += [JointScattering(RATE, J_fr=k, **options) for k in (2, 3, 4)]
    for s in transforms:
        up, down = s.forward(pair).array[..., 0].numpy()[:, s.meta()["order"] == 2]
        distances.append(np.linalg.norm(up - down) / np.linalg.norm(up))
    assert distances[0] > 0.5
    assert max(distances[1:]) < 0.2


@pytest.mark.parametrize(("chroma", "envelope"), [(1, 0), (2, 0), (4, 0), (0, 8), (0, 16), (0, 32)])
def test_the_rate_that_answers_names_the_velocity(
    chroma: float, envelope: float, summary: SpiralScattering
) -> None:
    """alpha = beta v + gamma h: at the sound's own beta or gamma, the rate heard strongest is the nearest one."""
    s, meta = summary.forward(shepard(chroma, envelope, gamma=0.175)).array[:, 0].numpy(), summary.meta()
    filters = (2, 0) if chroma else (0, 2)
    here = (meta["n_fr"] == filters[0]) & (meta["n_oct"] == filters[1])
    rate = meta["alpha_hz"][here][np.argmax(s[here])]
    named = meta["beta"][here][0] * chroma + meta["gamma"][here][0] * envelope
    assert abs(np.log2(rate / named)) <= 0.51


def test_a_reversed_sound_turns_all_signs() -> None:
    """Every wavelet in time is its own mirror image's conjugate, and the mean over the sound has no direction."""
    s = SpiralScattering(RATE, J=7, Q=8, T="global", pad="zero", oversampling=4)
    x = torch.nn.functional.pad(noise(3001), (s.margin, s.margin))
    meta = s.meta()
    keys = np.stack([np.nan_to_num(meta[key], nan=-9) for key in ("n_oct", "n_fr")] + list(meta["n"].T))
    row = {tuple(key): i for i, key in enumerate(np.nan_to_num(keys, nan=-9).T)}
    n_fr, n_oct = (len(bank.wavelets) for bank in (s.bank.chroma, s.bank.octave))

    def opposite(k: float, n: int) -> float:
        return k if k <= 0 else k + n if k <= n else k - n

    turned = [row[opposite(o, n_oct), opposite(f, n_fr), a, b] for o, f, a, b in np.nan_to_num(keys, nan=-9).T]
    forwards, backwards = s.forward(x).array[:, 0], s.forward(x.flip(-1)).array[turned, 0]
    second = torch.as_tensor(meta["order"] == 2)
    assert float((forwards - backwards)[second].abs().max()) < 1e-4 * float(forwards[second].max())
    assert turned != sorted(turned)


def test_bands_an_octave_up_move_only_the_octave() -> None:
    spiral = PitchSpiral(spiral_bank(160, 8, J_fr=1, Q_fr=1, J_oct=1, tight=False), 160, F=0, oversampling=1)
    bands = torch.zeros(1, 160, 3, dtype=torch.complex128)
    bands[:, 64:96] = torch.complex(noise(32, 3), noise(32, 3, seed=1))
    here, above = spiral.moduli(bands)[0], spiral.moduli(bands.roll(-8, 1))[0]
    sizes = [len(spiral.positions(k, 160)) for k in range(len(spiral.bank.pairs))]
    for k, (a, b) in enumerate(zip(here.split(sizes), above.split(sizes), strict=True)):
        turn = 8 // spiral.step(k)
        torch.testing.assert_close(a[turn:], b[:-turn], atol=1e-7, rtol=0)


def test_a_sound_an_octave_up_moves_only_the_octave() -> None:
    """As far as bands are wide enough for a vibrato: within 1 % where they are ten times as wide as its rate."""
    s = SpiralScattering(RATE, J=10, Q=8)
    t = torch.arange(16000, dtype=torch.float64) / RATE
    vibrato = 2 ** (1 / 24 * torch.sin(2 * torch.pi * 2.7 * t))
    low, high = (torch.cos(2 * torch.pi * torch.cumsum(hz * vibrato, 0) / RATE) for hz in (500, 1000))
    meta = s.meta()
    a, b = (s.forward(x).array[:, 8].numpy() for x in (low, high))
    n2 = int(np.argmin([abs(w.xi * RATE - 2.7) for w in s.orders.banks[1].wavelets]))
    for n_fr in (1, 2, 4):
        for n_oct in (0, 1, 3):
            rows = (meta["n"][:, 1] == n2) & (meta["n_fr"] == n_fr) & (meta["n_oct"] == n_oct)
            lower, upper, n1 = a[rows], b[rows], meta["n"][rows, 0]
            assert n1[8] - n1[0] == 8
            assert np.abs(lower[8:] - upper[:-8]).max() < 0.01 * lower.max()
            # Unmoved they would differ: least for the low-pass across octaves, which hardly says which octave it is.
            assert np.abs(lower - upper).max() > (0.5 if n_oct else 0.15) * lower.max()


def test_names_say_what_the_rows_are(small: SpiralScattering) -> None:
    meta, s = small.meta(), small.forward(noise(1000))
    assert {len(column) for column in meta.values()} == {s.array.shape[0]}
    time = TimeScattering(RATE, J=7, Q=8).meta()
    low = meta["order"] < 2
    for key in ("n", "xi", "sigma", "j", "frequency_hz", "bandwidth_hz"):
        np.testing.assert_array_equal(meta[key][low], time[key][time["order"] < 2])
        assert np.isnan(meta["beta"][low]).all()
    second = meta["order"] == 2
    band = meta["n"][:, 0]
    np.testing.assert_array_equal(meta["octave"][second] * 8 + meta["chroma"][second], band[second])
    np.testing.assert_allclose(
        meta["frequency_hz"][second, 0], meta["frequency_hz"][1, 0] * 2 ** (-band[second] / 8), rtol=1e-12
    )
    # Below the spiral lie the bands of constant width, which only order 1 has.
    assert np.isnan(meta["octave"][meta["order"] == 1]).sum() == 7
    assert band[second].max() < small.n_bands
    np.testing.assert_allclose(meta["beta"][second], meta["xi_fr"][second] * 8)
    np.testing.assert_array_equal(np.sign(meta["gamma"][second]), meta["spin_oct"][second])
    np.testing.assert_array_equal(meta["alpha_hz"][second], meta["frequency_hz"][second, 1])
    triples = {tuple(row) for row in np.stack([meta[k][second] for k in ("alpha_hz", "beta", "gamma")], axis=-1)}
    assert len(triples) == sum(small._n_in(n2) > 0 for n2 in range(len(small.orders.hops[1]))) * 25


def test_the_orders_below_are_those_of_time_scattering(small: SpiralScattering) -> None:
    x = noise(2, 1234)
    time = TimeScattering(RATE, J=7, Q=8)
    first = small.forward(x).array[:, small.meta()["order"] < 2]
    torch.testing.assert_close(first, time.forward(x).array[:, time.meta()["order"] < 2], atol=1e-12, rtol=0)


def test_without_an_average_there_are_moduli_at_their_own_rates() -> None:
    s = SpiralScattering(RATE, J=7, Q=8, T=0)
    found = s.forward(noise(2, 1001))
    assert found.hops == s.hops
    assert sum(g.shape[-2] for g in found.groups) == len(s.meta()["hop"])
    assert [g.shape[-1] for g in found.groups] == [-(-1001 // hop) for hop in found.hops]
    np.testing.assert_array_equal(s.meta()["hop"], np.repeat(found.hops, [g.shape[-2] for g in found.groups]))
    # Averaged afterwards, they are the averaged ones: the same rows, in the order of their rates.
    averaged = SpiralScattering(RATE, J=7, Q=8, T="global")
    x = noise(40000)
    means = torch.cat([g.mean(-1) for g in s.forward(x).groups]).numpy()
    whole, meta, names = averaged.forward(x).array[:, 0].numpy(), s.meta(), averaged.meta()
    for n2 in (5, 7):
        rows = [m["n"][:, 1] == n2 for m in (meta, names)]
        np.testing.assert_allclose(means[rows[0]], whole[rows[1]], atol=0.05 * whole[rows[1]].max())


@pytest.mark.parametrize("width", [8, "global"])
def test_bands_are_averaged_after_the_fact(width: Any) -> None:
    plain = SpiralScattering(RATE, J=7, Q=8)
    s = SpiralScattering(RATE, J=7, Q=8, F=width)
    x = noise(1500)
    a, b, names, kept = plain.forward(x).array, s.forward(x).array, plain.meta(), s.meta()
    for n_fr, n_oct in ((0, 0), (2, 3)):
        one, other = ((m["n"][:, 1] == 7) & (m["n_fr"] == n_fr) & (m["n_oct"] == n_oct) for m in (names, kept))
        rows, n1 = a[one], names["n"][one, 0]
        if width == "global":
            assert np.isnan(kept["n"][other, 0]).all()
            assert np.isnan(kept["octave"][other]).all()
            torch.testing.assert_close(b[other], rows.mean(0, keepdim=True))
        else:
            assert (np.diff(kept["n"][other, 0]) == 8).all()
            # A Gauss window of 0.1 / F cycles per band, in bands.
            spread = kept["n"][other, 0][:, None] - n1[None]
            window = np.exp(-0.5 * (2 * np.pi * 0.1 / 8 * spread) ** 2) * 0.1 / 8 * np.sqrt(2 * np.pi)
            weights = torch.as_tensor(window * (n1[1] - n1[0]))
            torch.testing.assert_close(b[other], weights @ rows, atol=1e-6 * float(rows.max()), rtol=0)


def test_logarithms_and_quotients() -> None:
    x = noise(3000)
    options: dict[str, Any] = {"J": 7, "Q": 8}
    plain = SpiralScattering(RATE, **options).forward(x).array
    torch.testing.assert_close(
        SpiralScattering(RATE, log=True, **options).forward(x).array[1:], torch.log(plain[1:].clamp_min(0) + 1e-6)
    )
    for width in (0, 12, "global"):
        s = SpiralScattering(RATE, renormalize=True, F=width, **options)
        a, b = (s.forward(level * x).array for level in (1.0, 0.1))
        assert a.shape[-2] == len(s.meta()["order"])
        # Loudness is in order 0 alone.
        torch.testing.assert_close(0.1 * a[0], b[0])
        assert float((a[1:] - b[1:]).norm()) < 1e-3 * float(a[1:].norm())
        assert float(a[s.meta()["order"] == 2].max()) < 5


def test_quotients_stay_small_octaves_away_from_the_only_partial() -> None:
    """The first order that divides is averaged as far as the wavelets across octaves reach."""
    s = SpiralScattering(RATE, J=7, Q=8, renormalize=True)
    t = torch.arange(4000, dtype=torch.float64) / RATE
    tremolo = 1 + 0.9 * torch.cos(2 * torch.pi * 40 * t)
    found = s.forward(tremolo * torch.cos(2 * torch.pi * 1500 * t)).array[s.meta()["order"] == 2]
    assert 0.1 < float(found.max()) < 3


@settings(max_examples=12, deadline=None)
@given(
    n=st.integers(64, 3000),
    batch=st.sampled_from([(), (1,), (2, 3)]),
    per_octave=st.sampled_from([4, 5, 6]),
    average=st.sampled_from([None, 0, 7.5, "global"]),
    width=st.sampled_from([0, 3.0, "global"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_any_shape_gives_what_it_says(
    n: int, batch: tuple[int, ...], per_octave: int, average: Any, width: Any, dtype: torch.dtype
) -> None:
    s = SpiralScattering(RATE, J=6, Q=per_octave, T=average, F=width)
    found = s.forward(noise(*batch, n, dtype=dtype))
    meta = s.meta()
    assert sum(g.shape[-2] for g in found.groups) == len(meta["order"])
    for group, hop in zip(found.groups, found.hops, strict=True):
        assert group.dtype == dtype
        assert group.shape[:-2] == batch
        assert group.shape[-1] == -(-n // hop)
        assert bool(torch.isfinite(group).all())


def test_a_batch_is_its_sounds_one_by_one(small: SpiralScattering) -> None:
    x = noise(2, 3, 1500)
    together = small.forward(x).array
    for i in range(2):
        for k in range(3):
            torch.testing.assert_close(together[i, k], small.forward(x[i, k]).array, atol=1e-12, rtol=1e-9)


def test_single_precision_is_double_precision(small: SpiralScattering) -> None:
    x = noise(2000)
    a, b = small.forward(x).array, small.forward(x.float()).array
    assert float((a - b).abs().max()) < 1e-5 * float(a.max())


@pytest.mark.parametrize("average", [None, 0])
def test_pieces_are_the_whole(average: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(30001)
    s = SpiralScattering(RATE, J=6, Q=4, T=average)
    whole = s.forward(x)
    monkeypatch.setattr(framing, "_PIECE", 2**12)
    assert framing.Framing(s.margin, 128).piece(30001) < 10000
    for a, b in zip(whole.groups, s.forward(x).groups, strict=True):
        assert a.shape == b.shape
        assert float((a - b).norm()) < 1e-4 * float(a.norm())


def test_beyond_the_margin_nothing_is_heard(small: SpiralScattering) -> None:
    n = 4 * small.margin
    click = torch.zeros(n, dtype=torch.float64)
    click[n // 2] = 1
    s = small.forward(click).array[1:]
    far = np.abs(np.arange(s.shape[-1]) * small.hop_length - n // 2) > small.margin
    assert float(s[:, far].abs().max()) < 1e-4 * float(s.max())


@pytest.mark.slow
def test_gradients_are_right() -> None:
    s = SpiralScattering(RATE, J=5, Q=2, T=32, F="global", log=True)
    x = noise(33).requires_grad_()
    # A few mixtures of the outputs, not one after the other.
    mixtures = noise(8, len(s.meta()["order"]), seed=1)
    assert torch.autograd.gradcheck(lambda v: (mixtures @ s.forward(v).array).sum(-1), (x,), atol=1e-5)


def test_the_gradient_of_silence_is_finite(small: SpiralScattering) -> None:
    x = torch.zeros(500, requires_grad=True)
    small.forward(x).array.sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"Q": 8.5}, "Q must be a whole number.*got 8.5.*take 8, 12 or 16"),
        ({"Q": 0}, "Q must be a whole number.*got 0"),
        ({"Q": (8, 1, 1)}, r"or two of them, got \(8, 1, 1\)"),
        ({"J": 5, "Q": 16}, "32 bands of constant Q at Q=16 are 2 whole octaves, .* at least 3; raise J or lower Q"),
        ({"J_oct": 3}, "J_oct must be a whole number from 1 to 2.*4 whole octaves, got 3; lower J_oct or raise J"),
        ({"J_oct": 0}, "J_oct must be a whole number from 1"),
        ({"J_fr": 7}, "J_fr must be a whole number from 1 to 5.*got 7; lower J_fr, or raise J"),
        ({"Q_fr": 0}, "Q_fr must be a whole number"),
        ({"F": 1000}, "F must be 0 .no average., from 1 to [0-9]+ bands or 'global', got 1000; .* take F='global'"),
        ({"F": 0.5}, "F must be 0"),
        ({"F": "all"}, "F must be 0"),
        ({"J": 30}, "J must be at most 24"),
        ({"T": -1}, "T must be at least 1 sample"),
        ({"T": 0, "log": True}, "T=0 makes none; raise T"),
        ({"T": 0, "renormalize": True}, "T=0 makes none; raise T"),
        ({"scaling": "l2"}, "'l1' or 'tight'"),
        ({"pad": "wrap"}, "'reflect' or 'zero'"),
        ({"oversampling": 0}, "oversampling must lie between 1"),
        ({"sample_rate": 0}, "sample_rate must be positive"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        SpiralScattering(**({"sample_rate": RATE, "J": 7, "Q": 8} | options))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(100), "SpiralScattering: J=7 needs at least 128 samples, got 100; take J <= 6 or pad the sound"),
        (torch.zeros(0), "x is empty"),
        (torch.full((500,), torch.nan), "NaN or Inf"),
        (torch.zeros(500, dtype=torch.int64), "float32 or float64, got torch.int64"),
        (np.zeros(500), "must be a torch.Tensor, got ndarray"),
    ],
)
def test_sound_it_cannot_take_is_refused(x: torch.Tensor, message: str, small: SpiralScattering) -> None:
    with pytest.raises(BadInput, match=message):
        small.forward(x)


def test_a_sound_shorter_than_its_average_is_refused() -> None:
    with pytest.raises(BadInput, match="T=900 samples needs as many, got 500; lower T"):
        SpiralScattering(RATE, J=7, Q=8, T=900).forward(torch.zeros(500))
