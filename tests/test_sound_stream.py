"""Sound of magnitudes in blocks: near what the whole gives, without a trace of the borders, in bounded memory."""

from __future__ import annotations

import dataclasses
import math
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput
from stylemix.phase import SoundStream, inconsistency, recover, recover_pooled
from stylemix.phase.stream_blocks import unrolled
from stylemix.transforms import VQT, Coefficients, Fourier, Stream
from tests.bench import phase_sounds

# Seconds of sound or of training in each: the fast tests of every change need not wait for them.
pytestmark = pytest.mark.slow

RATE = 8000
VQT_8K = VQT(RATE, bins_per_octave=24)
# With a guard of a quarter of a second blocks can be short; music fares no worse with it than with a second.
BANKS: dict[str, tuple[VQT | Fourier, int | None]] = {
    "vqt": (VQT_8K, 2048),
    "fourier": (Fourier(RATE, n_fft=512, hop_length=128), None),
}


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


def blocks_of(transform: VQT | Fourier, x: torch.Tensor, guard: int | None, block_s: float = 0.5) -> list[Coefficients]:
    blocks = Stream(transform, block_s=block_s, guard=guard).forward(x.split(3000, dim=-1))
    return [Coefficients(b.magnitudes(), b.hops, b.n_samples) for b in blocks]


def streamed(transform: VQT | Fourier, x: torch.Tensor, guard: int | None, **options: Any) -> torch.Tensor:
    stream = SoundStream(transform, block_s=0.5, guard=guard, **options)
    return torch.cat(list(stream.forward(blocks_of(transform, x, guard))), dim=-1)


def convergence_db(transform: VQT | Fourier, found: torch.Tensor, x: torch.Tensor) -> float:
    ratio = inconsistency(transform.forward(found).magnitudes(), transform.forward(x).magnitudes())
    return 20 * math.log10(max(ratio, 1e-10))


