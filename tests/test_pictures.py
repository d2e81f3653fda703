"""Pictures: a tone lies on its row, silence is dark, one scale for a set."""

import io

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.pages.pictures import FMAX_HZ, FMIN_HZ, curves_png, log_frequency_db, loudest_db, spectrogram_png


def tone(hz, amplitude=1.0, rate=22050, seconds=2.0):
    return Wave(amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate), rate)


def size(png):
    from PIL import Image

    return Image.open(io.BytesIO(png)).size


@pytest.mark.parametrize("hz", [110.0, 440.0, 3000.0])
@pytest.mark.parametrize("rate", [22050, 48000])
def test_a_tone_lies_on_its_row(hz, rate):
    picture = log_frequency_db(tone(hz, rate=rate), n_rows=200, n_columns=50)
    row = 200 * np.log(hz / FMIN_HZ) / np.log(FMAX_HZ / FMIN_HZ)
    assert abs(picture[:, 25].argmax() + 0.5 - row) < 3


def test_a_full_scale_sine_is_near_zero_db_and_half_is_six_less():
    # Rows as narrow as a bin, so that none averages a peak with its feet.
    rows = {"n_rows": 1000, "n_columns": 20}
    full = log_frequency_db(tone(1000.0), **rows)[:, 10].max()
    half = log_frequency_db(tone(1000.0, 0.5), **rows)[:, 10].max()
    assert -4 < full < 0.5
    assert full - half == pytest.approx(6.02, abs=0.01)


def test_time_runs_from_left_to_right():
    late = tone(500.0).samples[0].copy()
    late[: len(late) // 2] = 0
    picture = log_frequency_db(Wave(late, 22050), n_rows=60, n_columns=40).max(axis=0)
    assert picture[:16].max() < -60
    assert picture[25:].min() > -30


def test_a_set_is_measured_by_its_loudest():
    quiet, loud = tone(300.0, 0.01), tone(300.0, 0.9)
    assert loudest_db([quiet, loud]) == loudest_db([loud])
    assert loudest_db([loud]) - loudest_db([quiet]) == pytest.approx(20 * np.log10(90), abs=0.01)
    alone, shared = (spectrogram_png(quiet, axes=False, top_db=top) for top in (None, loudest_db([loud])))
    assert alone != shared


@pytest.mark.parametrize("axes", [True, False])
def test_the_picture_has_the_size_asked_for(axes):
    assert size(spectrogram_png(tone(300.0), width_px=320, height_px=140, axes=axes)) == (320, 140)


def test_low_tones_are_drawn_below_high_ones():
    from PIL import Image

    png = spectrogram_png(tone(100.0), width_px=60, height_px=100, axes=False)
    rows = np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=float).mean(axis=1)
    assert rows[70:].max() > 100
    assert rows[:50].max() < 30


def test_low_rates_and_short_waves_have_pictures():
    assert size(spectrogram_png(Wave(np.ones(10), 4000), width_px=64, height_px=32, axes=False)) == (64, 32)
    empty_above = log_frequency_db(tone(300.0, rate=4000), n_rows=100, n_columns=4)
    assert (empty_above[80:] <= -199).all()


def test_waves_without_a_picture_are_refused():
    with pytest.raises(BadInput, match="at least one sample"):
        spectrogram_png(Wave(np.zeros((1, 0)), 8000))
    with pytest.raises(BadInput, match="no NaN"):
        spectrogram_png(Wave(np.full(5000, np.nan), 8000))
    with pytest.raises(BadInput, match="size must be positive"):
        spectrogram_png(tone(300.0), width_px=0)
    with pytest.raises(BadInput, match="at least one wave"):
        loudest_db([])


def test_curves_are_drawn_without_pyplot():
    import sys

    sys.modules.pop("matplotlib.pyplot", None)
    png = curves_png(
        {"net": ([0, 1, 2], [3.0, 2.0, 1.0])}, x_label="Time (s)", y_label="Error", levels={"PCA": 1.5}
    )
    assert size(png) == (720, 360)
    assert "matplotlib.pyplot" not in sys.modules
    with pytest.raises(BadInput, match="as many x as y"):
        curves_png({"net": ([0, 1], [1.0])}, x_label="x", y_label="y")
