"""Pictures to probabilities."""
