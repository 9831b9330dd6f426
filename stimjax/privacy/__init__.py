"""What a release tells about the people whose recordings its teacher learned from."""
