"""Transforms between sound and time-frequency coefficients, in torch."""

from stylemix.transforms.blocks import Block, block_plan, crossfade
from stylemix.transforms.coefficients import Coefficients, Transform
from stylemix.transforms.filterbank import FilterBank, variable_q
from stylemix.transforms.fourier import Fourier
from stylemix.transforms.joint import JointScattering
from stylemix.transforms.scattering import TimeScattering
from stylemix.transforms.spiral import SpiralScattering
from stylemix.transforms.stream import Stream
from stylemix.transforms.vqt import VQT

__all__ = [
    "VQT",
    "Block",
    "Coefficients",
    "FilterBank",
    "Fourier",
    "JointScattering",
    "SpiralScattering",
    "Stream",
    "TimeScattering",
    "Transform",
    "block_plan",
    "crossfade",
    "variable_q",
]
