"""Every entrance to phases refuses what it cannot use, in one line that says what, by which rule, and what to do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput
from stylemix.phase import (
    Magnitudes,
    PooledMagnitudes,
    admm,
    griffin_lim,
    heap_phase,
    instantaneous_frequency,
    instantaneous_phase,
    recover,
    recover_channels,
    recover_pooled,
    recover_wanted,
)
from stylemix.phase.gradient import phase_gradient
from stylemix.phase.heap_stream import HeapStream
from stylemix.transforms import VQT, Fourier

RATE, N = 4000, 1200
VQ = VQT(RATE, fmin_hz=200)
FOURIER = Fourier(RATE, n_fft=128, hop_length=32)
BANKS: dict[str, VQT | Fourier] = {"VQT": VQ, "Fourier": FOURIER}
SOUND = torch.cos(0.3 * torch.arange(float(N)))
C = {name: transform.forward(SOUND) for name, transform in BANKS.items()}
M = {name: c.magnitudes() for name, c in C.items()}
POOLED = VQ.pool(M["VQT"], N)
NAN = float("nan")
Groups = tuple[torch.Tensor, ...]


def refused(message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


# Every entrance for magnitudes of one sound, on a lattice (K_g, N_g), by whether it knows the length.
LENGTHLESS: dict[str, Callable[[Groups, Any], Any]] = {
    "heap_phase": heap_phase,
    "phase_gradient": phase_gradient,
    "instantaneous_frequency": instantaneous_frequency,
    "instantaneous_phase": instantaneous_phase,
}
WITH_LENGTH: dict[str, Callable[[Groups, Any], Any]] = {
    "recover": lambda m, t: recover(m, t, N),
    "griffin_lim": lambda m, t: griffin_lim(m, t, N),
    "admm": lambda m, t: admm(m, t, N),
    "Magnitudes": lambda m, t: Magnitudes(t, N, m),
}
NUMBERS: list[tuple[Callable[[Groups], Any], str]] = [
    (lambda m: tuple(-a - 1 for a in m), r"must be at least 0 and finite, got -.*exp first"),
    (lambda m: tuple(a * NAN for a in m), r"must be at least 0 and finite, got nan"),
    (lambda m: tuple(a + float("inf") for a in m), r"must be at least 0 and finite, got inf"),
    (lambda m: tuple(a.to(torch.complex64) for a in m), r"real floating-point numbers, got torch\.complex64; take"),
    (lambda m: tuple(a.long() for a in m), r"real floating-point numbers, got torch\.int64; convert"),
    (lambda m: tuple(a.half() for a in m), r"must be float32 or float64, got torch\.float16; convert"),
    (lambda m: tuple(a.bfloat16() for a in m), r"must be float32 or float64, got torch\.bfloat16"),
    (lambda m: tuple(a.numpy() for a in m), r"tuple of tensors, one for each hop, got one that holds ndarray; give"),
    (lambda m: m[0], r"must be a tuple of tensors, .*got Tensor; give"),
    (lambda m: tuple(a[None][:0] for a in m), r"must hold at least one sound, got the shape \(0, "),
]


@pytest.mark.parametrize(("change", "message"), NUMBERS)
@pytest.mark.parametrize("entrance", [*LENGTHLESS, *WITH_LENGTH])
def test_numbers_that_are_no_magnitudes_are_refused(
    entrance: str, change: Callable[[Groups], Any], message: str
) -> None:
    refused(message, lambda: (LENGTHLESS | WITH_LENGTH)[entrance](change(M["VQT"]), VQ))


@pytest.mark.parametrize("entrance", LENGTHLESS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m[:-1], "must have the rows of this VQT"),
        (lambda m: (), "must have the rows of this VQT"),
        (lambda m: tuple(a[..., 1:, :] for a in m), "must have the rows of this VQT"),
        (lambda m: tuple(a[..., :0] for a in m), "at least one frame each; give"),
        (lambda m: tuple(a[0] for a in m), "must have the rows of this VQT"),
        (lambda m: (*m[:-1], m[-1][..., :-1]), r"frames times hops .* must be the same length in all groups, got \["),
        (lambda m: (m[0][None], *m[1:]), r"of the same sounds, got leading shapes \[\(1,\), \(\)"),
        (lambda m: (m[0].double(), *m[1:]), "all groups must be of one type on one device"),
    ],
)
def test_another_lattice_is_refused_without_a_length(
    entrance: str, change: Callable[[Groups], Any], message: str
) -> None:
    refused(message, lambda: LENGTHLESS[entrance](change(M["VQT"]), VQ))


@pytest.mark.parametrize("call", [heap_phase, phase_gradient])
def test_a_fourier_s_rows_are_looked_at_too(call: Callable[[Groups, Any], Any]) -> None:
    refused("must have the rows of this Fourier", lambda: call((M["Fourier"][0][1:],), FOURIER))
    refused("must have the rows of this Fourier", lambda: call(M["VQT"], FOURIER))
    refused("got -", lambda: call((-M["Fourier"][0],), FOURIER))


@pytest.mark.parametrize("entrance", [*LENGTHLESS, *WITH_LENGTH])
def test_another_transform_is_refused(entrance: str) -> None:
    refused("transform must be a VQT.*, got str", lambda: (LENGTHLESS | WITH_LENGTH)[entrance](M["VQT"], "vqt"))
    if entrance.startswith("instantaneous"):
        refused("must be a VQT, got Fourier", lambda: LENGTHLESS[entrance](M["Fourier"], FOURIER))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anchor": C["VQT"].groups[:-1]}, "anchor: must be complex coefficients of the magnitudes' shapes"),
        ({"anchor": M["VQT"]}, r"anchor: must be complex .* got torch\.float32"),
        ({"anchor": C["VQT"].groups[0]}, "anchor: must be a tuple of tensors"),
        ({"anchor": tuple(g * NAN for g in C["VQT"].groups)}, "anchor: holds NaN"),
        ({"anchor_sample": -1}, "anchor_sample must be a whole number of at least 0, got -1"),
        ({"anchor_sample": 0.5}, "anchor_sample must be a whole number of at least 0, got 0.5"),
    ],
)
def test_an_anchor_that_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    refused(message, lambda: instantaneous_phase(M["VQT"], VQ, **options))


FM = M["Fourier"]
EVERYWHERE = tuple(torch.ones_like(m, dtype=torch.bool) for m in FM)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"known": EVERYWHERE}, "known: must be a pair"),
        ({"known": (EVERYWHERE, FM[0])}, "known, phases: must be a tuple of tensors"),
        ({"known": (EVERYWHERE, ())}, "known, phases: must be 1 groups as the magnitudes, got 0"),
        ({"known": (FM, FM)}, r"known, where: must be bool, got torch\.float32"),
        ({"known": (EVERYWHERE, (FM[0][:, 1:],))}, "known, phases: the shape .* does not fit the magnitudes'"),
        ({"known": ((EVERYWHERE[0][1:],), FM)}, "known, where: the shape .* does not fit"),
        ({"known": (EVERYWHERE, (FM[0] * NAN,))}, "known, phases: holds NaN"),
        ({"known": (EVERYWHERE, C["Fourier"].groups)}, r"known, phases: .*got torch\.complex64; take their angle"),
        ({"tolerance": "a"}, "tolerance must be above 0 and below 1, got a"),
        ({"trailing": 1}, "trailing must be at least 0 and below 1, got 1"),
        ({"seed": None}, "seed: must be a whole number of at least 0, got None"),
    ],
)
def test_what_a_heap_cannot_use_is_refused(options: dict[str, Any], message: str) -> None:
    refused(message, lambda: heap_phase(FM, FOURIER, **options))


def test_phases_that_are_told_where_nothing_is_known_do_not_count() -> None:
    nowhere = tuple(~w for w in EVERYWHERE)
    found = heap_phase(FM, FOURIER, known=(nowhere, (FM[0] * NAN,)))
    assert torch.equal(found[0], heap_phase(FM, FOURIER)[0])


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ((FM[0].double(),), r"all blocks and groups must be like the first, .*float32.*float64"),
        ((FM[0][None],), "all blocks and groups must be like the first"),
        ((FM[0][1:],), "must have the transform's rows"),
        ((-FM[0],), "a block: must be at least 0 and finite"),
        ((FM[0].numpy(),), "a block: must be a tuple of tensors"),
        (C["Fourier"].groups, "a block: must be real"),
        (FM * 2, "must have the transform's 1 groups, got 2"),
    ],
)
def test_a_block_that_is_unlike_the_first_is_refused(second: Any, message: str) -> None:
    refused(message, lambda: list(HeapStream(FOURIER, look_ahead=1).forward([FM, second])))


def test_groups_of_a_block_that_do_not_end_together_are_refused() -> None:
    ragged = (*M["VQT"][:-1], M["VQT"][-1][..., :1])
    refused("whole frames of .* samples", lambda: list(HeapStream(VQ).forward([ragged])))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"look_ahead": 1.5}, r"look_ahead must be at least 1 frame, got 1\.5; give a whole number"),
        ({"look_ahead": True}, "look_ahead must be at least 1 frame, got True"),
        ({"seed": "a"}, "seed: must be a whole number of at least 0, got 'a'"),
        ({"trailing": NAN}, "HeapStream: trailing must be at least 0 and below 1, got nan"),
    ],
)
def test_settings_of_a_stream_are_looked_at(options: dict[str, Any], message: str) -> None:
    refused(message, lambda: HeapStream(VQ, **options))
    refused("must be a VQT or a Fourier, got str", lambda: HeapStream("vqt"))  # type: ignore[arg-type]


STEREO = Magnitudes(VQ, N, tuple(torch.stack([m, m]) for m in M["VQT"]))
# What finds a sound that begins as is told, and the leading shape of what it is given here.
BEGINNING: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "recover": (lambda k: recover(FM, FOURIER, N, known=k), ()),
    "recover_pooled": (lambda k: recover_pooled(POOLED, VQ, N, known=k), ()),
    "griffin_lim": (lambda k: griffin_lim(FM, FOURIER, N, known=k), ()),
    "admm": (lambda k: admm(FM, FOURIER, N, known=k), ()),
    "recover_channels": (lambda k: recover_channels(STEREO, known=k), (2,)),
}


@pytest.mark.parametrize("entrance", BEGINNING)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (torch.Tensor.double, r"known: must be torch\.float32 on cpu as the magnitudes, got torch\.float64"),
        (torch.Tensor.long, r"known: must be torch\.float32 .* got torch\.int64 .*; convert it with to"),
        (torch.Tensor.numpy, r"known: must be a torch\.Tensor, got ndarray; use torch\.as_tensor"),
        (torch.Tensor.sum, r"known: the beginning has the shape \(\)"),
        (lambda k: torch.stack([k] * 3), r"known: the beginning has the shape \(3, .*; give \(\.\.\., T'\)"),
        (lambda k: k * NAN, "known: holds NaN or Inf"),
    ],
)
def test_a_beginning_that_does_not_fit_is_refused(
    entrance: str, change: Callable[[torch.Tensor], Any], message: str
) -> None:
    call, leading = BEGINNING[entrance]
    refused(message, lambda: call(change(torch.zeros(*leading, 100))))


STARTED: dict[str, Callable[[Any], Any]] = {
    "recover": lambda s: recover(FM, FOURIER, N, start=s),
    "griffin_lim": lambda s: griffin_lim(FM, FOURIER, N, start=s),
    "admm": lambda s: admm(FM, FOURIER, N, start=s),
    "recover_wanted": lambda s: recover_wanted(Magnitudes(FOURIER, N, FM), start=s),
}


@pytest.mark.parametrize("entrance", STARTED)
@pytest.mark.parametrize(
    ("start", "message"),
    [
        ((torch.stack([FM[0]] * 3),), r"start: phases of shapes \[\(3, .* do not fit magnitudes of shapes"),
        ((FM[0][:, 1:],), "start: phases of shapes"),
        (C["Fourier"].groups, r"start: phases must be real .* got torch\.complex64; take their angle\(\)"),
        ((FM[0].long(),), r"start: phases must be real .* got torch\.int64"),
        ((FM[0] * NAN,), "start: holds NaN or Inf"),
        (FM[0], "start: must be a tuple of tensors"),
        ((FM[0].numpy(),), "start: must be a tuple of tensors, .* holds ndarray"),
    ],
)
def test_phases_to_start_from_that_do_not_fit_are_refused(entrance: str, start: Any, message: str) -> None:
    refused(message, lambda: STARTED[entrance](start))


def test_a_long_sound_s_beginning_and_start_are_looked_at_before_it_is_made() -> None:
    n = 61 * 400
    fourier = Fourier(400, n_fft=128, hop_length=32)
    m = fourier.forward(torch.ones(n)).magnitudes()
    refused("start: phases of shapes", lambda: recover(m, fourier, n, start=(torch.stack([m[0]] * 2),)))
    refused("known: holds NaN", lambda: recover(m, fourier, n, known=torch.full((9,), NAN)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: recover_pooled(POOLED, FOURIER, N), "pooled magnitudes: the transform must be a VQT, got Fourier"),  # type: ignore[arg-type]
        (lambda: recover_pooled(POOLED.numpy(), VQ, N), r"pooled .* torch\.Tensor, got ndarray"),  # type: ignore[arg-type]
        (lambda: recover_pooled(POOLED + 0j, VQ, N), r"pooled magnitudes: must be real .* got torch\.complex64"),
        (lambda: recover_pooled(POOLED.long(), VQ, N), r"pooled magnitudes: must be real .* got torch\.int64"),
        (lambda: recover_pooled(POOLED.half(), VQ, N), r"must be float32 or float64, got torch\.float16"),
        (lambda: recover_pooled(POOLED[None][:0], VQ, N), r"must hold at least one sound, got the shape \(0,"),
        (lambda: recover_pooled(POOLED[0], VQ, N), "bands and frames are not this transform's"),
        (lambda: PooledMagnitudes(VQ, float(N), POOLED), r"n_samples must be a whole number .* got 1200\.0"),  # type: ignore[arg-type]
        (lambda: Magnitudes(VQ, True, M["VQT"]), "n_samples must be a whole number of at least 1, got True"),
        (lambda: Magnitudes(VQ, float(N), M["VQT"]), r"n_samples must be a whole number of at least 1, got 1200\.0"),  # type: ignore[arg-type]
        (lambda: recover_wanted(M["VQT"]), "wanted: must be Magnitudes or PooledMagnitudes, got tuple"),  # type: ignore[arg-type]
        (lambda: recover_channels(M["VQT"]), "wanted: must be Magnitudes or PooledMagnitudes, got tuple"),  # type: ignore[arg-type]
        (lambda: recover(FM, FOURIER, N, quality=["good"]), r"draft, good or best, got \['good'\]"),  # type: ignore[arg-type]
        (lambda: recover(FM, FOURIER, N, start=FM, seed=None), "seed: must be a whole number .*, got None"),  # type: ignore[arg-type]
        (lambda: recover(FM, FOURIER, N, seed="a"), "seed: must be a whole number of at least 0, got 'a'"),  # type: ignore[arg-type]
        (lambda: recover(FM, FOURIER, N, seed=-1), "seed: must be a whole number of at least 0, got -1"),
        (lambda: recover_channels(STEREO, seed=-1), "seed: must be a whole number of at least 0, got -1"),
        (lambda: griffin_lim(FM, FOURIER, N, n_iter=1.5), r"n_iter must be >= 0 .* got 1\.5"),  # type: ignore[arg-type]
        (lambda: griffin_lim(FM, FOURIER, N, momentum="a"), "momentum 0 to 1, got 16 and a"),  # type: ignore[arg-type]
        (lambda: admm(FM, FOURIER, N, rho=NAN), "rho above 0, got 32 and nan"),
    ],
)
def test_other_arguments_are_looked_at(call: Callable[[], Any], message: str) -> None:
    refused(message, call)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"locked": (torch.ones(1, dtype=torch.bool),)}, "locked: must be .* groups as the magnitudes, got 1"),
        ({"locked": tuple(m > 0 for m in STEREO.magnitudes)}, "locked: the shape .* does not fit"),
        ({"locked": M["VQT"]}, r"locked: must be bool, got torch\.float32"),
        ({"locked": True}, "locked: must be a tuple of tensors"),
        ({"between": "mono"}, "between: must be a tuple of tensors"),
        ({"between": tuple(m * (NAN + 0j) for m in STEREO.magnitudes)}, "between: holds NaN"),
        ({"n_kept": 1.5}, r"n_kept: must be a number of samples of at least 0, got 1\.5"),
    ],
)
def test_what_does_not_fit_the_channels_is_refused(options: dict[str, Any], message: str) -> None:
    refused(message, lambda: recover_channels(STEREO, **options))


def test_numpy_s_whole_numbers_are_whole_numbers() -> None:
    wanted = Magnitudes(FOURIER, np.int64(N), FM)  # type: ignore[arg-type]
    assert type(wanted.n_samples) is int
    assert type(PooledMagnitudes(VQ, np.int32(N), POOLED).n_samples) is int  # type: ignore[arg-type]
    y = recover_wanted(wanted, quality="draft", seed=np.uint8(0))  # type: ignore[arg-type]
    assert torch.equal(y, recover(FM, FOURIER, N, quality="draft"))


@pytest.mark.parametrize(
    "call",
    [
        lambda m: recover(m, FOURIER, N),
        lambda m: griffin_lim(m, FOURIER, N, n_iter=4),
        lambda m: admm(m, FOURIER, N, n_iter=2),
        lambda m: griffin_lim(m, FOURIER, N, n_iter=4, start=m, known=m[0][0]),
        lambda m: heap_phase(m, FOURIER, known=(EVERYWHERE, m))[0],
        lambda m: recover_channels(
            Magnitudes(FOURIER, N, (torch.stack(m * 2),)), between=(torch.ones(2, *m[0].shape) + 0j,)
        ),
        lambda m: recover_pooled((POOLED.mean() + m[0].mean()).expand_as(POOLED), VQ, N),
    ],
)
def test_no_gradient_flows_and_nothing_is_said_of_it(call: Callable[[Groups], torch.Tensor]) -> None:
    leaves = tuple(m.clone().requires_grad_() for m in FM)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = call(leaves)
    assert not found.requires_grad
