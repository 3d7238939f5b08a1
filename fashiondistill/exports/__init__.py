"""Designs on their way out and back in: passport PNG, palette, SVG, CSV, ZIP and PDF of a sequence of passports."""