def borders(transform: VQT | Fourier, guard: int | None, n: int) -> list[int]:
    stream = SoundStream(transform, block_s=0.5, guard=guard)
    return [at for at in range(stream.block - stream.lead, n, stream.block) if RATE // 2 < at < n - RATE // 2]


def spectra(x: torch.Tensor, n: int = 512) -> torch.Tensor:
    """Magnitudes of frames of 512 samples, (K, N), every 128 samples."""
    return torch.stft(x, n, n // 4, window=torch.hann_window(n), return_complex=True, pad_mode="constant").abs()


def beside(at: list[int], times: torch.Tensor, rate: int) -> torch.Tensor:
    """Say which times (samples) are within 20 ms of one of the borders."""
    return (times[:, None] - torch.tensor(at)).abs().amin(dim=1) <= 0.02 * rate


def excess_db(found: torch.Tensor, x: torch.Tensor, at: list[int], rate: int) -> float:
    """Error of the spectra within 20 ms of the borders against the error elsewhere."""
    a, b = spectra(found), spectra(x)
    error, power = (a - b).square().sum(0), b.square().sum(0)
    near = beside(at, torch.arange(len(error)) * 128.0, rate)
    return 10 * math.log10(float(error[near].sum() / power[near].sum() / error[~near].sum() * power[~near].sum()))


def flux_ratio(x: torch.Tensor, at: list[int], rate: int) -> float:
    """Mean rise of the levels from frame to frame within 20 ms of the borders, against elsewhere."""
    s = spectra(x)
    rise = s.clamp_min(1e-4 * float(s.max())).log().diff(dim=1).clamp_min(0).sum(0)
    near = beside(at, (torch.arange(len(rise)) + 0.5) * 128, rate)
    return float(rise[near].mean() / rise[~near].mean())


def jump_ratio(x: torch.Tensor, at: list[int]) -> float:
    """Largest step from sample to sample within 4 samples of the borders, against the largest elsewhere."""
    step = x.diff().abs()
    near = torch.zeros(len(step), dtype=torch.bool)
    for border in at:
        near[border - 4 : border + 4] = True
    return float(step[near].max() / step[~near].max())


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("quality", ["draft", "good"])
def test_blocks_are_as_good_as_the_whole(bank: str, quality: str) -> None:
    transform, guard = BANKS[bank]
    x = melody(4.03)
    found = streamed(transform, x, guard, quality=quality)
    assert found.shape == x.shape
    whole = recover(transform.forward(x).magnitudes(), transform, len(x), quality=quality)
    assert convergence_db(transform, found, x) < convergence_db(transform, whole, x) + 1


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("quality", ["draft", "good"])
def test_no_border_can_be_told(bank: str, quality: str) -> None:
    transform, guard = BANKS[bank]
    # Of a steady tone and soft noise every step that is not the sound's own is seen.
    t = torch.arange(6 * RATE)
    x = torch.cos(0.3 * t) + 0.01 * torch.randn(len(t), generator=torch.Generator().manual_seed(0))
    at = borders(transform, guard, len(x))
    assert len(at) >= 8
    found = streamed(transform, x, guard, quality=quality)
    assert jump_ratio(found, at) < 1.05
    assert excess_db(found, x, at, RATE) < 1.5
    assert flux_ratio(found, at, RATE) < 1.1
    slow = found[RATE:-RATE].square().unfold(0, 400, 100).mean(-1)
    # The level of a tone whose phase is broken dips.
    assert slow.min() > 0.9 * slow.max()


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("quality", ["draft", "good", "best"])
def test_borders_do_not_click(bank: str, quality: str) -> None:
    transform, guard = BANKS[bank]
    # Noise below 500 Hz: what is above 2500 Hz in the result would be clicks, and otherwise is the soft rest of the
    # windows' leakage, which is everywhere.
    noise = torch.fft.rfft(torch.randn(4 * RATE, generator=torch.Generator().manual_seed(0)))
    hz = torch.fft.rfftfreq(4 * RATE, 1 / RATE)
    x = torch.fft.irfft(noise * (hz > 60) * (hz < 500))
    found = streamed(transform, x, guard, quality=quality)
    high = torch.fft.irfft(torch.fft.rfft(found) * (hz > 2500)).abs()
    near = torch.stack([high[at - 4 : at + 4] for at in borders(transform, guard, len(x))])
    # A border where two pieces meet at once has 5 to 18 times as much.
    assert near.max() < 1.5 * high[RATE // 4 : -RATE // 4].quantile(0.999)


@pytest.mark.slow
@pytest.mark.parametrize("quality", ["draft", "good"])
def test_no_border_can_be_told_in_music(real_music: Path, quality: str) -> None:

    for transform, guard in ((VQT(22050), 5120), (Fourier(22050), None)):
        for piece in phase_sounds.recordings(real_music, 22050, seconds=20, count=3):
            x = torch.from_numpy(np.asarray(piece.samples, dtype=np.float32))
            at = borders(transform, guard, len(x))
            found = streamed(transform, x, guard, quality=quality)
            whole = recover(transform.forward(x).magnitudes(), transform, len(x), quality=quality)
            assert convergence_db(transform, found, x) < convergence_db(transform, whole, x) + 0.5
            # What falls on the borders by chance falls there in the whole, too.
            assert excess_db(found, x, at, 22050) < excess_db(whole, x, at, 22050) + 1
            assert abs(flux_ratio(found, at, 22050) / flux_ratio(whole, at, 22050) - 1) < 0.05
            assert jump_ratio(found, at) < 1


def test_silence_before_and_behind_is_not_forgotten() -> None:
    # A melody begins with an onset, and a tone is cut off at its end: with a long guard there is room for more.
    for x, bound in ((melody(4.03), 1), (torch.cos(0.3 * torch.arange(3.01 * RATE)), 3)):
        whole = recover(VQT_8K.forward(x).magnitudes(), VQT_8K, len(x))
        assert convergence_db(VQT_8K, streamed(VQT_8K, x, None), x) < convergence_db(VQT_8K, whole, x) + bound


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("quality", ["draft", "good"])
def test_how_blocks_are_cut_changes_nothing(bank: str, quality: str) -> None:
    transform, guard = BANKS[bank]
    x = melody(3.01)
    unit = max(transform.hops)
    whole = Coefficients(
        tuple(torch.cat(g, -1) for g in zip(*(b.groups for b in blocks_of(transform, x, guard)), strict=True)),
        transform.hops,
        sum(b.n_samples for b in blocks_of(transform, x, guard)),
    )

    def cut(*sizes: int) -> Iterator[Coefficients]:
        start = number = 0
        while start < whole.n_samples:
            stop = min(start + sizes[number % len(sizes)] * unit, whole.n_samples)
            parts = (g[..., start // h : -(-stop // h)] for g, h in zip(whole.groups, whole.hops, strict=True))
            yield Coefficients(tuple(parts), whole.hops, stop - start)
            start, number = stop, number + 1

    stream = SoundStream(transform, quality=quality, block_s=0.5, guard=guard)
    once, many, uneven = (torch.cat(list(stream.forward(cut(*s)))) for s in ((10**6,), (1,), (3, 50, 0, 7)))
    assert torch.equal(once, many)
    assert torch.equal(once, uneven)


@pytest.mark.parametrize("quality", ["draft", "good"])
def test_sound_comes_out_within_the_latency_and_nothing_is_held_longer(quality: str) -> None:
    transform, _ = BANKS["fourier"]
    stream = SoundStream(transform, quality=quality, block_s=0.3)
    told, most, alive = 0, 0, weakref.WeakSet[torch.Tensor]()

    def endless() -> Iterator[Coefficients]:
        nonlocal told, most
        generator = torch.Generator().manual_seed(0)
        while True:
            told += 4 * 128
            m = torch.rand(257, 4, generator=generator)
            alive.add(m)
            yield Coefficients((m,), (128,), 4 * 128)
            del m
            most = max(most, len(alive))

    made = late = 0
    for _, sound in zip(range(40), stream.forward(endless()), strict=False):
        late = max(late, told - made)
        made += len(sound)
    # Before a block comes out, so much has arrived since the end of the last one: no more, and sometimes as much.
    assert late <= stream.latency + 3 * 128
    assert late > stream.latency - 4 * 128
    assert most <= (stream.latency + stream.block + stream.guard) // (4 * 128) + 3


def test_pooled_magnitudes_stream() -> None:
    x = melody(4)
    p = VQT_8K.pool(VQT_8K.forward(x).magnitudes(), len(x))
    for quality in ("draft", "good"):
        stream = SoundStream(VQT_8K, quality=quality, block_s=0.5, guard=2048)
        found = torch.cat(list(stream.forward_pooled(p.split(5, dim=-1))))
        assert torch.equal(found, torch.cat(list(stream.forward_pooled([p[:, :1], p[:, :0], p[:, 1:]]))))
        assert found.shape == x.shape
        whole = recover_pooled(p, VQT_8K, len(x), quality=quality)
        assert convergence_db(VQT_8K, found, x) < convergence_db(VQT_8K, whole, x) + 1


@pytest.mark.parametrize("bank", BANKS)
def test_long_sounds_go_through_pieces(bank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    transform, _ = BANKS[bank]
    x = melody(6.01)
    c = transform.forward(x)
    phases, n = tuple(g.angle() for g in c.groups), len(x)
    whole = recover(c.magnitudes(), transform, n)
    dial = sys.modules["stylemix.phase.recover"]
    monkeypatch.setattr(dial, "LONG_S", 1.0)
    monkeypatch.setattr(dial, "_PIECE_S", 1.0)
    found = recover(c.magnitudes(), transform, n)
    assert found.shape == x.shape
    assert not torch.equal(found, whole)
    assert convergence_db(transform, found, x) < convergence_db(transform, whole, x) + 1
    # With the true phases the sound itself comes back; what is known is kept, and goes on.
    for quality in ("draft", "good"):
        assert (recover(c.magnitudes(), transform, n, quality=quality, start=phases) - x).norm() < 1e-3 * x.norm()
    known = recover(c.magnitudes(), transform, n, known=x[:20000])
    assert torch.equal(known[:18000], x[:18000])
    assert convergence_db(transform, known, x) < convergence_db(transform, whole, x) + 1
    with pytest.raises(BadInput, match="start: phases of shapes"):
        recover(c.magnitudes(), transform, n, start=tuple(p[..., 1:] for p in phases))
    if isinstance(transform, VQT):
        p = transform.pool(c.magnitudes(), n)
        assert recover_pooled(torch.stack([p, p]), transform, n, quality="draft").shape == (2, n)
        true = recover_pooled(p, transform, n, quality="draft", start=phases)
        monkeypatch.undo()
        whole = recover_pooled(p, transform, n, quality="draft", start=phases)
        assert abs(convergence_db(transform, true, x) - convergence_db(transform, whole, x)) < 0.5


def test_a_lattice_that_goes_round_is_laid_out_in_time() -> None:
    x = torch.zeros(20000)
    x[0] = x[-1] = 1
    c, lead = VQT_8K.forward(x), 2048
    length = VQT_8K.padded_length(len(x))
    laid = list(unrolled(c.groups, c.hops, len(x), length=length, lead=lead, align=128))
    assert sum(b.n_samples for b in laid) == len(x) + 2 * lead
    blocks = list(Stream(VQT_8K, guard=lead).forward([x]))
    for g in range(len(c.hops)):
        a, b = (torch.cat([block.groups[g] for block in some], dim=-1) for some in (laid, blocks))
        assert a.shape == b.shape
        # What both keep differs by what goes round in the one and is cut off in the other.
        assert (a - b).norm() < 0.02 * b.norm()


def test_silence_short_sounds_and_batches_go_through() -> None:
    for transform, guard in BANKS.values():
        for quality in ("draft", "good"):
            assert streamed(transform, torch.zeros(2, 9000), guard, quality=quality).abs().max() == 0
            short = streamed(transform, melody(1)[:300].double(), guard, quality=quality)
            assert (short.shape, short.dtype) == ((300,), torch.float64)
            assert short.isfinite().all()
            assert streamed(transform, torch.ones(1), guard, quality=quality).shape == (1,)
    transform, guard = BANKS["vqt"]
    x = torch.stack([melody(2), 0.5 * melody(2).flip(-1)])[:, None]
    batch = streamed(transform, x, guard, quality="good")
    assert batch.shape == x.shape
    alone = streamed(transform, x[1, 0], guard, quality="good")
    assert (batch[1, 0] - alone).norm() < 1e-3 * alone.norm()


def test_the_seed_is_heard_only_where_nothing_is_told() -> None:
    transform, guard = BANKS["vqt"]
    x = melody(2)
    one, two = (streamed(transform, x, guard, quality="draft", seed=s) for s in (0, 1))
    assert not torch.equal(one, two)
    assert (one - two).norm() < 0.03 * one.norm()
    assert torch.equal(one, streamed(transform, x, guard, quality="draft", seed=0))


def test_bad_blocks_are_refused() -> None:
    vqt, guard = VQT_8K, 2048
    blocks = blocks_of(vqt, melody(2), guard)

    def refused(match: str, *given: object, pooled: bool = False) -> None:
        stream = SoundStream(vqt, block_s=0.5, guard=guard)
        with pytest.raises(BadInput, match=match) as raised:
            list(stream.forward_pooled(given) if pooled else stream.forward(given))  # type: ignore[arg-type]
        assert "\n" not in str(raised.value)

    def changed(block: Coefficients, **changes: object) -> Coefficients:
        return dataclasses.replace(block, **changes)  # type: ignore[arg-type]

    first, second = blocks[:2]
    refused("there are no blocks")
    refused("block 0 must be Coefficients whose groups are magnitudes, got Tensor", torch.ones(3))
    refused("hops", changed(first, hops=tuple(2 * hop for hop in first.hops)))
    refused(r"block 1 of \d+ samples has groups", first, changed(second, n_samples=second.n_samples + 128))
    refused("has groups", first, changed(second, groups=tuple(g[..., 1:, :] for g in second.groups)))
    refused("has groups", changed(first, groups=first.groups[:1]))
    refused("has groups", *blocks_of(BANKS["fourier"][0], melody(1), None))
    refused("groups must be real", changed(first, groups=tuple(g.to(torch.complex64) for g in first.groups)))
    refused("all blocks must be like the first", first, changed(second, groups=tuple(g[None] for g in second.groups)))
    refused(
        "all blocks must be like the first", first, changed(second, groups=tuple(g.double() for g in second.groups))
    )
    for value in (math.nan, math.inf, -1.0):
        bad = tuple(g.clone() for g in second.groups)
        bad[1][2, 3] = value
        refused("block 1: magnitudes must be at least 0 and finite", first, changed(second, groups=bad))
    ragged = tuple(g[..., : -(-1000 // hop)] for g, hop in zip(first.groups, first.hops, strict=True))
    refused("ends between two frames", changed(first, groups=ragged, n_samples=1000), second)
    little = tuple(g[..., : 1024 // hop] for g, hop in zip(first.groups, first.hops, strict=True))
    refused("hold no sound between two guards of 2048", changed(first, groups=little, n_samples=1024))
    p = torch.zeros(vqt.n_bands, 9)
    refused("there are no blocks", pooled=True)
    refused("must be a real tensor", p.tolist(), pooled=True)
    refused("has 3 bands, the transform", p[:3], pooled=True)
    refused("block 1 of pooled magnitudes holds NaN or Inf", p, p + math.nan, pooled=True)
    refused("all blocks must be like the first", p, p[None], pooled=True)


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(BadInput, match="quality: must be draft, good or best"):
        SoundStream(VQT_8K, quality="fast")
    with pytest.raises(BadInput, match="transform must be a VQT or a Fourier, got int"):
        SoundStream(8000)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="block_s must be above 0"):
        SoundStream(VQT_8K, block_s=0)
    with pytest.raises(BadInput, match="guard must be at least 0"):
        SoundStream(VQT_8K, guard=-1)
    with pytest.raises(BadInput, match="pooled magnitudes are those of a VQT"):
        list(SoundStream(BANKS["fourier"][0]).forward_pooled([torch.zeros(3, 3)]))
    with pytest.raises(BadInput, match="guard must be a multiple of hop_length, 256"):
        list(SoundStream(VQT_8K, guard=128).forward_pooled([torch.zeros(VQT_8K.n_bands, 3)]))
