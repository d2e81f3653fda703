"""Segments placed on a plane or in a room, so that neighbours in sound are neighbours to the eye."""
