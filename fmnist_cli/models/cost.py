"""What one image costs a network."""

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fmnist_cli.facts import IMAGE_SIZE


def count_macs(model: nn.Module) -> int:
    """Multiply-accumulate operations of convolutions and linear layers for one image."""
    network = copy.deepcopy(model).to("cpu").eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, IMAGE_SIZE, IMAGE_SIZE))
    return int(counter.get_total_flops()) // 2
