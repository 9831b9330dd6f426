"""Shadow pipelines: the holder's job, many times over and small."""
