"""EDF and EDF+ files: their bytes, signals, annotations, and a writer."""
