"""The map served on loopback: a click between two points renders what lies between them, and plays it."""
