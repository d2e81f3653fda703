"""What all pages share: one look, one file each, sound and pictures inside, nothing loaded from anywhere."""
