"""Bytes to uint8 images and int64 labels, and on to batches on a device."""
