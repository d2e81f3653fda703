"""Filter banks: where constant-Q, variable-Q and ERB bands lie, that they are complete, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.transforms import VQT, FilterBank, variable_q
from tests.banks import BANKS, error_db

RATES = (8000, 11025, 22050, 44100, 96000, 192000)


def bank_of(name: str, rate: int, **options: Any) -> FilterBank:
    return variable_q(rate, **(BANKS[name] | options))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("bins", [1, 12, 36])
@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_constant_q_bands_are_the_notes_they_are_named_after(rate: int, bins: int, overlap: int) -> None:
    bank = variable_q(rate, bins_per_octave=bins, gamma_hz=0, overlap=overlap)
    regular = bank.frequencies_hz[2:-1]
    np.testing.assert_allclose(regular, 32.70319566257483 * 2 ** (np.arange(len(regular)) / bins), rtol=1e-12)
    # Half of the lowest at least, and where windows go on below it, two thirds.
    least = 1 / 2 if overlap == 1 else 2 / 3
    assert bank.frequencies_hz[1] == pytest.approx(regular[0] * max(2 ** (-1 / bins), least))
    # Where all that a window reaches is regular, the quality is the same.
    q = regular[overlap:-overlap] / bank.bandwidths_hz[2 + overlap : -1 - overlap]
    np.testing.assert_allclose(q, 1 / (2 ** (overlap / bins) - 2 ** (-overlap / bins)), rtol=1e-12)
    # The gap to Nyquist is half to one and a half steps.
    assert 0.5 <= np.log2(rate / 2 / regular[-1]) * bins <= 1.5


@pytest.mark.parametrize("options", [{"gamma_hz": 0.0}, {"fmin_hz": 100.0}, {"bins_per_octave": 1, "fmin_hz": 100.0}])
def test_below_the_lowest_band_the_axis_runs_out_smoothly(options: dict[str, float]) -> None:
    straight = variable_q(22050, **options, overlap=1)  # type: ignore[arg-type]
    assert straight.warp(straight.frequencies_hz[1:2] * 0.3)[0] == pytest.approx(0.3)
    bank = variable_q(22050, **options, overlap=2)  # type: ignore[arg-type]
    f = bank.frequencies_hz[1]
    below, at, above = bank.warp(f * np.array([1 - 1e-6, 1, 1 + 1e-6]))
    assert at - below == pytest.approx(above - at, rel=1e-3)
    # No steeper than the square, so that it is smooth at 0 Hz too.
    assert bank.warp(np.array([0.01 * f]))[0] <= 1e-4


def test_a_window_at_the_lowest_band_is_as_narrow_as_its_neighbours() -> None:
    # Where the axis went straight on to 0 Hz, half of it would be tens of Hz wide.
    bank = variable_q(22050, gamma_hz=0)
    f = np.geomspace(20, 60, 20001)
    areas = [np.sum(bank.window(k, f)) / (bank.frequencies_hz[k + 1] - bank.frequencies_hz[k]) for k in (2, 3, 6)]
    assert areas[0] == pytest.approx(areas[2], rel=0.3)
    assert areas[1] == pytest.approx(areas[2], rel=0.1)


@pytest.mark.parametrize("overlap", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bins_per_octave": 2, "gamma_hz": 0.0, "fmin_hz": 100.0},
        {"gamma_hz": 0.0, "fmin_hz": 65.4},
        {"bins_per_octave": 1},
        {"bins_per_octave": 6, "gamma_hz": "erb"},
        {"bins_per_octave": 3, "gamma_hz": 30.0, "fmin_hz": 100.0},
        {"bins_per_octave": 3, "gamma_hz": 100.0, "fmin_hz": 50.0},
    ],
)
def test_a_margin_away_every_pulse_is_below_minus_80_db(options: dict[str, Any], overlap: int) -> None:
    vqt = VQT(8000, **({"bins_per_octave": 12} | options), hop_length=32, overlap=overlap)
    length = 2 ** int(np.ceil(np.log2(8 * vqt.margin)))
    f = np.fft.fftfreq(length, 1 / 8000)
    n, longest = vqt.n_bands, 0.0
    for k in {*range(min(8, n)), n // 2, *range(max(0, n - 4), n)}:
        pulse = np.abs(np.fft.ifft(vqt.bank.window(k, f) + (f < 0) * vqt.bank.window(k, f + 8000)))
        late = float(pulse[vqt.margin : length - vqt.margin].max() / pulse.max())
        assert late < 1e-4
        longest = max(longest, late)
    # No longer than need be, by more than a factor of two.
    assert longest > 1e-4 / 2**3 / 1.5


def test_the_lowest_band_can_be_chosen() -> None:
    assert variable_q(44100, gamma_hz=0, fmin_hz=55.0).frequencies_hz[2] == pytest.approx(55.0)
    bank = variable_q(44100, bins_per_octave=24, gamma_hz=6.0, fmin_hz=110.0)
    spacing = np.diff(bank.frequencies_hz[2:-1])
    # Centres follow from integrating the distance, so a band's distance to the next lies between those at the two.
    wanted = np.log(2) / 24 * bank.frequencies_hz[2:-1] + 6.0
    assert ((wanted[:-1] < spacing) & (spacing < wanted[1:])).all()
    assert bank.frequencies_hz[2] == pytest.approx(110.0)


def test_the_distances_of_a_variable_q_bank_are_a_line() -> None:
    bank = variable_q(48000, bins_per_octave=36, gamma_hz=10.0)
    middles = (bank.frequencies_hz[1:] + bank.frequencies_hz[:-1]) / 2
    # Stretched by less than half a band in all 200.
    np.testing.assert_allclose(np.diff(bank.frequencies_hz), np.log(2) / 36 * middles + 10.0, rtol=3e-3)


@pytest.mark.parametrize("bins", [6, 12, 48])
def test_erb_bands_are_as_wide_as_the_ear_s(bins: int) -> None:
    bank = variable_q(44100, bins_per_octave=bins, gamma_hz="erb")
    middles = (bank.frequencies_hz[1:] + bank.frequencies_hz[:-1]) / 2
    erb = 24.7 + 0.108 * middles
    share = np.diff(bank.frequencies_hz) / erb
    np.testing.assert_allclose(share, np.log(2) / bins / 0.108, rtol=0.02)


def test_the_default_bank_is_what_it_was() -> None:
    bank = variable_q(22050)
    assert bank.n_bands == 162
    assert (bank.gamma_hz, bank.fmin_hz) == (10.0, 0.0)
    wanted = [10.10158744, 1905.79172884, 10804.74943207]
    np.testing.assert_allclose(bank.frequencies_hz[[1, 80, 160]], wanted, rtol=1e-9)
    assert [int((bank.hops == hop).sum()) for hop in (256, 128, 64, 32, 16)] == [40, 36, 36, 36, 14]
    sparse = variable_q(22050, overlap=1)
    np.testing.assert_array_equal(sparse.frequencies_hz, bank.frequencies_hz)
    assert [int((sparse.hops == hop).sum()) for hop in (256, 128, 64, 32)] == [76, 36, 36, 14]


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    bins=st.integers(1, 96),
    gamma=st.one_of(st.just(0.0), st.floats(0.1, 300.0)),
    fmin=st.one_of(st.none(), st.floats(5.0, 500.0)),
    oversampling=st.floats(1.0, 4.0),
    overlap=st.integers(1, 5),
)
def test_every_bank_is_complete_and_painless(
    rate: int, bins: int, gamma: float, fmin: float | None, oversampling: float, overlap: int
) -> None:
    options: dict[str, Any] = {"bins_per_octave": bins, "gamma_hz": gamma, "fmin_hz": fmin}
    overlap = min(overlap, variable_q(rate, **options).n_bands - 1)
    bank = variable_q(rate, **options, oversampling=oversampling, overlap=overlap)
    assert bank.frequencies_hz[0] == 0
    assert bank.frequencies_hz[-1] == pytest.approx(rate / 2)
    assert (np.diff(bank.frequencies_hz) > 0).all()
    assert (bank.bandwidths_hz * bank.hops * (1 - 1e-12) <= rate).all()
    # The bands that reach beyond the Nyquist frequency are no groups of fewer samples.
    assert (np.diff(bank.hops[-overlap - 1 :]) <= 0).all()
    f = np.random.default_rng(bins).uniform(0, rate / 2, 40)
    position = bank.warp(f)
    # Bells r apart are cos^2 and sin^2: with the mirror images of those beyond the ends, all add up to r everywhere.
    beyond = np.stack([bank.window(k, np.stack([f, -f, rate - f])) for k in range(bank.n_bands)])
    beyond[[0, -1], 1:] = 0
    assert beyond.sum((0, 1)) == pytest.approx(np.full(len(f), overlap))
    np.testing.assert_allclose(bank.warp(bank.frequencies_hz), np.arange(bank.n_bands), atol=1e-9)
    there = position > 1e-300
    np.testing.assert_allclose(bank.unwarp(torch.from_numpy(position))[there].numpy(), f[there], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(bank.warp(-f), -position)


@pytest.mark.parametrize("overlap", [1, 2, 3])
@pytest.mark.parametrize("name", BANKS)
def test_a_window_is_a_bell_that_ends_where_its_overlap_does(name: str, overlap: int) -> None:
    bank = bank_of(name, 22050, overlap=overlap)
    edges = bank.edges_hz
    np.testing.assert_allclose(np.diff(edges) > 0, True)
    np.testing.assert_allclose(edges[2 * overlap :] - edges[: -2 * overlap], bank.bandwidths_hz)
    for k in (0, 1, 2, 3, 10, bank.n_bands - 2, bank.n_bands - 1):
        wanted = np.cos(np.pi * np.arange(-overlap, overlap + 1) / (2 * overlap)) ** 2
        np.testing.assert_allclose(bank.window(k, edges[k : k + 2 * overlap + 1]), wanted, atol=1e-9)
        grid = np.linspace(edges[0], edges[-1], 200001)
        inside = grid[bank.window(k, grid) > 0]
        low, high = edges[k], edges[k + 2 * overlap]
        # The axis may be flat at 0 Hz, and what is left of a bell that ends there too small for a number.
        assert inside.min() == pytest.approx(low, abs=20 if k == overlap and bank.bend > 1 else 0.3)
        assert inside.max() == pytest.approx(high, abs=0.3)


@pytest.mark.parametrize("overlap", [1, 2, 3, 8])
def test_between_two_bands_the_bell_is_that_of_the_warped_distance(overlap: int) -> None:
    bank = variable_q(22050, gamma_hz=0, overlap=overlap)
    f = np.sqrt(bank.frequencies_hz[50] * bank.frequencies_hz[51])
    halfway = np.cos(np.pi / (4 * overlap)) ** 2
    assert bank.window(50, np.array([f]))[0] == pytest.approx(halfway)
    assert bank.window(51, np.array([f]))[0] == pytest.approx(halfway)
    # Half of the height is half of the overlap away.
    half = bank.frequencies_hz[50] * 2 ** (overlap / 2 / 36)
    assert bank.window(50, np.array([half]))[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate": 500}, "at least 1000 Hz, got 500"),
        ({"gamma_hz": -1.0}, "gamma_hz and fmin_hz at least 0 .*, got 36, -1"),
        ({"gamma_hz": float("nan")}, "gamma_hz and fmin_hz at least 0 .* nan"),
        ({"fmin_hz": -3.0}, "at least 0 .* -3.0"),
        ({"bins_per_octave": 0}, "bins_per_octave must be at least 1.*, got 0"),
        ({"oversampling": 0.5}, "oversampling at least 1, got .* 0.5"),
        ({"max_hop": 100}, "max_hop must be a power of two, got 100"),
        ({"gamma_hz": 0.0, "fmin_hz": 0.0}, "needs a lowest frequency: fmin_hz must be above 0"),
        ({"gamma_hz": 3000.0}, r"gamma_hz 3000 leaves no band between 0 and 4000 Hz.* at most 2628"),
        ({"fmin_hz": 3990.0}, r"fmin_hz 3990 leaves no band below 4000 Hz.* at most 3956"),
        ({"sample_rate": 1000, "gamma_hz": 0.0, "fmin_hz": 600.0}, "leaves no band below 500 Hz.* at most 495"),
        ({"overlap": 0}, "overlap must be a whole number of bands, at least 1, got 0"),
        ({"overlap": 1.5}, "overlap must be a whole number of bands, at least 1, got 1.5"),
        ({"overlap": float("nan")}, "overlap must be a whole number of bands, at least 1, got nan"),
        ({"gamma_hz": 2628.0, "overlap": 3}, "overlap 3 needs more than 3 bands and there are 3; it must be at most 2"),
    ],
)
def test_an_impossible_bank_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        variable_q(**({"sample_rate": 8000} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"gamma_hz": 2628.0}, {"fmin_hz": 3956.0}, {"gamma_hz": 0.0, "fmin_hz": 3923.0}])
def test_the_way_out_that_a_refusal_names_is_one(options: dict[str, float]) -> None:
    assert variable_q(8000, **options).n_bands >= 3  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"gamma_hz": 2000.0}, {"bins_per_octave": 1, "fmin_hz": 1500.0}])
def test_the_largest_overlap_that_a_refusal_names_makes_a_transform(options: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=r"it must be at most \d+$") as told:
        variable_q(8000, **options, overlap=50)  # type: ignore[arg-type]
    largest = int(str(told.value).split("at most ")[1])
    vqt = VQT(8000, **options, overlap=largest)  # type: ignore[arg-type]
    x = torch.randn(777, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    # Every window hears everything, some of it twice.
    assert error_db(vqt.inverse(vqt.forward(x)), x) < -250
    with pytest.raises(BadInput, match=f"overlap {largest + 1} needs"):
        variable_q(8000, **options, overlap=largest + 1)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def both_constant_q() -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The magnitudes of a sound in 84 semitones from C1: ours, and librosa's at the same scale."""
    import librosa

    # The overlap at which both windows fall off about as fast.
    vqt = VQT(22050, bins_per_octave=12, gamma_hz=0, overlap=1)

    def analyse(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ours = vqt.pool(vqt.forward(torch.from_numpy(x)).magnitudes(), len(x)).exp().numpy()[2:86]
        # Its unscaled values are sums over a filter's length: half of a cosine's amplitude for each sample of it.
        theirs = librosa.cqt(x, sr=22050, hop_length=256, n_bins=84, bins_per_octave=12, scale=False)
        lengths, _ = librosa.filters.wavelet_lengths(freqs=vqt.frequencies_hz[2:86], sr=22050)
        return ours, 2 * np.abs(theirs)[:, : ours.shape[1]] / lengths[:, None]

    return analyse


@pytest.mark.slow
@pytest.mark.parametrize("note", [12, 33, 57, 80])
def test_a_tone_is_what_it_is_in_librosa_s_constant_q(
    note: int, both_constant_q: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> None:
    hz = 32.70319566257483 * 2 ** (note / 12)
    x = 0.4 * np.cos(2 * np.pi * hz / 22050 * np.arange(6 * 22050))
    ours, theirs = (m[:, 200:300] for m in both_constant_q(x))
    assert set(ours.argmax(0)) == set(theirs.argmax(0)) == {note}
    np.testing.assert_allclose(ours[note], 0.4, rtol=1e-3)
    np.testing.assert_allclose(theirs[note], ours[note], rtol=0.03)
    # Both windows are Hann bells, one in frequency and one in time: a note further both are well down.
    for m in (ours, theirs):
        assert m[[note - 2, note + 2]].max() < 0.1 * m[note].min()


@pytest.mark.slow
def test_a_glide_is_where_it_is_in_librosa_s_constant_q(
    both_constant_q: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> None:
    # Five octaves in ten seconds, from C2.
    t = np.arange(10 * 22050) / 22050
    x = np.cos(2 * np.pi * 65.406 * 2 / np.log(2) * (2 ** (t / 2) - 1))
    ours, theirs = both_constant_q(x)
    frames = np.arange(120, 760)
    wanted = 12 + 6 * frames * 256 / 22050
    assert np.abs(ours[:, frames].argmax(0) - wanted).max() < 1
    assert np.abs(theirs[:, frames].argmax(0) - wanted).max() < 1.5
    # Librosa's windows fall off more slowly, so both are compared where the glide is at a note.
    at = np.flatnonzero(np.abs(wanted - np.round(wanted)) < 0.06)
    notes = np.round(wanted[at]).astype(int)
    np.testing.assert_allclose(ours[notes, frames[at]], theirs[notes, frames[at]], rtol=0.1)
