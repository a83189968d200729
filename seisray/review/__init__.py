"""Correcting picks by hand in the browser."""
