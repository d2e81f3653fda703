"""Long sound: streams that equal the whole, in bounded memory and back, and blocks that add up to one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.audio import read_wave
from stylemix.errors import BadInput
from stylemix.transforms import (
    VQT,
    Coefficients,
    Fourier,
    Stream,
    TimeScattering,
    Transform,
    block_plan,
    crossfade,
)
from tests.banks import error_db

# Seconds of sound or of training in each: the fast tests of every change need not wait for them.
pytestmark = pytest.mark.slow

RATE = 8000
TRANSFORMS: dict[str, Transform] = {
    "variable-Q": VQT(RATE, bins_per_octave=24, gamma_hz=30.0),
    "constant-Q": VQT(RATE, bins_per_octave=6, gamma_hz=0.0, fmin_hz=65.4),
    "ERB": VQT(RATE, bins_per_octave=6, gamma_hz="erb"),
    "sparse": VQT(RATE, bins_per_octave=24, gamma_hz=30.0, overlap=1),
    "sparse constant-Q": VQT(RATE, bins_per_octave=6, gamma_hz=0.0, fmin_hz=65.4, overlap=1),
    "dense": VQT(RATE, bins_per_octave=12, gamma_hz=30.0, overlap=3),
    "dense constant-Q": VQT(RATE, bins_per_octave=12, gamma_hz=0.0, fmin_hz=100.0, overlap=3),
    "Fourier": Fourier(RATE, n_fft=512, hop_length=128),
    "scattering": TimeScattering(RATE, J=8, Q=4),
    "scattering in silence": TimeScattering(RATE, J=8, Q=4, pad="zero"),
    "moduli": TimeScattering(RATE, J=8, Q=4, T=0),
}
INVERTIBLE = [name for name, transform in TRANSFORMS.items() if hasattr(transform, "inverse")]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def flat(c: Coefficients) -> torch.Tensor:
    return torch.cat([g.flatten() for g in c.groups])


def joined(stream: Stream, x: torch.Tensor, size: int = 4099) -> Coefficients:
    return stream.join(stream.forward(x.split(size, dim=-1)))


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("seconds", [0.5, 7.9001, 16.0])
def test_a_stream_is_the_transform_of_the_whole(name: str, seconds: float) -> None:
    transform = TRANSFORMS[name]
    x = random(2, round(seconds * RATE))
    # Steady tones at the centre of a low band, and at zero: what a guard cuts off worst.
    low = transform.meta()["frequency_hz"].reshape(-1)[3] if name in INVERTIBLE else 440.0
    x[1] = torch.cos(2 * np.pi * low / RATE * torch.arange(x.shape[-1])) + 0.5
    whole = transform.forward(x)
    stream = Stream(transform, block_s=0.3)
    found = joined(stream, x)
    assert (found.hops, found.n_samples) == (whole.hops, whole.n_samples)
    assert [g.shape for g in found.groups] == [g.shape for g in whole.groups]
    assert seconds < 5 or len(list(stream.forward([x]))) > 1
    for row in (0, 1):
        ours, theirs = (torch.cat([g[row].flatten() for g in c.groups]) for c in (found, whole))
        assert error_db(ours, theirs) < (-250 if name == "Fourier" else -90)
        assert (ours - theirs).abs().max() < 10 ** (-90 / 20) * theirs.abs().max()


@pytest.mark.parametrize("name", INVERTIBLE)
@pytest.mark.parametrize("seconds", [0.001, 1.0, 11.0])
def test_a_stream_comes_back(name: str, seconds: float) -> None:
    stream = Stream(TRANSFORMS[name], block_s=0.3)
    x = random(2, round(seconds * RATE))
    # Loud from the first sample to the last: what rings outside must not be lost.
    x[1] = torch.cos(2 * np.pi * 440 / RATE * torch.arange(x.shape[-1]))
    pieces = list(stream.inverse(stream.forward(x.split(777, dim=-1))))
    back = torch.cat(pieces, dim=-1)
    assert back.shape == x.shape
    assert seconds < 5 or len(pieces) > 1
    assert error_db(back[0], x[0]) < -110
    assert error_db(back[1], x[1]) < -110
    single = torch.cat(list(stream.inverse(stream.forward(x.float().split(777, dim=-1)))), dim=-1)
    assert single.dtype == torch.float32
    assert error_db(single, x.float()) < -100


@pytest.mark.parametrize("name", INVERTIBLE)
def test_joined_blocks_are_coefficients_like_any(name: str) -> None:
    transform = TRANSFORMS[name]
    x = random(70001)
    back = transform.inverse(joined(Stream(transform, block_s=0.3), x))  # type: ignore[attr-defined]
    assert error_db(back, x) < -110


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 9000), min_size=1, max_size=12), name=st.sampled_from(["Fourier", "ERB"]))
def test_the_size_of_the_chunks_does_not_matter(sizes: list[int], name: str) -> None:
    n = max(1, sum(sizes))
    x = random(n)
    stream = Stream(TRANSFORMS[name], block_s=0.1)
    blocks = list(stream.forward(x.split([*sizes[:-1], n - sum(sizes[:-1])])))
    at_once = list(stream.forward([x]))
    assert [b.n_samples for b in blocks] == [b.n_samples for b in at_once]
    for a, b in zip(blocks, at_once, strict=True):
        torch.testing.assert_close(flat(a), flat(b))
    # The blocks may be put together anew on the way back.
    torch.testing.assert_close(
        torch.cat(list(stream.inverse(blocks))), torch.cat(list(stream.inverse(iter([stitched(blocks)])))),
        rtol=0, atol=1e-4,
    )


def stitched(blocks: list[Coefficients]) -> Coefficients:
    groups = tuple(torch.cat(rows, dim=-1) for rows in zip(*(b.groups for b in blocks), strict=True))
    return Coefficients(groups, blocks[0].hops, sum(b.n_samples for b in blocks))


@pytest.mark.parametrize("overlap", [1, 2, 3])
@pytest.mark.parametrize(("place", "power"), [(4.0, 1.5), (4.37, 2.5)])
def test_the_longer_the_guard_the_smaller_the_error(place: float, power: float, overlap: int) -> None:
    transform = VQT(RATE, bins_per_octave=24, gamma_hz=30.0, overlap=overlap)
    frequency = float(transform.bank.unwarp(torch.tensor(place, dtype=torch.float64)))
    x = torch.cos(2 * np.pi * frequency / RATE * torch.arange(20 * RATE, dtype=torch.float64))
    # Faded: what rings around the ends of the whole, whose lattice is round, is not the question.
    x = x * torch.hann_window(len(x), dtype=torch.float64)
    whole = transform.forward(x)
    errors = [
        error_db(flat(joined(Stream(transform, block_s=4.0, guard=k * transform.margin), x)), flat(whole))
        for k in (1, 9)
    ]
    # A tail of 1 / t^3, of a steady tone that is cut off. At the end of some window it adds up to 1 / t^2, elsewhere
    # it turns, and leaves 1 / t^3; the energy of all that lies beyond the guard falls by one power less.
    assert errors[0] - errors[1] == pytest.approx(20 * power * np.log10(9), abs=3.5)


@pytest.mark.parametrize("name", ["ERB", "Fourier", "scattering"])
def test_memory_and_delay_are_a_block(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    transform = TRANSFORMS[name]
    stream = Stream(transform, block_s=0.5)
    lengths: list[int] = []
    whole = type(transform).forward

    def watched(self: Transform, x: torch.Tensor) -> Coefficients:
        lengths.append(x.shape[-1])
        return whole(self, x)

    monkeypatch.setattr(type(transform), "forward", watched)
    arrived = 0

    def endless() -> Iterator[torch.Tensor]:
        nonlocal arrived
        while True:
            arrived += 1000
            yield torch.ones(1000)

    done = 0
    for k, block in enumerate(stream.forward(endless())):
        done += block.n_samples
        # A block comes as soon as the guard behind it has arrived.
        assert arrived - (done - stream.lead) < stream.guard + 1000
        if k == 6:
            break
    assert max(lengths) == stream.block + 2 * stream.guard


def test_the_way_back_is_a_block_behind() -> None:
    stream = Stream(TRANSFORMS["ERB"], block_s=0.5)
    taken, given_back = 0, 0

    def counted() -> Iterator[Coefficients]:
        nonlocal taken
        for block in stream.forward(torch.ones(1000) for _ in range(200)):
            taken += block.n_samples
            yield block

    for sound in stream.inverse(counted()):
        given_back += sound.shape[-1]
        assert taken - given_back <= 2 * stream.block + stream.guard + stream.lead
    assert given_back == 200_000


@pytest.mark.slow
def test_music_streams_there_and_back(real_music: Path) -> None:
    x = torch.from_numpy(read_wave(sorted(real_music.rglob("*.mp3"))[0], sample_rate=22050).samples)[..., : 90 * 22050]
    vqt = VQT(22050)
    stream = Stream(vqt, block_s=6.0)
    blocks = list(stream.forward(x.split(4096, dim=-1)))
    assert len(blocks) > 2
    assert error_db(flat(stream.join(blocks)), flat(vqt.forward(x))) < -100
    assert error_db(torch.cat(list(stream.inverse(blocks)), dim=-1), x) < -115


def test_what_cannot_be_streamed_is_refused() -> None:
    fourier = Fourier(RATE)
    with pytest.raises(BadInput, match="block_s must be above 0 seconds, got 0"):
        Stream(fourier, block_s=0)
    with pytest.raises(BadInput, match="guard must be at least 0 samples, got -1"):
        Stream(fourier, guard=-1)
    with pytest.raises(BadInput, match="the chunks hold no sound"):
        list(Stream(fourier).forward([torch.zeros(0)]))
    with pytest.raises(BadInput, match="Stream: x holds NaN or Inf"):
        list(Stream(fourier).forward([torch.zeros(5), torch.tensor([torch.nan])]))
    with pytest.raises(BadInput, match=r"like the first, \(torch.Size\(\[2\]\), torch.float32"):
        list(Stream(fourier).forward([torch.zeros(2, 5), torch.zeros(5)]))
    with pytest.raises(BadInput, match="TimeScattering has no inverse; take a VQT or Fourier"):
        list(Stream(TRANSFORMS["scattering"]).inverse([]))
    with pytest.raises(BadInput, match="no blocks to make sound of"):
        list(Stream(fourier).inverse([]))
    with pytest.raises(BadInput, match="no blocks to join"):
        Stream(fourier).join([])
    with pytest.raises(BadInput, match=r"hops \(4000,\) depend on the length of the sound"):
        list(Stream(TimeScattering(RATE, J=8, T="global")).forward([torch.ones(4000)]))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 500),
    block=st.integers(1, 90),
    fade=st.integers(0, 40),
    margin=st.integers(0, 30),
    align=st.integers(1, 16),
)
def test_the_blocks_of_a_plan_add_up_to_one(n: int, block: int, fade: int, margin: int, align: int) -> None:
    fade = min(fade, block)
    plan = block_plan(n, block=block, fade=fade, margin=margin, align=align)
    total = np.zeros(n)
    for b in plan:
        total[b.start : b.stop] += crossfade(b)
        assert b.read_start % align == 0
        assert b.read_start <= b.start - margin
        assert b.read_stop >= b.stop + margin
    np.testing.assert_allclose(total, 1)
    assert len({b.read_stop - b.read_start for b in plan}) == 1
