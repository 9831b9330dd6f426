"""Students on stimuli, on real windows and on baselines, and how good they are."""
