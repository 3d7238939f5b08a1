"""Garments drawn from curves, shaded like cloth: picture, mask, sketch and words, exact by construction."""
