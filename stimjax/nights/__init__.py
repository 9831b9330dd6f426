"""Nights that a model scores: their minutes, what these say of the night, and how to look at it."""
