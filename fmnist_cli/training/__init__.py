"""Batches to trained weights."""
