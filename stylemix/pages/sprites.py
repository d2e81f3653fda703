"""Sound inside a page: compressed, and many short clips packed into few strips under a size limit."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput

Clip = Callable[[int], tuple[np.ndarray, int]]
"""Gives the samples (C, T) of a clip and their sample rate."""

MAP_RATE_HZ = 24000
STRIP_S = 60.0
"""Longest strip: a browser decodes a minute in a blink and holds it in 12 MB."""
SHORTEST_CLIP_S = 0.75
"""Below this a clip no longer tells a style; points go silent instead."""
_MP3_RATES_HZ = (16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class Compressed:
    """Sound as the bytes of a compressed file.

    Parameters
    ----------
    data : bytes
        The file.
    mime : str
        Its type, for a browser.
    lead_s : float
        Silence that the codec puts before the sound when decoded (seconds).
    """

    data: bytes
    mime: str
    lead_s: float


@dataclass(frozen=True)
class Strips:
    """Clips packed end to end into strips of sound.

    Parameters
    ----------
    strips : tuple of Compressed
        Each at most a minute, all from one file.
    strip : np.ndarray, shape (N,), int
        Which strip holds each clip, -1 where a clip was left out.
    offset_s : np.ndarray, shape (N,)
        Where in the decoded strip it starts (seconds).
    clip_s : np.ndarray, shape (N,)
        How long it plays (seconds).
    """

    strips: tuple[Compressed, ...]
    strip: np.ndarray
    offset_s: np.ndarray
    clip_s: np.ndarray

    @property
    def n_bytes(self) -> int:
        """Size of all strips in the page, as base64."""
        return sum(base64_size(len(strip.data)) for strip in self.strips)


def base64_size(n_bytes: int) -> int:
    """Return how many characters base64 needs for so many bytes.

    Parameters
    ----------
    n_bytes : int
        Size of the binary data.

    Returns
    -------
    int
        Characters.

    Examples
    --------
    >>> base64_size(4)
    8
    """
    return 4 * ((n_bytes + 2) // 3)


def resample(samples: np.ndarray, rate_hz: int, new_rate_hz: int) -> np.ndarray:
    """Change the sample rate of a whole clip.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T)
        Sound.
    rate_hz, new_rate_hz : int
        Sample rates, now and wanted.

    Returns
    -------
    np.ndarray, shape (C, T'), float32
        The same sound.

    Examples
    --------
    >>> resample(np.zeros((1, 480)), 48000, 24000).shape
    (1, 240)
    """
    import soxr

    data = np.ascontiguousarray(samples.T, dtype=np.float32)
    return data.T if rate_hz == new_rate_hz else soxr.resample(data, rate_hz, new_rate_hz).T


def compress(samples: np.ndarray, sample_rate: int, *, level: float) -> Compressed:
    """Compress sound to MP3, which every browser plays, or to Ogg Vorbis where MP3 cannot be written.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T)
        More than two channels are mixed to one; louder than full scale is scaled down.
    sample_rate : int
        Of the samples (Hz).
    level : float
        0 (largest file) to below 1 (smallest); 0.8 at 24 kHz is 40 kbit/s, 0.6 at 44.1 kHz is 128 kbit/s.

    Returns
    -------
    Compressed
        The file and how much silence the codec adds in front.

    Raises
    ------
    BadInput
        If there is no sample, or one is NaN or infinite.

    Examples
    --------
    >>> compress(np.zeros((1, 4800)), 24000, level=0.5).mime in ("audio/mpeg", "audio/ogg")
    True
    """
    import soundfile

    sound = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    if sound.shape[1] == 0 or not np.isfinite(sound).all():
        raise BadInput(f"clip: must hold at least one sample and no NaN or infinity, got shape {sound.shape}")
    sound = sound.mean(axis=0, keepdims=True) if len(sound) > 2 else sound
    sound = sound / max(1.0, float(np.abs(sound).max()))
    rate = next((r for r in _MP3_RATES_HZ if r >= sample_rate), _MP3_RATES_HZ[-1])
    sound = resample(sound, sample_rate, rate)
    mp3 = "MP3" in soundfile.available_formats()
    kind = {"format": "MP3", "bitrate_mode": "CONSTANT"} if mp3 else {"format": "OGG", "subtype": "VORBIS"}
    memory = io.BytesIO()
    with soundfile.SoundFile(memory, "w", rate, len(sound), compression_level=level, **kind) as file:
        for start in range(0, sound.shape[1], rate):
            file.write(sound[:, start : start + rate].T)
    # Small MP3 frames have no room for the tag that says how much the encoder delayed the sound: 576 samples
    # of LAME's and 529 of the decoder's filter bank. The length read back tells whether the tag is there.
    memory.seek(0)
    untold = mp3 and soundfile.info(memory).frames > sound.shape[1]
    return Compressed(memory.getvalue(), "audio/mpeg" if mp3 else "audio/ogg", 1105 / rate if untold else 0.0)


def plan_clips(duration_s: np.ndarray, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Share a number of seconds among clips: shorten the long ones first, then leave some out.

    Parameters
    ----------
    duration_s : np.ndarray, shape (N,)
        Full lengths.
    seconds : float
        What may be kept in all.

    Returns
    -------
    kept : np.ndarray, shape (M,), int
        Which clips stay, spread evenly.
    clip_s : np.ndarray, shape (M,)
        Their lengths (seconds).

    Examples
    --------
    >>> kept, clip_s = plan_clips(np.full(10, 2.0), 15.0)
    >>> len(kept), clip_s.sum().round(3).item()
    (10, 15.0)
    """
    order = np.sort(duration_s)
    # With the longest allowed length at order[i] the total is everything shorter plus (N - i) times it.
    n_left = np.arange(len(order), 0, -1)
    shorter = np.concatenate([[0.0], np.cumsum(order)[:-1]])
    limits = (seconds - shorter) / n_left
    fits = np.nonzero(limits <= order)[0]
    longest = float(limits[fits[0]]) if len(fits) else float(order[-1])
    if longest >= min(SHORTEST_CLIP_S, float(order[-1])):
        return np.arange(len(order)), np.minimum(duration_s, longest)
    n_kept = int(np.clip(seconds / SHORTEST_CLIP_S, 0, len(order)))
    kept = np.unique(np.linspace(0, len(order) - 1, n_kept).round().astype(int))
    return kept, np.minimum(duration_s[kept], SHORTEST_CLIP_S)


