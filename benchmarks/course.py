"""The course's training loop as its readers run it: the baseline of every claim of speed.

torchvision's data set, PIL transforms, a DataLoader with four workers, fp32, the network as it is
written there (activation before pooling, torch's own dropout), in a process of its own:

    python benchmarks/course.py DATA

DATA is torchvision's data directory. For each line on stdin, `epoch` or `evaluate`, it does that
and prints a line of JSON.
"""

import json
import sys
import time

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import FashionMNIST

BATCH_SIZE = 256
WORKERS = 4


class CourseNet(nn.Module):
    """Two 5x5 convolutions and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((1, 32), (32, 64)):
            layers += [nn.Conv2d(inputs, outputs, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)]
        self.conv = nn.Sequential(*layers)
        self.fc = nn.Sequential(nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 10))

    def forward(self, images: Tensor) -> Tensor:
        """Float [N, 1, 28, 28] in 0..1 to logits [N, 10]."""
        logits: Tensor = self.fc(self.conv(images).flatten(1))
        return logits


class Course:
    """The course's notebook as an object."""

    def __init__(self, folder: str) -> None:
        torch.manual_seed(0)
        prepare = transforms.Compose([transforms.Resize(28), transforms.ToTensor()])
        train = FashionMNIST(folder, train=True, download=True, transform=prepare)
        test = FashionMNIST(folder, train=False, download=True, transform=prepare)
        self.train_loader = DataLoader(
            train, BATCH_SIZE, shuffle=True, num_workers=WORKERS, drop_last=True
        )
        self.test_loader = DataLoader(test, BATCH_SIZE, shuffle=False, num_workers=WORKERS)
        self.model = CourseNet()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.criterion = nn.CrossEntropyLoss()

    def epoch(self) -> float:
        """Train for an epoch, then evaluate, as the course does."""
        self.model.train()
        total = 0.0
        for images, labels in self.train_loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(images), labels)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(images)
        return self.evaluate()

    def evaluate(self) -> float:
        """Accuracy on the test split."""
        self.model.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in self.test_loader:
                correct += int((self.model(images).argmax(1) == labels).sum())
        return correct / len(self.test_loader.dataset)  # type: ignore[arg-type]


def main() -> None:
    """Do what each line on stdin says."""
    course = Course(sys.argv[1])
    works = {"epoch": course.epoch, "evaluate": course.evaluate}
    print("ready", flush=True)
    for line in sys.stdin:
        started_at = time.perf_counter()
        accuracy = works[line.strip()]()
        answer = {"seconds": time.perf_counter() - started_at, "accuracy": accuracy}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
