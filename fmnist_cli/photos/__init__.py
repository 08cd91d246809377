"""A photo of a garment to a 28x28 image like the data set's."""
