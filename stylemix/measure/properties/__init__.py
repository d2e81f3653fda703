"""The four properties of a representation, measured: what it tells apart, and what leaves it as it was."""
