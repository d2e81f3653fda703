"""The learned space: an autoencoder that starts as PCA, its training, and the run folder it lives in."""
