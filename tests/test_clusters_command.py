"""The command `clusters`: its listing, its table, and the folders of sound that it exports."""

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stylemix.audio import read_wave
from stylemix.cli import run_command
from stylemix.clusters import export as exporting
from stylemix.clusters import report as reporting
from stylemix.clusters.choice import parse_choice
from stylemix.clusters.export import export_clusters
from stylemix.clusters.groups import clusters_of
from stylemix.clusters.judging import judge
from stylemix.clusters.listing import list_clusters, listing_of
from stylemix.clusters.pieces import safe_name
from stylemix.clusters.report import report_clusters
from stylemix.clusters.tables import csv_text
from stylemix.clusters.telling import listing_csv, listing_lines
from stylemix.errors import BadInput, StylemixError
from tests.fake_run import RATE, FakeRun, music

LOW, HIGH = [110.0, 164.8, 220.0], [880.0, 1318.5, 1760.0]
PART_S = 8


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two recordings of low notes, one of high ones, and one of low, then high, then low ones again."""
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    parts = {"cage": [[LOW], [LOW]], "boys": [[HIGH], [LOW, HIGH, LOW]]}
    files = {}
    for name, of_corpus in parts.items():
        (folder / name).mkdir()
        files[name] = []
        for i, pitches in enumerate(of_corpus):
            samples = np.concatenate([music(rng, PART_S * RATE, p) for p in pitches], axis=1)
            files[name].append(folder / name / f"part {i}.wav")
            soundfile.write(files[name][-1], samples.T, RATE, subtype="PCM_16")
    run = FakeRun(files)
    run.folders = (str(folder / "cage"), str(folder / "boys"))
    run.path = folder / "fake.mix"
    return run


@pytest.fixture(scope="module")
def found(run):
    return judge(clusters_of(run, space="latents", choice=parse_choice("kmeans:2")))


@pytest.fixture(scope="module")
def listing(run, found):
    told = list_clusters(run, space="latents", choice=parse_choice("kmeans:2"))
    assert told == listing_of(run, found)
    return told


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


# --- What is listed.


def test_the_listing_says_what_is_in_each_cluster(run, found, listing):
    json.dumps(listing, allow_nan=False)
    low, high = listing["clusters"]
    assert (low["number"], high["number"]) == (1, 2)
    assert low["size"] + high["size"] == listing["segments"] == len(found.grouping.clusters.labels)
    assert low["seconds"] + high["seconds"] == pytest.approx(6 * PART_S, abs=0.5)
    assert sum(one["seconds"] for one in listing["corpora"].values()) == pytest.approx(6 * PART_S, abs=0.5)
    assert low["shares"] == pytest.approx({"cage": 0.5, "boys": 0.5}, abs=0.05)
    assert high["shares"] == {"cage": 0.0, "boys": 1.0}
    assert low["descriptors"]["pitch"]["median"] < 250 < 800 < high["descriptors"]["pitch"]["median"]
    for one in (low, high):
        spread = one["descriptors"]["brightness"]
        assert spread["low"] <= spread["median"] <= spread["high"]
    assert listing["method"] == "kmeans:2"
    assert listing["in_no_cluster"] == {"segments": 0, "seconds": 0.0}
    assert (listing["files"], listing["silent_files"]) == (4, 0)
    assert 0.5 < listing["quality"]["purity"] <= 1


def test_the_medoid_is_a_segment_of_a_recording_that_is_there(run, found, listing):
    segments = found.grouping.segments
    for one, of_cluster in zip(listing["clusters"], found.clusters, strict=True):
        row = one["medoid"]["segment"] - 1
        assert found.grouping.clusters.labels[row] == one["number"] - 1
        assert one["medoid"]["path"] == str(run.files[segments.file[row]].path)
        assert one["medoid"]["start_s"] == pytest.approx(of_cluster.medoid.start_s, abs=1e-3)
        assert one["medoid"]["corpus"] in run.corpora


def test_the_nearest_of_the_other_corpus_comes_with_a_command(run, found):
    nearest = {1: (2, 0.5)}
    of_both = tuple(replace(one, nearest=nearest if one.number == 1 else {}) for one in found.clusters)
    one = listing_of(run, replace(found, clusters=of_both))["clusters"][0]
    near = one["nearest"]["boys"]
    assert (near["number"], near["distance"]) == (2, 0.5)
    assert near["command"] == (
        f"stylemix hybrid {run.path} --source-cluster 1 --target-cluster 2 --to boys --clusters kmeans:2 --space "
        "latents --alpha 0.5 --out cluster-1-with-2.wav"
    )
    seeded = listing_of(run, replace(found, clusters=of_both), seed=7)["clusters"][0]["nearest"]["boys"]
    assert "--cluster-seed 7" in seeded["command"]


def test_lines_for_people_are_on_one_line_each(run, found, listing):
    text = "\n".join(listing_lines(listing))
    assert listing["clusters"][0]["name"] in text
    assert "LUFS" in text
    assert "onsets a second" in text
    hostile = json.loads(json.dumps(listing))
    hostile["clusters"][0]["medoid"]["tags"] = "\x1b]0;pwned\x07\n\u202egnp.exe"
    hostile["clusters"][0]["name"] = "1: all <img src=x onerror=alert(1)>\n"
    lines = listing_lines(hostile)
    assert all(line.isprintable() for line in lines)
    assert len(lines) == len(listing_lines(listing))


def test_the_table_has_a_row_a_cluster_and_plain_numbers(listing):
    rows = table(listing_csv(listing))
    assert [row["number"] for row in rows] == ["1", "2"]
    assert float(rows[0]["pitch (Hz)"]) == listing["clusters"][0]["descriptors"]["pitch"]["median"]
    assert [row["% of boys"] for row in rows][1] == "100"
    assert rows[0]["middle file"].endswith(".wav")


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1+2", "@x", " =cmd()", "＝cmd()"])
def test_no_cell_is_a_formula(text):
    assert table(csv_text(["name"], [[text]]))[0]["name"] == f"'{text}"
    assert csv_text([text], []) == f"'{text}\n"


@pytest.mark.parametrize("text", ["a\r=cmd()", "\r=1", "a\n=1", "\t=1", "\u202e=1", "\x00=1"])
def test_no_cell_begins_another_row_or_hides_what_it_is(text):
    written = csv_text(["name"], [[text]])
    assert len(written.splitlines()) == 2
    assert written.replace("\n", "").isprintable()
    assert not table(written)[0]["name"].startswith("=")


def test_numbers_stay_numbers_and_what_is_missing_is_empty():
    text = csv_text(["a", "b", "c", "d"], [[-1.5, float("nan"), None, np.float64(-2.5)], [np.int64(3), "x,y", 'q"', 0]])
    assert text == 'a,b,c,d\n-1.5,,,-2.5\n3,"x,y","q""",0\n'


