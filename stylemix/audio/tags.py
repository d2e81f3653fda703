"""What a sound file says of itself: title, artist and album, as text that nobody has vouched for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylemix.audio.decode import mpg123_muted, open_sound, shown_name
from stylemix.errors import BadInput

# Longer is no title: a tag can hold a whole book.
MOST_CHARACTERS = 120


@dataclass(frozen=True)
class Tags:
    """Title, artist and album; empty where the file does not say.

    Parameters
    ----------
    title, artist, album : str
        On one line, everything unprintable escaped (also the marks that turn the direction of writing), of at most
        120 characters. Still untrusted: a page has to escape them, a spreadsheet to quote them.
    """

    title: str = ""
    artist: str = ""
    album: str = ""

    def __str__(self) -> str:
        """Put them on one line, for people and for a search."""
        named = ": ".join(part for part in (self.artist, self.title) if part)
        return f"{named} ({self.album})" if named and self.album else named or self.album


def read_tags(path: str | Path) -> Tags:
    """Read the tags of a sound file.

    Parameters
    ----------
    path : str or Path
        Any file that libsndfile can open: ID3, Vorbis comments and RIFF INFO are understood.

    Returns
    -------
    Tags
        Empty for a file that has none or cannot be read: what has no name plays all the same.

    Examples
    --------
    >>> str(read_tags("no-such-file.wav")), str(Tags("Wax", "Chrome", "Sides"))
    ('', 'Chrome: Wax (Sides)')
    """
    try:
        with open_sound(path) as sound, mpg123_muted(sound.format == "MP3"):
            found = sound.copy_metadata()
    except (BadInput, RuntimeError):
        return Tags()
    return Tags(*(_tidy(found.get(key, "")) for key in ("title", "artist", "album")))


def _tidy(text: str) -> str:
    # Cut before escaping too: a tag of many megabytes is not worth a second copy.
    line = shown_name(" ".join(text[: 8 * MOST_CHARACTERS].split()))
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"
