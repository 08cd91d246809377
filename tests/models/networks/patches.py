from torch import nn


class Patches(nn.Module):
    def __init__(self, size, width):
        super().__init__()
        self.project = nn.Conv2d(1, width, size, size)

    def forward(self, images):
        return self.project(images).flatten(2).transpose(1, 2)
