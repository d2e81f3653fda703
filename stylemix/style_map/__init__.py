"""The style map: the two worlds as points that play, on one page."""
