"""Several answers to one question: each can be made again alone, all are there or none, with a page to choose from."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import typer

from stylemix.arrays import Wave
from stylemix.audio import read_wave
from stylemix.cli import make_app
from stylemix.errors import BadInput
from stylemix.hybrid import variations as module
from stylemix.hybrid.render import hybrid_file
from stylemix.hybrid.variations import hybrid_variations
from stylemix.ordering import answer_lines, render_asked, render_variations
from tests.fake_run import RATE, FakeRun, music


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    notes = {"low": [110.0, 164.8, 220.0], "high": [880.0, 1318.5, 1760.0]}
    return FakeRun(
        {
            name: [Wave(music(rng, 8 * RATE, p), RATE).save(folder / f"{name}{i}.wav") for i in range(3)]
            for name, p in notes.items()
        }
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = music(np.random.default_rng(5), 3 * RATE, [220.0, 330.0])
    return Wave(samples, RATE).save(tmp_path_factory.mktemp("source") / "s.wav", bits="32f")


def asked(source: Path, **more: object) -> dict[str, object]:
    return {"alpha": 0.8, "source": source, "bits": "32f", "seed": 3, "show_progress": False} | more


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize(
    "dials", [{}, {"align": "viterbi"}, {"align": "nearest"}, {"align": "off"}, {"mode": "cross"}, {"mode": "fade"}]
)
def test_each_variation_can_be_made_again_alone(
    run: FakeRun, source: Path, tmp_path: Path, dials: dict[str, object]
) -> None:
    result = hybrid_variations(run, n=3, out=tmp_path / "v", **asked(source, **dials))  # type: ignore[arg-type]
    sounds = [read_wave(one["out"]).samples for one in result["variations"]]
    for k, sound in enumerate(sounds, 1):
        # The first without being asked for by number.
        again = hybrid_file(
            run,
            out=tmp_path / f"{k}.wav",
            **asked(source, **dials, **({"variation": k} if k > 1 else {})),  # type: ignore[arg-type]
        )
        np.testing.assert_array_equal(read_wave(again["out"]).samples, sound)
    for one, other in itertools.combinations(sounds, 2):
        assert np.linalg.norm(one - other) > 0.1 * np.linalg.norm(one)


def test_the_folder_holds_the_variations_and_the_parents_of_the_first(
    run: FakeRun, source: Path, tmp_path: Path
) -> None:
    result = hybrid_variations(run, n=2, out=tmp_path / "v", **asked(source))  # type: ignore[arg-type]
    assert files(tmp_path / "v") == [
        *(f"parents/{name}.wav" for name in ("crossfade", "hybrid", "source", "target")),
        "variation-01.wav", "variation-02.wav",
    ]  # fmt: skip
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert set(result) == {"out", "variations", "parents", "warnings"}
    assert set(result["parents"]) == {"source", "target", "hybrid", "crossfade"}
    first, second = result["variations"]
    assert first["apart"] == 0 < second["apart"] <= 1
    np.testing.assert_array_equal(
        read_wave(result["parents"]["hybrid"]).samples, read_wave(tmp_path / "v" / "variation-01.wav").samples
    )


@pytest.mark.parametrize("at", ["prepare_ways", "render_order"])
def test_a_failure_half_way_leaves_none_and_loses_none(
    run: FakeRun, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    folder = tmp_path / "v"
    hybrid_variations(run, n=2, out=folder, **asked(source))  # type: ignore[arg-type]
    before = {name: (folder / name).read_bytes() for name in files(folder)}
    calls, original = [], getattr(module, at)

    def fail(*arguments: object) -> object:
        calls.append(at)
        if at == "render_order" and len(calls) < 3:
            return original(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, at, fail)
    with pytest.raises(KeyboardInterrupt):
        hybrid_variations(run, n=3, out=folder, force=True, **asked(source, seed=9))  # type: ignore[arg-type]
    assert {name: (folder / name).read_bytes() for name in files(folder)} == before
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        hybrid_variations(run, n=3, out=tmp_path / "new", **asked(source))  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_people_read_the_page_first_then_a_line_for_each(run: FakeRun, source: Path, tmp_path: Path) -> None:
    result = render_asked(run, variations=3, out=tmp_path / "v", **asked(source))  # type: ignore[arg-type]
    lines = answer_lines(result)
    assert lines is not None
    assert lines[0] == f"{tmp_path / 'v' / 'index.html'}: 3 hybrids to choose from"
    assert re.fullmatch(r".*variation-01\.wav: runs of [\d.]+ s on average, the best match", lines[1])
    for k in (2, 3):
        told = rf".*variation-0{k}\.wav: runs of [\d.]+ s on average, \d+ % of the time other material than the first"
        assert re.fullmatch(told, lines[k])
    assert lines[4:] == [f"warning: {line}" for line in result["warnings"]]
    assert answer_lines({"out": "h.wav"}) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 1}, "variations: must be 2 to 50, got 1"),
        ({"n": 51}, "variations: must be 2 to 50, got 51"),
        ({"mode": "style"}, "variations: the mode style has one answer; choose match, cross or fade for 2 of them"),
        ({"mode": "morph", "target": "own"}, "variations: the mode morph has one answer"),
        ({"bits": "12"}, "16, 24 or 32f"),
        ({"sample_rate": 3}, "1000 to 768000"),
        ({"alpha": None}, "alpha is missing"),
        ({"alpha": "0:0,99:1"}, "breakpoints must lie within the sound"),
        ({"continuity": -1}, "continuity: must be 0 to 100"),
    ],
)
def test_each_mistake_is_one_line_and_leaves_no_file(
    run: FakeRun, source: Path, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    given = {"n": 2, "out": tmp_path / "v", **asked(source, **options)}
    if given.get("target"):
        given["target"] = run.files[4].path
    with pytest.raises(BadInput, match=message) as caught:
        render_variations(run, **given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == []


def test_what_is_there_and_what_is_read_is_not_written_over(
    run: FakeRun, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "prepare_ways", lambda *_: pytest.fail("worked first"))
    for name in ("variation-02.wav", "parents/crossfade.wav", "index.html"):
        folder = tmp_path / name.replace("/", "-")
        (folder / "parents").mkdir(parents=True)
        (folder / name).write_bytes(b"mine")
        with pytest.raises(BadInput, match="exists already"):
            render_variations(run, n=2, out=folder, **asked(source))  # type: ignore[arg-type]
        assert (folder / name).read_bytes() == b"mine"
        assert files(folder) == [name]
    for name in ("variation-01.wav", "parents/source.wav"):
        own = tmp_path / "own" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(source.read_bytes())
        with pytest.raises(BadInput, match="must not be one of the inputs"):
            render_variations(run, n=2, out=tmp_path / "own", force=True, **asked(own))  # type: ignore[arg-type]
        assert own.read_bytes() == source.read_bytes()
    with pytest.raises(BadInput, match=r"s\.wav: is a file; variations need a folder for --out"):
        render_variations(run, n=2, out=source, force=True, **asked(run.files[0].path))  # type: ignore[arg-type]


def test_a_curve_that_is_called_like_the_page_is_not_written_over(run: FakeRun, source: Path, tmp_path: Path) -> None:
    curve = tmp_path / "index.html"
    curve.write_text("0,0\n1,1\n")
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        render_variations(run, n=2, out=tmp_path, force=True, **asked(source, alpha=curve))  # type: ignore[arg-type]
    assert files(tmp_path) == ["index.html"]


def test_the_page_shows_all_and_how_each_is_made_again(run: FakeRun, source: Path, tmp_path: Path) -> None:
    given = asked(source, mode="match", continuity=2.0, raw_alpha=True, start_s=0.5, sample_rate=16000)
    result = render_asked(run, variations=2, out=tmp_path / "v", **given)  # type: ignore[arg-type]
    page = Path(result["page"]["path"])
    assert page == tmp_path / "v" / "index.html"
    assert result["page"]["players"] == 4
    text = page.read_text(encoding="utf-8")
    assert all(f"variation-0{k}.wav" in text for k in (1, 2))
    command = text[text.index("stylemix hybrid ") :].split('"')[0]
    words = shlex.split(command)
    assert words[:3] == ["stylemix", "hybrid", "fake.mix"]
    spoken = dict(itertools.pairwise(words))
    assert (spoken["--alpha"], spoken["--source"], spoken["--continuity"]) == ("0.8", str(source), "2.0")
    assert (spoken["--start"], spoken["--bits"], spoken["--sample-rate"]) == ("0.5", "32f", "16000")
    # The first answer is the usual one.
    assert ("--variation" in words, spoken["--out"]) == (False, "variation-01.wav")
    assert "--variation 2 --out variation-02.wav" in text
    assert "--raw-alpha" in words
    # All of them are options of the command; what is as usual is left out.
    command_line = typer.main.get_command(make_app()).commands["hybrid"]  # type: ignore[attr-defined]
    known = {option for parameter in command_line.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    assert not {"--force", "--extrapolate", "--align", "--mode", "--stems", "--quiet"} & set(words)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variation": 1}, "variations: need one source, got a folder; give --source FILE"),
        ({"stems": "st"}, "variations: come with their parents in the folder --out; leave --stems out"),
        ({"variation": 2}, "variations: render all of them, got --variation too; leave one out"),
    ],
)
def test_what_variations_cannot_go_with_is_said(
    run: FakeRun, source: Path, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    # The first of a folder's files could be meant as little as all of them.
    given = asked(source.parent if "need one source" in message else source, **options)
    with pytest.raises(BadInput, match=message):
        render_asked(run, variations=2, out=tmp_path / "v", **given)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_one_file_and_a_folder_are_rendered_without_a_page(run: FakeRun, source: Path, tmp_path: Path) -> None:
    one = render_asked(run, out=tmp_path / "h.wav", **asked(source, duration_s=0.5))  # type: ignore[arg-type]
    assert one["out"] == str(tmp_path / "h.wav")
    some = render_asked(run, out=tmp_path / "d", **asked(source.parent, duration_s=0.5))  # type: ignore[arg-type]
    assert [Path(done["out"]).name for done in some["done"]] == ["s.wav"]
    lines = answer_lines(some)
    assert lines is not None
    assert lines[:2] == [f"{tmp_path / 'd'}: 1 hybrid", f"{tmp_path / 'd' / 's.wav'}: 0.5 s"]
    assert all(line.startswith("warning: ") for line in lines[2:])
    assert len(set(lines)) == len(lines)
    assert files(tmp_path) == ["d/s.wav", "h.wav"]
