"""What is asked for is read as a whole before any work; each mistake is one line with a way out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import read_wave
from stylemix.clusters.cluster import Clusters
from stylemix.errors import BadInput
from stylemix.hybrid.alpha_map import AlphaMap, save_maps
from stylemix.hybrid.order import Order, read_order
from stylemix.hybrid.render import hybrid, hybrid_file
from tests.fake_run import FRAMES, RATE, FakeRun, music

PITCHES = {"low": [110.0, 164.8], "middle": [440.0, 660.0], "high": [1318.5, 1760.0]}
LATE = AlphaMap((0.0, 0.5, 1.0), (0.0, 0.8, 1.0))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    found = FakeRun(
        {
            name: [Wave(music(rng, 5 * RATE, p), RATE).save(folder / f"{name}{i}.wav") for i in range(2)]
            for name, p in PITCHES.items()
        }
    )
    found.path = folder / "run.mix"
    found.path.mkdir()
    save_maps(found.path, {("match", "low", name): (LATE, {}) for name in ("middle", "high")})
    return found


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = music(np.random.default_rng(5), 2 * RATE, [220.0, 330.0])
    return Wave(samples, RATE).save(tmp_path_factory.mktemp("source") / "s.wav", bits="32f")


def order(run: FakeRun, **asked: object) -> Order:
    return read_order(run, **({"alpha": 0.5} | asked))  # type: ignore[arg-type]


def position(run: FakeRun, seconds: float = 2.0, **asked: object) -> tuple[float, bool]:
    curve, calibrated, _ = order(run, **asked).positions(seconds)
    return round(float(curve.at(np.array([0.0]))[0]), 9), calibrated


def test_alpha_is_calibrated_where_the_layers_are_the_mode_s_own(run: FakeRun) -> None:
    assert position(run) == (0.8, True)
    assert position(run, to="high", align="nearest", phase="source") == (0.8, True)
    assert position(run, envelope=1.0) == (0.8, True)
    for asked in ({"raw_alpha": True}, {"envelope": 0.5}, {"rhythm": "target"}, {"mode": "style"}, {"mode": "fade"}):
        assert position(run, **asked) == (0.5, False)
    # From the second corpus nothing was measured.
    assert position(run, source=run.files[2].path) == (0.5, False)


def test_a_curve_is_calibrated_between_its_points_and_told_as_given(run: FakeRun) -> None:
    asked = order(run, alpha="0:0,2:1")
    curve, calibrated, _ = asked.positions(2.0)
    assert calibrated
    np.testing.assert_allclose(curve.at(np.array([0, 0.5, 1, 1.5, 2])), [0, 0.4, 0.8, 0.9, 1], atol=1e-6)
    assert asked.curve.told() == [[0.0, 0.0], [2.0, 1.0]]


def test_weights_say_alpha_and_the_shares(run: FakeRun) -> None:
    asked = order(run, alpha=None, weights="low=0.5,middle=0.1,high=0.4")
    assert asked.roles.others == (1, 2)
    assert asked.roles.shares == (0.2, 0.8)
    assert position(run, alpha=None, weights="low=0.5,middle=0.1,high=0.4") == (0.8, True)
    assert position(run, alpha=None, weights={"low": 0.75, "high": 0.25}, raw_alpha=True) == (0.25, False)


def test_beyond_the_ends_alpha_is_what_it_is(run: FakeRun) -> None:
    assert position(run, alpha=1.3, extrapolate=True) == (1.3, True)
    assert position(run, alpha="-0.2", extrapolate=True) == (-0.2, True)
    with pytest.raises(BadInput, match=r"alpha: must lie between 0 .* got 1\.3; .* add --extrapolate"):
        order(run, alpha=1.3)
    with pytest.raises(BadInput, match="between -1 and 2, got 3"):
        order(run, alpha=3, extrapolate=True)


def test_inputs_are_all_that_is_read(run: FakeRun, source: Path, tmp_path: Path) -> None:
    csv, other = tmp_path / "curve.csv", tmp_path / "other.wav"
    csv.write_text("0,0\n1,1\n")
    other.write_bytes(source.read_bytes())
    found = {Path(path) for path in order(run, source=source, target=other, alpha=csv).inputs()}
    assert {source, other, csv, *(file.path for file in run.files)} <= found


@pytest.fixture
def clustered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each corpus be a cluster: mixtures of Gaussians find nothing in so few segments."""

    def known(features: np.ndarray, corpus: np.ndarray, names: list[str], **options: object) -> Clusters:
        return Clusters(corpus, 3, {}, ("1", "2", "3"), np.eye(3))

    monkeypatch.setattr("stylemix.clusters.groups.cluster", known)


