"""Networks by name.

A network maps normalized float images [N, 1, 28, 28] to logits [N, K]; its head is its last linear
layer. To add one, write the module and list it in `NETWORKS`.
"""

from fmnist_cli.models.registry import NETWORKS, Network, build, count_parameters, head_of, network

__all__ = ["NETWORKS", "Network", "build", "count_parameters", "head_of", "network"]
