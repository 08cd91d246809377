from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.light = nn.Linear(784, 10)
        self.dark = nn.Linear(784, 10)

    def forward(self, images):
        images = self.flatten(images)
        if images.mean() > 0.2:
            return self.light(images)
        return self.dark(images)
