"""Seeing and hearing what the corpora hold: embedding, clusters, the map page."""
