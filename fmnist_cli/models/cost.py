"""What one image costs a network."""

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fmnist_cli.facts import IMAGE_SIZE


def count_macs(model: nn.Module) -> int:
    """Multiply-accumulate operations of convolutions and linear layers for one image."""
    # Shapes are enough: nothing is computed on the meta device.
    network = copy.deepcopy(model).to("meta").eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 1, IMAGE_SIZE, IMAGE_SIZE, device="meta"))
    return int(counter.get_total_flops()) // 2
