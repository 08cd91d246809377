"""Networks by name.

A network takes prepared float images [N, 1, 28, 28] and gives logits [N, 10]; its `head` is the
last layer. To add one, write it and name it in `NETWORKS`.
"""

from fmnist_cli.models.registry import NETWORKS, Network, build, count_parameters, network

__all__ = ["NETWORKS", "Network", "build", "count_parameters", "network"]
