import lightning as L
from torch import nn


class Lit(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, images):
        return self.fc(images.flatten(1))
