"""Joint scattering: its definition, energies, rates, pieces, gradients and refusals."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.transforms import framing
from stylemix.transforms.joint import JointScattering
from stylemix.transforms.log_frequency import LogFrequency
from stylemix.transforms.morlet import gauss_response, morlet_response
from stylemix.transforms.quefrency import quefrency_bank

RATE = 8000


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / a.norm())


def along(values: np.ndarray, gains: np.ndarray, axis: int) -> np.ndarray:
    """Circular filtering at full rate along one axis."""
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.fft.ifft(np.fft.fft(values, axis=axis) * gains.reshape(shape), axis=axis)


@pytest.mark.slow
@pytest.mark.parametrize("F", [None, 0, 5.0, "global"])
def test_it_is_the_definition(F: Any) -> None:
    """Rates, matrices and pieces are only economy: plain whole transforms at full rate give the same numbers."""
    n = 1500
    x = noise(n).numpy()
    joint = JointScattering(RATE, J=5, Q=(4, 1), J_fr=2, F=F, oversampling=8)
    f, q = np.fft.fftfreq(5 * n - 4), np.fft.fftfreq(joint.frequency.bank.n_padded)
    low_t = gauss_response(f, 0.1 / 2**5)
    low_f = gauss_response(q, 0.1 / F) if isinstance(F, float) else gauss_response(q, 0.1 / 2**2)
    mirrored = np.pad(x, 2 * n - 2, mode="reflect")
    first, second = joint.orders.banks
    envelopes = np.abs(np.fft.ifft(np.fft.fft(mirrored) * [morlet_response(f, w) for w in first.wavelets]))
    up = joint.frequency.bank.wavelets
    across = [gauss_response(q, 0.1 / 2**2), *(morlet_response(s * q, w) for s in (1, -1) for w in up)]
    frames = 2 * n - 2 + np.arange(0, n, joint.hop_length)
    meta = joint.meta()
    found = joint.forward(torch.from_numpy(x)).array.numpy()

    def image(bands: np.ndarray, n_fr: int) -> np.ndarray:
        room = np.zeros((len(q), bands.shape[1]), dtype=complex)
        room[: len(bands)] = bands
        moduli = np.abs(along(room, across[n_fr], 0))
        if F == "global":
            return moduli.sum(0, keepdims=True) / len(bands)
        # The low-pass along log-frequency is an average already, unless a longer one is asked for.
        if F == 0 or (n_fr == 0 and not (isinstance(F, float) and F > 4)):
            return moduli
        return along(moduli, low_f, 0).real

    means = along(envelopes, low_t, 1).real
    for n_fr in range(len(up) + 1):
        rows = (meta["order"] == 1) & (meta["n_fr"] == n_fr)
        at = np.zeros(1, int) if F == "global" else meta["n"][rows, 0].astype(int)
        wanted = image(means, n_fr)[at][:, frames]
        assert np.linalg.norm(found[rows] - wanted) < 1e-4 * np.linalg.norm(wanted)
    for n2, wavelet in enumerate(second.wavelets):
        bands = along(envelopes[: len(joint.orders.first_of(n2))], morlet_response(f, wavelet), 1)
        for n_fr in range(len(across) if len(bands) else 0):
            rows = (meta["order"] == 2) & (meta["n"][:, 1] == n2) & (meta["n_fr"] == n_fr)
            at = np.zeros(1, int) if F == "global" else meta["n"][rows, 0].astype(int)
            wanted = along(image(bands, n_fr), low_t, 1).real[at][:, frames]
            assert np.linalg.norm(found[rows] - wanted) < 1e-4 * np.linalg.norm(wanted)


def test_silence_is_silence() -> None:
    assert JointScattering(RATE, J=6).forward(torch.zeros(2000)).array.abs().max() == 0
    assert JointScattering(RATE, J=6, log=True).forward(torch.zeros(2000)).array.max() == pytest.approx(log(1e-6))


def test_a_constant_is_its_mean_and_nothing_else() -> None:
    s = JointScattering(RATE, J=6).forward(torch.full((2000,), 0.5, dtype=torch.float64)).array
    assert torch.allclose(s[0], torch.tensor(0.5, dtype=torch.float64), atol=1e-9)
    assert s[1:].abs().max() < 1e-9


def test_tight_filters_along_log_frequency_keep_energy() -> None:
    bank = quefrency_bank(40, scale=3, per_octave=2, n_padded=104, tight=True)
    z = torch.complex(noise(1, 40, 3), noise(1, 40, 3, seed=1))
    # Zeros as further bands: all of the axis is looked at.
    room = torch.cat([z, torch.zeros(1, 64, 3, dtype=z.dtype)], dim=1)
    everywhere = LogFrequency(bank, 104, F=0, oversampling=8, tight=True)
    assert float(everywhere.spin_moduli(room).square().sum()) == pytest.approx(float(z.abs().square().sum()), rel=1e-9)
    both = sum(float(m.square().sum()) for m in everywhere.moduli(room.real))
    assert both == pytest.approx(float(z.real.square().sum()), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"F": 0}, {"F": 4, "T": 200}])
def test_joint_scattering_brings_no_two_sounds_further_apart(options: dict[str, Any]) -> None:
    joint = JointScattering(RATE, J=6, Q=8, scaling="tight", pad="zero", oversampling=4, **options)
    weights = torch.from_numpy(np.nan_to_num(joint.meta()["step"], nan=1.0))[:, None]
    for scale in (1.0, 1e-2):
        a = noise(1500, seed=1)
        b = a + scale * noise(1500, seed=2)
        fa, fb = (joint.forward(torch.nn.functional.pad(v, (joint.margin, joint.margin))).array for v in (a, b))
        apart = float(((fa - fb).square() * weights).sum()) * joint.hop_length
        assert 0 < apart <= float((a - b).square().sum()) * (1 + 1e-3)
    kept = float((fa.square() * weights).sum()) * joint.hop_length
    assert kept > 0.3 * float(a.square().sum())


def test_the_mean_over_the_sound_has_one_frame() -> None:
    x = noise(2, 3, 5000)
    joint = JointScattering(RATE, J=6, T="global")
    found = joint.forward(x)
    assert found.array.shape == (2, 3, len(joint.meta()["order"]), 1)
    assert found.hops == (5000,)
    assert torch.allclose(found.array[..., 0], JointScattering(RATE, J=6).forward(x).array.mean(-1))


def test_without_an_average_in_time_there_are_moduli_at_their_own_rates() -> None:
    x = noise(4096)
    joint = JointScattering(RATE, J=6, Q=(4, 1), T=0, F=0)
    found, meta = joint.forward(x), joint.meta()
    assert found.hops == joint.hops
    assert [g.shape[-1] for g in found.groups] == [-(-4096 // hop) for hop in found.hops]
    assert np.repeat(found.hops, [g.shape[-2] for g in found.groups]).tolist() == meta["hop"].tolist()
    averaged = JointScattering(RATE, J=6, Q=(4, 1), F=0)
    means = {key: image.mean(-1) for key, image in averaged.images(averaged.forward(x)).items()}
    for key, image in joint.images(found).items():
        assert difference(means[key], image.mean(-1)) < 0.03


def test_images_are_the_rows_that_meta_names() -> None:
    joint = JointScattering(RATE, J=6, Q=(6, 2), J_fr=2, Q_fr=2, F=0)
    s, meta = joint.forward(noise(2, 3000)), joint.meta()
    images = joint.images(s)
    assert sum(image.shape[-2] for image in images.values()) == len(meta["order"]) - 1
    for (n2, n_fr), image in images.items():
        second = np.isnan(meta["n"][:, 1]) if n2 < 0 else meta["n"][:, 1] == n2
        rows = second & (meta["n_fr"] == n_fr)
        assert torch.equal(image, s.array[:, rows])
        assert (np.diff(meta["frequency_hz"][rows, 0]) < 0).all()
        steps = set(np.diff(meta["n"][rows, 0]))
        assert steps <= {meta["step"][rows][0]}
    assert set(meta["spin"][meta["order"] == 2]) == {-1, 0, 1}
    assert (meta["spin"] == np.sign(meta["xi_fr"]))[meta["order"] == 2].all()
    assert np.nanmax(meta["quefrency"]) == pytest.approx(0.35 * 6)


def test_denser_sampling_holds_the_critical_one() -> None:
    x = noise(3000)
    plain, dense = (JointScattering(RATE, J=6, Q=8, F=4, oversampling=o) for o in (1, 4))
    a, b = (joint.images(joint.forward(x)) for joint in (plain, dense))
    for key, image in a.items():
        assert difference(image, b[key][..., ::4, ::4]) < (0.02 if key[0] >= 0 else 2e-3)


def test_logarithms_and_quotients() -> None:
    x, options = noise(4000), {"J": 7, "Q": 8}
    joint = JointScattering(RATE, **options, renormalize=True)  # type: ignore[arg-type]
    plain = JointScattering(RATE, **options)  # type: ignore[arg-type]
    bent = joint.forward(x).array
    assert torch.allclose(joint.forward(8 * x).array[1:], bent[1:], rtol=1e-4)
    # What divides is the first order's low-pass along log-frequency, which with F = 2**J_fr is its own image.
    images, divided = plain.images(plain.forward(x)), joint.images(joint.forward(x))
    row = images[-1, 0].shape[-2] // 2
    for key in ((3, 2), (3, 6), (-1, 1)):
        wanted = images[key][: row + 1] / (images[-1, 0][: row + 1] + 1e-6)
        assert torch.allclose(divided[key][: row + 1], wanted[: divided[key].shape[-2]], rtol=1e-5)
    assert torch.allclose(divided[-1, 0], images[-1, 0] / (bent[0] + 1e-6), rtol=1e-9)
    logs = JointScattering(RATE, **options, renormalize=True, log=True).forward(x).array  # type: ignore[arg-type]
    assert torch.allclose(logs, torch.log(bent + 1e-6))
    whole = JointScattering(RATE, **options, renormalize=True, F="global", T="global")  # type: ignore[arg-type]
    assert float(whole.forward(x).array[1:].max()) < 2


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(16, 3000),
    lead=st.sampled_from([(), (1,), (2, 3)]),
    options=st.sampled_from([{"J": 4}, {"J": 3, "Q": (3, 2), "Q_fr": 2, "F": 0}, {"J": 4, "Q": 2, "T": 0, "F": 0},
                             {"J": 4, "T": 7.5, "F": 3.5}, {"J": 3, "J_fr": 1, "F": 9, "oversampling": 2.0},
                             {"J": 4, "F": "global"}, {"J": 1, "Q": 2, "T": "global"}]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_any_shape_gives_what_it_says(
    n: int, lead: tuple[int, ...], options: dict[str, Any], dtype: torch.dtype
) -> None:
    joint = JointScattering(RATE, **options)
    found, meta = joint.forward(noise(*lead, n, dtype=dtype)), joint.meta()
    assert found.n_samples == n
    for g, hop in zip(found.groups, found.hops, strict=True):
        assert g.shape[:-2] == lead
        assert g.shape[-1] == -(-n // hop)
        assert g.dtype == dtype
        assert bool(torch.isfinite(g).all())
    assert sum(g.shape[-2] for g in found.groups) == len(meta["order"])
    assert {len(column) for column in meta.values()} == {len(meta["order"])}


def test_single_precision_is_as_good_as_it_can_be() -> None:
    x, joint = noise(5000), JointScattering(RATE, J=8)
    assert difference(joint.forward(x).array, joint.forward(x.float()).array.double()) < 1e-5


def test_a_batch_is_its_sounds_one_by_one() -> None:
    x = noise(3, 2, 3001)
    joint = JointScattering(RATE, J=6)
    together = joint.forward(x).array
    alone = torch.stack([torch.stack([joint.forward(x[i, j]).array for j in range(2)]) for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"T": 0, "F": 0}, {"T": 300, "F": "global", "renormalize": True}])
def test_pieces_are_the_whole(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(40001)
    joint = JointScattering(RATE, J=7, Q=(8, 1), **options)
    whole = joint.forward(x)
    monkeypatch.setattr(framing, "_PIECE", 2**13)
    assert framing.Framing(joint.margin, 256).piece(40001) < 20000
    pieces = joint.forward(x)
    for a, b in zip(whole.groups, pieces.groups, strict=True):
        assert a.shape == b.shape
        assert difference(a, b) < 1e-4


@pytest.mark.parametrize(
    "options",
    [{"log": True, "renormalize": True}, {"T": 0, "F": 0}, {"F": "global", "T": "global"}, {"F": 4, "scaling": "tight"}]
)
def test_gradients_are_right(options: dict[str, Any]) -> None:
    joint = JointScattering(RATE, J=3, Q=(3, 1), J_fr=2, **options)
    assert torch.autograd.gradcheck(lambda x: joint.forward(x).groups, noise(40, seed=3).requires_grad_())


def test_the_gradient_of_silence_is_finite() -> None:
    x = torch.zeros(500, requires_grad=True)
    JointScattering(RATE, J=4).forward(x).array.sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"J": 0}, "J must be a whole number, at least 1"),
        ({"Q": 0}, "Q must be a whole number of wavelets an octave, at least 1, got 0"),
        ({"Q": (8, 1, 1)}, "Q must be one number or two"),
        ({"Q_fr": 0}, "Q_fr must be a whole number of wavelets an octave of quefrency, at least 1, got 0; raise it"),
        ({"J_fr": 6}, "from 1 to 4, .* of the 31 bands, got 6; lower J_fr, or raise J or Q"),
        ({"J_fr": 10**6}, "got 1000000; lower J_fr"),
        ({"J_fr": 0}, "from 1 to 4"),
        ({"J_fr": 1.5}, "got 1.5; lower J_fr"),
                ({"F": 32}, "from 1 to 31 .* got 32; for more than all bands take F='global'"),
        ({"F": float("inf")}, "got inf"),
        ({"F": float("nan")}, "got nan"),
        ({"F": 0.5}, "F must be 0 .* got 0.5"),
        ({"F": "all"}, "'global', got 'all'"),
        ({"T": 0.5}, "T must be at least 1 sample, 0"),
        ({"T": 0, "log": True}, "T=0 makes none"),
        ({"oversampling": 0.5}, "oversampling must lie between 1"),
        ({"scaling": "l2"}, "'l1' or 'tight'"),
        ({"pad": "wrap"}, "'reflect' or 'zero'"),
        ({"sample_rate": 0}, "sample_rate must be positive"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        JointScattering(**({"sample_rate": RATE, "J": 6, "Q": 6} | options))


def test_one_band_has_no_neighbours() -> None:
    with pytest.raises(BadInput, match="need at least 2 bands, got 1"):
        quefrency_bank(1, scale=1, per_octave=1, n_padded=16, tight=False)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(1000), "JointScattering: J=11 needs at least 2048 samples, got 1000; take J <= 9 or pad"),
        (torch.zeros(3, 0), "x is empty"),
        (torch.full((4096,), torch.nan), "NaN or Inf"),
        (torch.zeros(4096, dtype=torch.int16), "float32 or float64, got torch.int16"),
        (np.zeros(4096), "must be a torch.Tensor"),
    ],
)
def test_sound_it_cannot_take_is_refused(x: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        JointScattering(RATE).forward(x)