def test_recordings_that_are_gone_are_listed_without_their_sound(run, tmp_path):
    import copy

    moved = copy.copy(run)
    moved.files = tuple(replace(file, path=tmp_path / "gone.wav") for file in run.files)
    clusters = clusters_of(moved, choice=parse_choice("kmeans:2"))
    listing = listing_of(moved, clusters)
    assert listing["silent_files"] == 4
    assert listing["quality"] is None
    assert listing["clusters"][0]["descriptors"]["pitch"] == {"median": None, "low": None, "high": None}
    assert listing["clusters"][0]["medoid"]["file"] == "gone.wav"
    assert any("4 of 4 files have moved or changed" in line for line in listing_lines(listing))
    assert table(listing_csv(listing))[0]["pitch (Hz)"] == ""
    with pytest.raises(BadInput, match="no recording to export from; put the run's recordings back"):
        export_clusters(moved, clusters, tmp_path / "out")


# --- What is exported.


def test_segments_are_exported_sample_for_sample(run, found, tmp_path):
    facts = export_clusters(run, found, tmp_path / "out")
    rows = table((tmp_path / "out" / "index.csv").read_text(encoding="utf-8"))
    labels = found.grouping.clusters.labels
    assert len(rows) == facts["files"] == facts["segments"] == len(labels)
    assert len(facts["folders"]) == 2
    assert (facts["left_out"], facts["in_no_cluster"], facts["others"]) == (0, 0, 0)
    by_source = {}
    for row in rows:
        info = soundfile.info(tmp_path / "out" / row["file"])
        assert (info.samplerate, info.channels, info.subtype) == (RATE, 1, "PCM_16")
        assert int(row["cluster"]) == labels[int(row["first segment"]) - 1] + 1
        assert row["file"].startswith(f"0{row['cluster']}-")
        by_source.setdefault(row["source"], []).append(soundfile.read(tmp_path / "out" / row["file"])[0])
    # All segments of a recording one after another are the recording.
    for source, parts in by_source.items():
        np.testing.assert_array_equal(np.concatenate(parts), soundfile.read(source)[0])
    assert not list((tmp_path / "out").rglob(".tmp*"))


