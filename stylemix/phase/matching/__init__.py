"""Sound from the coefficients of any transform: a start made of their envelopes, then gradient descent."""

from stylemix.phase.matching.descent import Matched, match
from stylemix.phase.matching.error import Errors, Objective
from stylemix.phase.matching.start import first_guess
from stylemix.phase.matching.target import Target

__all__ = ["Errors", "Matched", "Objective", "Target", "first_guess", "match"]
