"""What everybody may know: windows that nobody's privacy stands against."""