def test_a_curve_beyond_the_end_is_said_before_the_search(
    run: FakeRun, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylemix.hybrid.rendering.prepare_variations", lambda *_, **__: pytest.fail("worked first"))
    with pytest.raises(BadInput, match="must lie within the sound, which lasts 2 s, got one at 3 s"):
        hybrid_file(run, alpha="0:0,3:1", source=source, out=tmp_path / "h.wav", show_progress=False)  # type: ignore[arg-type]


@pytest.mark.usefixtures("clustered")
def test_a_cluster_brings_its_stretch(run: FakeRun, tmp_path: Path) -> None:
    whole = order(run, source_cluster=2)
    assert (whole.start_s, whole.duration_s) == whole.roles.stretch_s
    assert order(run, source_cluster=2, duration_s=1.0).duration_s == 1.0
    assert order(run, source_cluster=2, duration_s=1000.0).duration_s == whole.duration_s
    out = tmp_path / "h.wav"
    told = hybrid_file(run, alpha=0.5, source_cluster=1, target_cluster=3, out=out, show_progress=False)  # type: ignore[arg-type]
    # The last step of a stretch may reach beyond the end of its file.
    step_s = FRAMES * run.vqt.hop_length / RATE
    assert (told["target"], told["from"], told["to"]) == ("high, cluster 3", "low", "high")
    assert told["seconds"] == pytest.approx(order(run, source_cluster=1).duration_s, abs=step_s)
    with pytest.raises(BadInput, match="--source-cluster chooses where to begin, got --start 1 too"):
        order(run, source_cluster=2, start_s=1.0)


@pytest.mark.usefixtures("clustered")
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"alpha": None}, "alpha is missing; give one, .* or weights"),
        ({"alpha": "half"}, "alpha: .*got 'half'"),
        ({"alpha": float("nan")}, "alpha: must lie between 0"),
        ({"alpha": "0:0,10:1"}, r"within the sound, which lasts 2 s, got one at 10 s; .* --duration"),
        ({"weights": "low=0.5,high=0.5"}, "in place of --alpha, got both; leave one out"),
        ({"alpha": None, "weights": "low=0.5,high=0.4"}, r"must sum to 1, got 0\.9; write shares"),
        (
            {"alpha": None, "weights": "low=0.5,hihg=0.5"},
            "no corpus 'hihg' in this run; choose among low, middle, high",
        ),
        ({"alpha": None, "weights": "low=1.5,high=-0.5"}, r"must be 0 or more, got -0\.5; write shares"),
        ({"source_cluster": 9, "source": None}, "no cluster 9 in this run; there are 1 to 3"),
        ({"target_cluster": 9}, "no cluster 9 in this run; there are 1 to 3"),
        ({"target_cluster": 1, "to": "high"}, "nothing of high in cluster 1 to be the target; choose one of 3"),
        ({"variation": 0}, "variation: must be 1 to 50, got 0"),
        ({"variation": 51}, "variation: must be 1 to 50, got 51"),
        ({"variation": 2, "mode": "style"}, "the mode style has one answer; choose match, cross or fade"),
        ({"continuity": 101}, "continuity: must be 0 to 100, got 101"),
        ({"envelope": 1.5}, r"envelope: must be 0 to 1, got 1\.5"),
        ({"rhythm": "mine"}, "rhythm must be one of both, source, target, got 'mine'"),
        ({"align": "dtw"}, "align must be one of transport, viterbi, nearest, off, got 'dtw'"),
        ({"smoothness": 1}, "there is no dial 'smoothness'; there are mode, align"),
    ],
)
def test_each_mistake_is_one_line_with_a_way_out(
    run: FakeRun, source: Path, tmp_path: Path, asked: dict[str, object], message: str
) -> None:
    given = {"alpha": 0.5, "source": source, "out": tmp_path / "h.wav", "show_progress": False} | asked
    with pytest.raises(BadInput, match=message) as caught:
        hybrid_file(run, **given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["match", "style", "morph", "cross", "fade"])
def test_a_source_shorter_than_a_latent_step_is_one_line(run: FakeRun, tmp_path: Path, mode: str) -> None:
    short = Wave(np.full((1, FRAMES * run.vqt.hop_length - 1), 0.1), RATE).save(tmp_path / "short.wav")
    target = run.files[2].path if mode == "morph" else None
    with pytest.raises(BadInput, match=r"short\.wav: lasts 128 ms, .* shorter than one latent step .* give a longer"):
        hybrid(run, alpha=0.5, source=short, mode=mode, target=target)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["match", "morph", "cross", "fade"])
def test_a_silent_target_is_one_line(run: FakeRun, source: Path, tmp_path: Path, mode: str) -> None:
    silent = Wave(np.zeros((1, 2 * RATE)), RATE).save(tmp_path / "silent.wav")
    with pytest.raises(BadInput, match="silent") as caught:
        hybrid(run, alpha=0.5, source=source, mode=mode, target=silent)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["match", "morph", "fade"])
