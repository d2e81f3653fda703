"""The corpus doctor: what is in the folders, what is wrong with it, and whether it is enough to train on."""

from stylemix.doctor.inspection import check_usable, inspect_folders
from stylemix.doctor.report import Report, expected_training

__all__ = ["Report", "check_usable", "expected_training", "inspect_folders"]
