"""timm's resnet18 with the parts of its training script: `python timm_resnet18.py DATA EPOCHS`."""
# mypy: ignore-errors

import sys

import torch
from timm import create_model
from timm.data import create_dataset, create_loader
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import AverageMeter, accuracy, random_seed

folder, epochs = sys.argv[1], int(sys.argv[2])
device = torch.device("cpu")
random_seed(0)
loaders = {}
for split in ("train", "validation"):
    training = split == "train"
    dataset = create_dataset(
        "torch/fashion_mnist",
        folder,
        split,
        is_training=training,
        download=True,
        input_img_mode="L",
    )
    loaders[split] = create_loader(
        dataset,
        (1, 28, 28),
        128,
        is_training=training,
        no_aug=True,
        mean=(0.286,),
        std=(0.353,),
        num_workers=2,
        crop_pct=1.0,
        device=device,
    )
model = create_model("resnet18", in_chans=1, num_classes=10)
optimizer = create_optimizer_v2(model, opt="sgd", lr=0.05, momentum=0.9, weight_decay=2e-5)
scheduler, _ = create_scheduler_v2(
    optimizer,
    "cosine",
    epochs,
    warmup_lr=1e-5,
    step_on_epochs=False,
    updates_per_epoch=len(loaders["train"]),
)
criterion = LabelSmoothingCrossEntropy(0.1)
update = 0
for _epoch in range(epochs):
    model.train()
    for images, labels in loaders["train"]:
        optimizer.zero_grad()
        criterion(model(images), labels).backward()
        optimizer.step()
        update += 1
        scheduler.step_update(update)
model.eval()
meter = AverageMeter()
with torch.inference_mode():
    for images, labels in loaders["validation"]:
        meter.update(accuracy(model(images), labels)[0].item(), len(labels))
print(meter.avg / 100)
