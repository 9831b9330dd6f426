"""The whole job, and its stages one at a time."""
