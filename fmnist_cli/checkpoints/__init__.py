"""Model files: weights and metadata as plain data, read without running code."""
