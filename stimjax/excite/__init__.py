"""Excitation: from a teacher to stimuli."""
