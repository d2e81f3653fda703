"""Recordings cut into segments, described, and grouped by what sounds alike."""
