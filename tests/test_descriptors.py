"""Pitch classes and timbre of latent steps: tones whose answer is known, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest

from stylemix import descriptors
from stylemix.descriptors import chroma_of, step_descriptors, timbre_of
from stylemix.features import wave_features
from stylemix.transforms import VQT

RATE = 22050
VQT_22K = VQT(RATE, bins_per_octave=48, gamma_hz=7.5)


def described(hz: float, *, gain: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Of a tone of three partials."""
    t = np.arange(RATE) / RATE
    tone = sum(gain / k * np.sin(2 * np.pi * k * hz * t) for k in (1, 2, 4))
    features = wave_features(tone.astype(np.float32), VQT_22K)
    return step_descriptors(features.log_magnitude, features.frequencies_hz, 8)


@pytest.mark.parametrize("semitone", [-9, 0, 3, 14])
def test_a_tone_is_its_pitch_class(semitone: int) -> None:
    chroma, _ = described(440 * 2 ** (semitone / 12))
    assert (chroma[:, 1:-1].argmax(axis=0) == semitone % 12).all()
    # Octaves of one class: hardly anything elsewhere.
    assert chroma[semitone % 12, 1:-1].min() > 0.9
    np.testing.assert_allclose(np.linalg.norm(chroma, axis=0), 1, rtol=1e-5)


def test_a_quarter_tone_is_shared_by_its_neighbours() -> None:
    # Broad peaks on bands a quarter tone apart, so that the parabola finds the middle.
    hz = 110 * 2 ** (np.arange(120) / 24)
    spectra = -0.05 * (np.arange(120.0) - 49)[:, None] ** 2
    chroma = chroma_of(spectra, hz)[:, 0]
    assert chroma[0] == pytest.approx(chroma[1], abs=1e-3)
    assert chroma[0] == pytest.approx(np.sqrt(0.5), abs=0.01)


def test_loudness_changes_neither() -> None:
    for loud, soft in zip(described(440.0), described(440.0, gain=0.003), strict=True):
        np.testing.assert_allclose(loud[:, 1:-1], soft[:, 1:-1], atol=0.02)


def test_silence_is_flat() -> None:
    chroma, timbre = step_descriptors(np.full((216, 9), -23.0), VQT_22K.frequencies_hz, 4)
    assert chroma.shape == (12, 3)
    np.testing.assert_allclose(chroma, 1 / np.sqrt(12), rtol=1e-5)
    np.testing.assert_allclose(timbre, 0, atol=1e-5)


def test_timbre_is_the_cosines_of_the_envelope() -> None:
    k = 60
    cosine = np.cos(np.pi * 3 * (np.arange(k) + 0.5) / k)
    timbre = timbre_of(np.stack([cosine, 2 * cosine + 5], axis=1))
    expected = np.zeros((12, 2))
    # The variance of a cosine is a half.
    expected[2] = np.sqrt(0.5) * np.array([1, 2])
    np.testing.assert_allclose(timbre, expected, atol=1e-6)


def test_chunks_change_nothing(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    y = rng.standard_normal((216, 203))
    whole = step_descriptors(y, VQT_22K.frequencies_hz, 8)
    monkeypatch.setattr(descriptors, "CHUNK_STEPS", 5)
    for one, other in zip(whole, step_descriptors(y, VQT_22K.frequencies_hz, 8), strict=True):
        np.testing.assert_array_equal(one, other)
