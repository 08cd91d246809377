"""Model file → ONNX file that is verified to compute the same."""