def test_joined_segments_are_whole_stretches(run, found, tmp_path):
    facts = export_clusters(run, found, tmp_path / "out", split="joined")
    rows = table((tmp_path / "out" / "index.csv").read_text(encoding="utf-8"))
    # The last recording is low, high, low: three stretches; the others are one each.
    assert [row["source"].rsplit(" ", 1)[1] for row in rows] == ["0.wav", "1.wav", "0.wav", "1.wav", "1.wav", "1.wav"]
    assert facts["segments"] == len(found.grouping.clusters.labels)
    assert [float(row["start (s)"]) for row in rows[3:]] == pytest.approx([0, PART_S, 2 * PART_S], abs=1.1)
    whole = read_wave(rows[0]["source"]).samples
    np.testing.assert_array_equal(read_wave(tmp_path / "out" / rows[0]["file"]).samples, whole)


@pytest.mark.parametrize(
    ("ending", "subtype", "bits"),
    [("flac", "PCM_24", "PCM_24"), ("ogg", "VORBIS", "PCM_24"), ("wav", "FLOAT", "FLOAT"), ("wav", "PCM_U8", "PCM_16")],
)
def test_rate_channels_and_bits_are_the_sources(run, found, tmp_path, rng, ending, subtype, bits):
    source = tmp_path / f"source.{ending}"
    with soundfile.SoundFile(source, "w", 44100, 2, subtype=subtype) as sound:
        sound.title, sound.artist = "=cmd()", "x" * 300
        sound.write(0.1 * rng.standard_normal((44100 * 4, 2)))
    segments = replace(
        found.grouping.segments, file=np.zeros(2, int), start_s=np.array([0.0, 2.0]), duration_s=np.array([2.0, 2.5]),
        latents=np.zeros((2, 2)), n_steps=np.ones(2, int),
    )  # fmt: skip
    clusters = replace(found.grouping.clusters, labels=np.array([0, 1]))
    grouping = replace(found.grouping, segments=segments, clusters=clusters, paths=[source, None, None, None])
    export_clusters(run, replace(found, grouping=grouping), tmp_path / "out")
    rows = table((tmp_path / "out" / "index.csv").read_text(encoding="utf-8"))
    infos = [soundfile.info(tmp_path / "out" / row["file"]) for row in rows]
    assert [(info.samplerate, info.channels, info.subtype) for info in infos] == [(44100, 2, bits)] * 2
    # The second reaches beyond the end: it has what is there.
    assert [info.frames for info in infos] == [88200, 88200]
    if ending != "wav" or subtype == "FLOAT":
        assert rows[0]["title"] in ("'=cmd()", "")
        assert len(rows[0]["artist"]) <= 120


