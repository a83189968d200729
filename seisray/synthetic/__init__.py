"""Elastic surveys with exact first breaks: a random near surface, an eikonal solver, a wave solver and field noise."""
