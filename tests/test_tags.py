"""Tags: read from what libsndfile understands, kept on one line, and never trusted."""

import numpy as np
import pytest
import soundfile

from stylemix.audio.tags import MOST_CHARACTERS, Tags, read_tags


def tagged(path, **tags):
    with soundfile.SoundFile(path, "w", 22050, 1) as sound:
        for name, text in tags.items():
            setattr(sound, name, text)
        sound.write(np.zeros(2205))
    return path


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "aiff"])
def test_title_artist_and_album_are_read(tmp_path, ending):
    path = tagged(tmp_path / f"a.{ending}", title="Sonata for bolts", artist="Ana Ćosić", comment="not this")
    assert read_tags(path) == Tags("Sonata for bolts", "Ana Ćosić", "")


def test_an_album_is_told_behind(tmp_path):
    path = tagged(tmp_path / "a.flac", title="Wax", artist="Chrome", album="Sides")
    assert str(read_tags(path)) == "Chrome: Wax (Sides)"
    assert str(Tags(title="Wax")) == "Wax"
    assert str(Tags(album="Sides")) == "Sides"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all"])
def test_a_file_without_tags_or_sound_has_none(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert read_tags(path) == Tags()
    assert read_tags(tagged(tmp_path / "b.wav")) == Tags()
    assert read_tags(tmp_path) == Tags()


def test_hostile_tags_stay_text_on_one_short_line(tmp_path):
    hostile = "<img src=x onerror=alert(1)>\n\u202egnp.exe\x1b[31m"
    path = tagged(tmp_path / "a.flac", title=hostile, artist="x" * 100_000)
    tags = read_tags(path)
    assert tags.title == "<img src=x onerror=alert(1)> \\u202egnp.exe\\x1b[31m"
    assert len(tags.artist) == MOST_CHARACTERS
    assert tags.artist.endswith("…")
    assert str(tags).isprintable()
