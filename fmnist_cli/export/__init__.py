"""Checkpoint → ONNX file with proof that it computes the same."""
