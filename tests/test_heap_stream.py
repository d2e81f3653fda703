"""Heap integration in real time: blocks go on from one another, and come near what the whole would give."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch

from stylemix.errors import BadInput
from stylemix.phase.heap import heap_phase
from stylemix.phase.heap_stream import HeapStream
from stylemix.transforms import VQT, Coefficients, Fourier
from stylemix.transforms.stream import Stream

RATE = 8000
BANKS = {"vqt": VQT(RATE, bins_per_octave=24), "fourier": Fourier(RATE, n_fft=512, hop_length=128)}


def melody(seconds: float) -> torch.Tensor:
    """Decaying notes with three partials each, and a click at every onset."""
    t = torch.arange(int(seconds * RATE), dtype=torch.float64) / RATE
    x = torch.zeros_like(t)
    for i in range(int(seconds * 4)):
        since = t - 0.25 * i
        on = (since >= 0) * torch.exp(-6 * since.clamp_min(0))
        hz = 220 * 2 ** ((7 * i % 12) / 12)
        x += on * sum(torch.sin(2 * math.pi * n * hz * since) / n for n in (1, 2, 3))
    return x.float()


def in_blocks(c: Coefficients, frames: int) -> Iterator[tuple[torch.Tensor, ...]]:
    ratios = [max(c.hops) // hop for hop in c.hops]
    for start in range(0, -(-c.groups[0].shape[-1] // ratios[0]), frames):
        yield tuple(m[..., start * r : (start + frames) * r] for m, r in zip(c.magnitudes(), ratios, strict=True))


def joined(blocks: Iterator[tuple[torch.Tensor, ...]]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.cat(groups, dim=-1) for groups in zip(*blocks, strict=True))


def convergence_db(c: Coefficients, phase: tuple[torch.Tensor, ...], transform: VQT | Fourier) -> float:
    groups = tuple(torch.polar(m, p) for m, p in zip(c.magnitudes(), phase, strict=True))
    found = transform.forward(transform.inverse(Coefficients(groups, c.hops, c.n_samples))).magnitudes()
    error = sum(float((f - m).square().sum()) for f, m in zip(found, c.magnitudes(), strict=True))
    return 10 * math.log10(max(error, 1e-30) / sum(float(m.square().sum()) for m in c.magnitudes()))


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize(("frames", "look_ahead"), [(40, 4), (8, 4), (3, 1)])
def test_blocks_are_as_good_as_the_whole(bank: str, frames: int, look_ahead: int) -> None:
    transform = BANKS[bank]
    c = transform.forward(melody(3))
    phase = joined(HeapStream(transform, look_ahead=look_ahead).forward(in_blocks(c, frames)))
    assert [p.shape for p in phase] == [g.shape for g in c.groups]
    whole = convergence_db(c, heap_phase(c.magnitudes(), transform), transform)
    assert convergence_db(c, phase, transform) < whole + 2.5


@pytest.mark.parametrize("bank", BANKS)
def test_a_tone_goes_on_across_the_blocks(bank: str) -> None:
    transform = BANKS[bank]
    tone = torch.cos(2 * math.pi * 700 / RATE * torch.arange(3 * RATE, dtype=torch.float64))
    c = transform.forward(tone)
    phase = joined(HeapStream(transform).forward(in_blocks(c, 5)))
    g = max(range(len(c.groups)), key=lambda g: float(c.groups[g][..., 60:120].abs().max()))
    row = int(c.groups[g].abs().amax(-1).argmax())
    inner = slice(RATE // c.hops[g], 2 * RATE // c.hops[g])
    drift = torch.polar(torch.ones_like(phase[g]), phase[g] - c.groups[g].angle())[row, inner]
    # Without the block before, every block would start with a phase of its own.
    assert torch.angle(drift * drift[0].conj()).abs().max() < 0.05


def test_a_block_comes_out_when_its_look_ahead_is_there_and_nothing_grows() -> None:
    transform = BANKS["fourier"]
    taken = 0

    def endless() -> Iterator[tuple[torch.Tensor, ...]]:
        nonlocal taken
        generator = torch.Generator().manual_seed(0)
        while True:
            taken += 1
            yield (torch.rand(257, 2, generator=generator),)

    out = HeapStream(transform, look_ahead=4).forward(endless())
    ahead = []
    for n in range(50):
        assert next(out)[0].shape == (257, 2)
        ahead.append(taken - n)
    # Two frames of its own, the four beyond, and one for the slope at their end: four blocks.
    assert set(ahead) == {4}


def test_random_phases_depend_on_the_place_alone() -> None:
    transform = BANKS["fourier"]
    c = transform.forward(melody(1))
    settings = {"tolerance": 0.9, "seed": 5}
    one, two = (joined(HeapStream(transform, **settings).forward(in_blocks(c, n))) for n in (4, 10))
    soft = c.groups[0].abs() < 1e-3
    assert soft.any()
    assert torch.equal(one[0][soft], two[0][soft])
    assert torch.equal(one[0][soft], heap_phase(c.magnitudes(), transform, tolerance=0.9, seed=5)[0][soft])
    other = joined(HeapStream(transform, tolerance=0.9, seed=6).forward(in_blocks(c, 4)))
    assert not torch.equal(one[0][soft], other[0][soft])


def test_what_a_stream_of_a_vqt_yields_goes_through_in_a_batch() -> None:
    vqt = BANKS["vqt"]
    sound = torch.stack([melody(2.53), melody(2.53).flip(-1)])
    stream = Stream(vqt, block_s=0.5)
    blocks = list(stream.forward(sound.split(3000, dim=-1)))
    phases = list(HeapStream(vqt).forward(b.magnitudes() for b in blocks))
    made = [
        Coefficients(tuple(map(torch.polar, b.magnitudes(), p)), b.hops, b.n_samples)
        for b, p in zip(blocks, phases, strict=True)
    ]
    y = torch.cat(list(stream.inverse(iter(made))), dim=-1)
    assert y.shape == sound.shape
    c = vqt.forward(sound)
    found = vqt.forward(y).magnitudes()
    error = sum(float((f - m).square().sum()) for f, m in zip(found, c.magnitudes(), strict=True))
    assert 10 * math.log10(error / sum(float(m.square().sum()) for m in c.magnitudes())) < -14
    alone = list(HeapStream(vqt).forward(tuple(m[1] for m in b.magnitudes()) for b in blocks))
    assert all(
        torch.equal(p[1], a) for ps, as_ in zip(phases, alone, strict=True) for p, a in zip(ps, as_, strict=True)
    )


def test_silence_and_nothing_go_through() -> None:
    transform = BANKS["fourier"]
    (phase,) = HeapStream(transform).forward([(torch.zeros(257, 9),)])
    assert phase[0].isfinite().all()
    assert list(HeapStream(transform).forward([])) == []


def test_bad_input_is_refused() -> None:
    vqt = BANKS["vqt"]
    with pytest.raises(BadInput, match="look_ahead must be at least 1 frame, got 0"):
        HeapStream(vqt, look_ahead=0)
    with pytest.raises(BadInput, match="tolerance must be above 0 and below 1, got 2"):
        HeapStream(vqt, tolerance=2)
    with pytest.raises(BadInput, match=r"must have the transform's \d groups, got 1"):
        list(HeapStream(vqt).forward([(torch.ones(3, 3),)]))
    c = vqt.forward(melody(1))
    ragged = tuple(m[..., :7] for m in c.magnitudes())
    with pytest.raises(BadInput, match="blocks but the last must be whole frames of"):
        list(HeapStream(vqt).forward([ragged, ragged]))