def test_what_is_too_loud_is_made_softer_and_the_table_says_so(run, found, tmp_path, rng):
    source = tmp_path / "loud.wav"
    soundfile.write(source, 2.0 * np.sign(rng.standard_normal(4 * RATE)), RATE, subtype="FLOAT")
    segments = replace(found.grouping.segments, file=np.zeros(1, int), start_s=np.zeros(1), duration_s=np.ones(1))
    clusters = replace(found.grouping.clusters, labels=np.array([0]))
    grouping = replace(found.grouping, segments=segments, clusters=clusters, paths=[source, None, None, None])
    export_clusters(run, replace(found, grouping=grouping), tmp_path / "out")
    row = table((tmp_path / "out" / "index.csv").read_text(encoding="utf-8"))[0]
    assert float(row["gain (dB)"]) == pytest.approx(-6.03, abs=0.01)


def test_nothing_is_replaced_without_force_and_nothing_is_written_before_that_is_known(run, found, tmp_path):
    out = tmp_path / "out"
    export_clusters(run, found, out, split="joined")
    first = sorted(out.rglob("*.wav"))[-1]
    others = [path for path in out.rglob("*.wav") if path != first]
    for path in others:
        path.unlink()
    with pytest.raises(BadInput, match=r"exists already \(2 such files\); choose another folder or add --force"):
        export_clusters(run, found, out, split="joined")
    assert list(out.rglob("*.wav")) == [first]
    (first.parent / "mine.txt").write_text("notes")
    facts = export_clusters(run, found, out, split="joined", force=True)
    assert facts["others"] == 1
    assert (first.parent / "mine.txt").read_text() == "notes"


def test_a_recording_is_never_written_over(run, found, tmp_path):
    out = tmp_path / "out"
    export_clusters(run, found, out, split="joined")
    target = sorted(out.rglob("*.wav"))[0]
    target.unlink()
    os.symlink(run.files[0].path, target)
    before = run.files[0].path.read_bytes()
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        export_clusters(run, found, out, split="joined", force=True)
    assert run.files[0].path.read_bytes() == before


def test_folders_where_it_would_do_harm_are_refused(run, found, tmp_path):
    with pytest.raises(BadInput, match="lies in the run; choose a folder outside"):
        export_clusters(run, found, run.path / "sounds")
    with pytest.raises(BadInput, match=r"lies among the recordings of .*boys; choose a folder outside"):
        export_clusters(run, found, Path(run.folders[1]) / "deep" / "er")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="is a file; give a folder to --export"):
        export_clusters(run, found, tmp_path / "file")
    with pytest.raises(BadInput, match="--split must be one of segments, joined, got 'each'"):
        export_clusters(run, found, tmp_path / "out", split="each")


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(run, found, tmp_path, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(exporting.shutil, "disk_usage", lambda path: SimpleNamespace(free=100_000))
    with pytest.raises(StylemixError, match=r"the export takes \d MB, and 0 MB are free; free some space"):
        export_clusters(run, found, tmp_path / "out" / "deep")
    assert not (tmp_path / "out").exists()


def test_what_is_in_no_cluster_is_counted_and_left_out(run, found, tmp_path):
    labels = found.grouping.clusters.labels.copy()
    labels[:3] = -1
    grouping = replace(found.grouping, clusters=replace(found.grouping.clusters, labels=labels))
    without = replace(found, grouping=grouping)
    facts = export_clusters(run, without, tmp_path / "out")
    assert (facts["in_no_cluster"], facts["files"]) == (3, len(labels) - 3)
    listing = listing_of(run, without)
    assert listing["in_no_cluster"]["segments"] == 3
    assert any(line.startswith("in no cluster: 3 segments, 0:0") for line in listing_lines(listing))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("low, dark; mostly cage (92 %)", "low-dark-mostly-cage-92"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "untitled"),
        ("\u202egnp.exe\n", "gnp.exe"),
        ("-rf *", "rf"),
        ("Ćosić: 東京", "Ćosić-東京"),
        ("a\udcffb", "a-b"),
        ("x" * 300, "x" * 20),
        ("x" * 19 + " " + "y" * 100, "x" * 19),
        ("é" * 300, "é" * 10),
    ],
)
def test_names_of_files_are_safe(text, safe):
    assert safe_name(text, 20 if len(text) > 100 else 60) == safe


