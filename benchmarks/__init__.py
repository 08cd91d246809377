"""Measured claims: a script per claim, each with its baseline in the same run."""
