"""Recordings: read, scored, cut into windows, dealt to parts; and simulated ones."""
