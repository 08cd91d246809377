"""`fmnist train`: placeholder until the options are in."""


def train() -> None:
    """Train a model."""
