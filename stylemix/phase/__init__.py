"""From magnitudes to sound: the phase of the parents, or an estimate of it."""

from stylemix.phase.channels import recover_channels
from stylemix.phase.dial import QUALITIES
from stylemix.phase.gradient import phase_gradient
from stylemix.phase.heap import heap_phase
from stylemix.phase.heap_stream import HeapStream
from stylemix.phase.instantaneous import instantaneous_frequency, instantaneous_phase
from stylemix.phase.lattice import Magnitudes, PooledMagnitudes, inconsistency
from stylemix.phase.projections import admm, griffin_lim
from stylemix.phase.recover import recover, recover_pooled, recover_wanted
from stylemix.phase.source import parents_phase, unit
from stylemix.phase.stream import SoundStream

__all__ = [
    "QUALITIES",
    "HeapStream",
    "Magnitudes",
    "PooledMagnitudes",
    "SoundStream",
    "admm",
    "griffin_lim",
    "heap_phase",
    "inconsistency",
    "instantaneous_frequency",
    "instantaneous_phase",
    "parents_phase",
    "phase_gradient",
    "recover",
    "recover_channels",
    "recover_pooled",
    "recover_wanted",
    "unit",
]
