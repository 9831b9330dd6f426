"""What is written by hand because XLA does it slowly, or not with the same bits everywhere."""
