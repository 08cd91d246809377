import torch
from torch import nn


class _Base(nn.Module):
    def __init__(self, outputs=10):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, stride=4)
        self.fc = nn.Linear(8 * 7 * 7, outputs)


class TwoInputs(_Base):
    def forward(self, images, sizes):
        return self.fc(self.conv(images).flatten(1)) * sizes


class Tuple(_Base):
    def forward(self, images):
        features = self.conv(images).flatten(1)
        return self.fc(features), features


class Unflattened(_Base):
    def forward(self, images):
        return self.fc(self.conv(images))


class Detached(_Base):
    def forward(self, images):
        return self.fc(self.conv(images).flatten(1)).detach()


class Undifferentiated(_Base):
    @torch.no_grad()
    def forward(self, images):
        return self.fc(self.conv(images).flatten(1))


class Overwritten(_Base):
    def forward(self, images):
        logits = self.fc(self.conv(images).flatten(1)).exp()
        logits -= 1
        return logits


class TupleInTraining(_Base):
    def forward(self, images):
        features = self.conv(images).flatten(1)
        return (self.fc(features), features) if self.training else self.fc(features)


class Squeezed(_Base):
    def forward(self, images):
        return self.fc(self.conv(images).flatten(1)).squeeze()


class Argmax(_Base):
    def forward(self, images):
        return self.fc(self.conv(images).flatten(1)).argmax(1)


class PlainList(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Flatten(), nn.Linear(784, 10)]

    def forward(self, images):
        for layer in self.layers:
            images = layer(images)
        return images


class Features(_Base):
    def forward(self, images):
        return self.conv(images)


class Thousand(_Base):
    def __init__(self):
        super().__init__(1000)

    def forward(self, images):
        return self.fc(self.conv(images).flatten(1))


class Needy(_Base):
    def __init__(self, hidden):
        super().__init__()


class Softmax(_Base):
    def forward(self, images):
        return self.fc(self.conv(images).flatten(1)).softmax(1)


class Later(_Base):
    def forward(self, images):
        if self.training and len(images) > 10:
            raise ValueError("too many images for me")
        return self.fc(self.conv(images).flatten(1))


class NoWeights(nn.Module):
    def forward(self, images):
        return images.flatten(1)[:, :10]


class NoSuper(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(784, 10)


def plain_function():
    return 3


hidden = torch.nn.Linear(2, 2)
built = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
