"""fastai's resnet18 from nothing: `python fastai_resnet18.py PICTURES EPOCHS`."""
# mypy: ignore-errors

import sys

from fastai.vision.all import (
    CategoryBlock,
    DataBlock,
    GrandparentSplitter,
    ImageBlock,
    PILImageBW,
    accuracy,
    get_image_files,
    parent_label,
    resnet18,
    set_seed,
    vision_learner,
)

folder, epochs = sys.argv[1], int(sys.argv[2])
set_seed(0)
pictures = DataBlock(
    blocks=(ImageBlock(PILImageBW), CategoryBlock),
    get_items=get_image_files,
    splitter=GrandparentSplitter(train_name="train", valid_name="test"),
    get_y=parent_label,
)
loaders = pictures.dataloaders(folder, bs=256)
train_step = vision_learner(loaders, resnet18, n_in=1, pretrained=False, metrics=accuracy)
train_step.fit_one_cycle(epochs, 3e-3)
print(train_step.validate()[1])
