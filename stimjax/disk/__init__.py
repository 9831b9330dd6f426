"""Files and folders: whole or not at all, piece by piece, and the documents that they hold."""
