"""From magnitudes to sound: the phase of the parents, or an estimate of it."""

from stylemix.phase.griffin_lim import griffin_lim, inconsistency
from stylemix.phase.instantaneous import instantaneous_frequency, instantaneous_phase
from stylemix.phase.source import parents_phase, unit

__all__ = [
    "griffin_lim",
    "inconsistency",
    "instantaneous_frequency",
    "instantaneous_phase",
    "parents_phase",
    "unit",
]
