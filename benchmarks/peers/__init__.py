"""Other tools on the same images, each in its own environment, in one run with fmnist."""
