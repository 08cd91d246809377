"""The course's network as a LightningModule: `python lightning_course.py DATA EPOCHS`."""
# mypy: ignore-errors
# ruff: noqa: D101, D102, PT019

import sys

import lightning
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor


class Course(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(
            *(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)),
            *(nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)),
            *(nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 10)),
        )

    def forward(self, images):
        return self.network(images)

    def training_step(self, batch, _number):
        images, labels = batch
        loss = cross_entropy(self(images), labels)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def test_step(self, batch, _number):
        images, labels = batch
        self.log("accuracy", (self(images).argmax(1) == labels).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


if __name__ == "__main__":
    folder, epochs = sys.argv[1], int(sys.argv[2])
    lightning.seed_everything(0)
    train = FashionMNIST(folder, train=True, download=True, transform=ToTensor())
    test = FashionMNIST(folder, train=False, download=True, transform=ToTensor())
    train_loader = DataLoader(train, 256, shuffle=True, num_workers=2, persistent_workers=True)
    trainer = lightning.Trainer(max_epochs=epochs)
    model = Course()
    trainer.fit(model, train_loader)
    trainer.test(model, DataLoader(test, 256, num_workers=2))
    print(trainer.callback_metrics["accuracy"].item())