def _strips_of(kept: np.ndarray, clip_s: np.ndarray, groups: Sequence[object]) -> list[list[int]]:
    strips: list[list[int]] = []
    filled, owner = 0.0, None
    for position in sorted(range(len(kept)), key=lambda p: (str(groups[int(kept[p])]), int(kept[p]))):
        group = groups[int(kept[position])]
        if not strips or group != owner or filled + clip_s[position] > STRIP_S:
            strips.append([])
            filled, owner = 0.0, group
        strips[-1].append(position)
        filled += clip_s[position]
    return strips


def _mono_clip(clip: Clip, index: int, clip_s: float) -> np.ndarray:
    samples, rate = clip(index)
    mono = np.atleast_2d(np.asarray(samples, dtype=np.float32)).mean(axis=0, keepdims=True)
    wanted = max(1, round(clip_s * MAP_RATE_HZ))
    sound = resample(mono[:, : int(np.ceil(clip_s * rate))], rate, MAP_RATE_HZ)[:, :wanted]
    return np.pad(sound, ((0, 0), (0, wanted - sound.shape[1])))


def pack_clips(clip: Clip, groups: Sequence[object], duration_s: np.ndarray, *, max_bytes: int) -> Strips:
    """Compress clips into strips that together stay under a size limit.

    One strip holds the clips of one file end to end: neighbours in time are neighbours in the strip, a codec
    starts once a strip instead of once a clip, and a page needs tens of strips instead of thousands.

    Parameters
    ----------
    clip : callable
        ``clip(i)`` returns samples, shape (C, T), and their sample rate.
    groups : sequence, N entries
        Which file each clip belongs to.
    duration_s : np.ndarray, shape (N,)
        Lengths of the clips (seconds).
    max_bytes : int
        Limit for all strips as base64.

    Returns
    -------
    Strips
        The strips and where each clip is in them.

    Raises
    ------
    BadInput
        If a clip holds NaN or infinity.

    Examples
    --------
    >>> packed = pack_clips(lambda i: (np.zeros((1, 8000)), 8000), "aab", np.ones(3), max_bytes=10**6)
    >>> len(packed.strips), packed.strip.tolist(), packed.clip_s.tolist()
    (2, [0, 0, 1], [1.0, 1.0, 1.0])
    """
    n_clips = len(duration_s)
    # 40 kbit/s is 5000 bytes a second; a headroom of 4 % pays for the frames at both ends of a strip.
    per_second = 5000 * 4 / 3 * 1.04
    while True:
        kept, clip_s = plan_clips(np.asarray(duration_s, dtype=float), max_bytes / per_second)
        strips, strip = [], np.full(n_clips, -1)
        offset_s, played_s = np.zeros(n_clips), np.zeros(n_clips)
        for members in _strips_of(kept, clip_s, groups):
            pieces = [_mono_clip(clip, int(kept[p]), float(clip_s[p])) for p in members]
            strips.append(compress(np.concatenate(pieces, axis=1), MAP_RATE_HZ, level=0.8))
            ends = np.cumsum([piece.shape[1] for piece in pieces]) / MAP_RATE_HZ
            index = kept[members]
            strip[index], played_s[index] = len(strips) - 1, clip_s[members]
            offset_s[index] = strips[-1].lead_s + np.concatenate([[0.0], ends[:-1]])
        packed = Strips(tuple(strips), strip, offset_s, played_s)
        if packed.n_bytes <= max_bytes or not strips:
            return packed
        # Many strips of a second cost more than the nominal rate: plan again with what was seen.
        per_second *= 1.02 * packed.n_bytes / max_bytes