def test_a_faint_target_is_lifted_only_so_far(run: FakeRun, source: Path, tmp_path: Path, mode: str) -> None:
    faint, lost = (
        Wave(music(np.random.default_rng(6), 4 * RATE, [880.0]) * 10 ** (level_db / 20), RATE)
        .save(tmp_path / f"at{level_db}.wav", bits="32f")
        for level_db in (-50, -95)
    )  # fmt: skip
    out = tmp_path / "h.wav"
    asked = {"alpha": 0.9, "source": source, "mode": mode, "out": out, "show_progress": False}
    told = hybrid_file(run, target=faint, **asked)  # type: ignore[arg-type]
    assert told["target_gain_db"] == pytest.approx(24, abs=1e-6)
    found = read_wave(out).samples
    assert np.isfinite(found).all()
    assert np.abs(found).max() < np.abs(read_wave(source).samples).max()
    with pytest.raises(BadInput, match=r"the target is silent \(below -90 dB throughout\); give a target that sounds"):
        hybrid_file(run, target=lost, force=True, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rates", "channels"), [((44100, RATE), (2, 1)), ((RATE, 44100), (1, 2)), ((44100, 44100), (1, 8))]
)
@pytest.mark.parametrize("mode", ["match", "morph", "cross", "fade", "style"])
def test_source_and_target_may_differ_in_rate_and_channels(
    run: FakeRun, tmp_path: Path, rates: tuple[int, int], channels: tuple[int, int], mode: str
) -> None:
    rng = np.random.default_rng(7)
    names = [
        Wave(0.1 * rng.standard_normal((c, rate)), rate).save(tmp_path / f"{i}.wav", bits="32f")
        for i, (rate, c) in enumerate(zip(rates, channels, strict=True))
    ]
    target = None if mode == "style" else names[1]
    told = hybrid_file(
        run, alpha=0.7, source=names[0], target=target, mode=mode, out=tmp_path / "h.wav", stems=tmp_path / "st",  # type: ignore[arg-type]
        show_progress=False,
    )  # fmt: skip
    for path in (tmp_path / "h.wav", *told["stems"].values()):
        found = read_wave(path)
        assert (found.sample_rate, found.samples.shape) == (rates[0], (channels[0], rates[0]))
        assert 1e-3 < found.samples.std() < 0.5
    # As it is, without anything that turns other types into text.
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_style_hears_no_target_and_claims_none(run: FakeRun, source: Path, tmp_path: Path) -> None:
    asked = {"alpha": 0.5, "mode": "style", "out": tmp_path / "h.wav", "force": True, "show_progress": False}
    with pytest.raises(BadInput, match=r"s\.wav is no file of the run; leave --target out"):
        hybrid_file(run, target=source, **asked)  # type: ignore[arg-type]
    told = hybrid_file(run, source=source, target=run.files[4].path, **asked)  # type: ignore[arg-type]
    assert told["target"] == "high"


def test_a_fade_is_its_own_crossfade(run: FakeRun, source: Path, tmp_path: Path) -> None:
    hybrid_file(
        run, alpha="0:0,2:1", source=source, mode="fade", out=tmp_path / "h.wav", stems=tmp_path / "st", bits="32f",  # type: ignore[arg-type]
        show_progress=False,
    )  # fmt: skip
    found, faded = read_wave(tmp_path / "h.wav").samples, read_wave(tmp_path / "st" / "crossfade.wav").samples
    np.testing.assert_allclose(found, faded, atol=1e-5)


def test_a_simplex_has_something_of_each(run: FakeRun, source: Path) -> None:
    def bands(weights: str) -> list[float]:
        wave = hybrid(run, weights=weights, source=source, raw_alpha=True, seed=2)  # type: ignore[arg-type]
        power = np.square(np.abs(np.fft.rfft(wave.samples[0])))
        edges = [round(hz * power.size * 2 / RATE) for hz in (380, 900, 3000)]
        return [float(power[a:b].sum() / power.sum()) for a, b in zip(edges[:-1], edges[1:], strict=True)]

    corners = [bands(w) for w in ("low=0.01,middle=0.99", "low=0.01,high=0.99", "low=0.01,middle=0.5,high=0.49")]
    assert corners[0][0] > corners[2][0] > corners[1][0]
    assert corners[1][1] > corners[2][1] > corners[0][1]


def test_the_stem_of_several_targets_is_their_mixture(run: FakeRun, source: Path, tmp_path: Path) -> None:
    told = hybrid_file(
        run, weights="middle=0.3,high=0.7", source=source, mode="fade", out=tmp_path / "h.wav", stems=tmp_path / "st",  # type: ignore[arg-type]
        bits="32f", show_progress=False,
    )  # fmt: skip
    found, target = read_wave(tmp_path / "h.wav").samples, read_wave(told["stems"]["target"]).samples
    np.testing.assert_allclose(found, target, atol=1e-6)
