"""Inhibition of what is known of individuals, each way in a file of its own."""
