"""The corpus doctor: what is in the folders, what is wrong with it, and whether it is enough to train on."""

from stylemix.doctor.report import Report, check_usable, expected_training, inspect_folders

__all__ = ["Report", "check_usable", "expected_training", "inspect_folders"]
