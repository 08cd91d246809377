"""Measured claims: each prints its baseline and its ratio in one run."""
