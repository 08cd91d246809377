"""Measurements that need a GPU, in parts that fit a machine lent for minutes."""
