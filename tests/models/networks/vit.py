import torch
from torch import nn

from patches import Patches


class ViT(nn.Module):
    def __init__(self, num_classes, width=48, depth=2):
        super().__init__()
        self.patches = Patches(7, width)
        self.start = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 17, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 4, 96, 0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, num_classes)

    def forward(self, images):
        tokens = self.patches(images)
        tokens = torch.cat([self.start.expand(images.shape[0], -1, -1), tokens], 1) + self.places
        return self.head(self.norm(self.blocks(tokens)[:, 0]))
