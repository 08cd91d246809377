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
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import FashionMNIST

BATCH_SIZE = 256
WORKERS = 4


def main() -> None:
    """Do what each line on stdin says."""
    torch.manual_seed(0)
    prepare = transforms.Compose([transforms.Resize(28), transforms.ToTensor()])
    train, test = (
        FashionMNIST(sys.argv[1], train=is_train, download=True, transform=prepare)
        for is_train in (True, False)
    )
    train_loader = DataLoader(train, BATCH_SIZE, shuffle=True, num_workers=WORKERS, drop_last=True)
    test_loader = DataLoader(test, BATCH_SIZE, shuffle=False, num_workers=WORKERS)
    model = nn.Sequential(
        *(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)),
        *(nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)),
        *(nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 10)),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()

    def epoch() -> float:
        """Train for an epoch, then evaluate, as the course does."""
        model.train()
        total = 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(images)
        return evaluate()

    def evaluate() -> float:
        """Accuracy on the test split."""
        model.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in test_loader:
                correct += int((model(images).argmax(1) == labels).sum())
        return correct / len(test)

    works = {"epoch": epoch, "evaluate": evaluate}
    print("ready", flush=True)
    for line in sys.stdin:
        started_at = time.perf_counter()
        accuracy = works[line.strip()]()
        answer = {"seconds": time.perf_counter() - started_at, "accuracy": accuracy}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
