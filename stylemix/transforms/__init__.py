"""Transforms between sound and time-frequency coefficients, in torch."""

from stylemix.transforms.blocks import Block, block_plan, crossfade
from stylemix.transforms.filterbank import FilterBank, variable_q
from stylemix.transforms.vqt import VQT, Coefficients

__all__ = ["VQT", "Block", "Coefficients", "FilterBank", "block_plan", "crossfade", "variable_q"]