# --- The command.


@pytest.fixture
def loaded(run, monkeypatch):
    import stylemix.model.run

    monkeypatch.setattr(stylemix.model.run, "load_run", lambda path: run)


def test_the_command_answers_in_lines_json_and_csv(loaded, capsys, tmp_path):
    same = ["clusters", "fake.mix", "--clusters", "kmeans:2", "--space", "latents", "--quiet"]
    assert run_command(same) == 0
    lines = capsys.readouterr().out
    assert lines.startswith("2 clusters of ")
    assert run_command([*same, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [one["number"] for one in data["clusters"]] == [1, 2]
    assert run_command([*same, "--csv", "-"]) == 0
    on_stdout = capsys.readouterr().out
    assert len(table(on_stdout)) == 2
    assert run_command([*same, "--csv", str(tmp_path / "c.csv"), "--json"]) == 0
    assert (tmp_path / "c.csv").read_text(encoding="utf-8") == on_stdout
    assert json.loads(capsys.readouterr().out)["csv"] == str(tmp_path / "c.csv")


def test_the_command_exports_and_says_where(loaded, capsys, tmp_path):
    out = tmp_path / "sounds"
    same = ["clusters", "fake.mix", "--clusters", "kmeans:2", "--space", "latents", "--quiet", "--export", str(out)]
    assert run_command([*same, "--split", "joined"]) == 0
    assert f"{out}: 6 files in 2 folders, 0.8 minutes" in capsys.readouterr().out
    assert run_command([*same, "--split", "joined"]) == 1
    assert "exists already (7 such files); choose another folder or add --force" in capsys.readouterr().err
    assert run_command([*same, "--split", "joined", "--force"]) == 0


def test_the_command_compares_what_is_asked_for(loaded, capsys, monkeypatch):
    asked = []

    def compare(run, *, spaces, choices, seed, update):
        asked.append((spaces, [str(choice) for choice in choices], seed))
        rows = [{"space": "latents", "method": "kmeans:2", "k": 2}]
        facts = {"segments": 9, "files": 4, "corpora": ["cage", "boys"], "seed": seed, "resampled": "segments"}
        return {**facts, "clusters": rows, "maps": []}

    monkeypatch.setattr(reporting, "compare_map", compare)
    same = ["clusters", "fake.mix", "--clusters", "kmeans:2", "--space", "latents", "--quiet", "--compare"]
    assert run_command(same) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["latents", "kmeans:2", "2"] in [line.split()[:3] for line in lines]
    assert run_command([*same, "--seed", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["comparison"]["clusters"][0]["method"] == "kmeans:2"
    assert asked == [(["latents"], ["kmeans:2"], 0), (["latents"], ["kmeans:2"], 3)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--clusters", "dbscan"], "METHOD or METHOD:K"),
        (["--export", "FILE"], "is a file; give a folder to --export"),
        (["--csv", "FILE"], "exists already; choose another name or add --force"),
        (["--clusters", "kmeans:999"], "999"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_before_the_work(loaded, capsys, tmp_path, wrong, told, monkeypatch):
    (tmp_path / "FILE").write_text("there")
    monkeypatch.chdir(tmp_path)
    if "kmeans:999" not in wrong:
        monkeypatch.setattr(reporting, "clusters_of", lambda *_, **__: pytest.fail("the work was begun"))
    assert run_command(["clusters", "fake.mix", "--space", "latents", "--quiet", *wrong]) == 1
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert (tmp_path / "FILE").read_text() == "there"


def test_json_and_a_table_cannot_share_stdout(capsys):
    assert run_command(["clusters", "fake.mix", "--json", "--csv", "-"]) == 2
    assert "stdout holds one answer" in capsys.readouterr().err


def test_a_table_is_never_written_over_a_recording(run, loaded):
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        report_clusters(run, csv=run.files[0].path, force=True, show_progress=False)
