"""The two exceptions of stylemix: everything a user can mend is one of them."""

from __future__ import annotations


class StylemixError(Exception):
    """A failure the user can understand and act on; printed as one line, exit code 1."""


class BadInput(StylemixError, ValueError):
    """An input that breaks a rule: the message names it, the rule, the value and the way out."""
