"""Batches are a function of (seed, epoch, step), whole or shared."""

import pytest
import torch

from fmnist_cli.data.normalization import Normalization
from fmnist_cli.training.augment import AUGMENTATIONS
from fmnist_cli.training.batches import Batches, seed_of
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import ALONE, Process
from tests.training.small import CPU, squares


def batches(
    n: int = 100,
    *,
    augment: str = "none",
    normalization: Normalization = Normalization.RAW,
    process: Process = ALONE,
) -> Batches:
    config = TrainConfig(batch_size=16, augment=augment)
    return Batches(squares(n), config, normalization, CPU, process)


def test_an_epoch_holds_each_image_at_most_once_and_drops_the_rest() -> None:
    made = batches(100)
    images = torch.cat([batch.images for batch in made.epoch(0)])
    assert len(made) == 6
    assert len(images) == 96
    assert len({image.numpy().tobytes() for image in images}) == 96


def test_epochs_differ_and_repeat() -> None:
    made = batches()
    first = [batch.labels for batch in made.epoch(0)]
    again = [batch.labels for batch in made.epoch(0)]
    other = [batch.labels for batch in made.epoch(1)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_an_epoch_can_be_entered_in_the_middle() -> None:
    made = batches(augment="flip,shift:2,erase,cutmix")
    whole = list(made.epoch(3))
    entered = list(made.epoch(3, first_step=4))
    assert [batch.step for batch in entered] == [4, 5]
    assert torch.equal(entered[0].images, whole[4].images)
    assert torch.equal(entered[0].labels, whole[4].labels)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_is_applied(name: str) -> None:
    plain, augmented = (next(iter(batches(augment=chain).epoch(0))) for chain in ("none", name))
    assert not torch.equal(plain.images, augmented.images)


@pytest.mark.parametrize("augment", ["none", "flip,shift:2", "altflip,rotate:9,zoom:0.1,erase:0.9"])
def test_shares_put_together_are_the_whole_batch(augment: str) -> None:
    whole = next(iter(batches(augment=augment).epoch(1)))
    shared = [batches(augment=augment, process=Process(rank, count=4)) for rank in range(4)]
    parts = [next(iter(each.epoch(1))) for each in shared]
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    assert torch.equal(torch.cat([part.labels for part in parts]), whole.labels)


def test_preparation_is_the_one_that_inference_applies() -> None:
    data = squares(16)
    prepared = batches(16, normalization=Normalization.STANDARD).in_order().images
    assert torch.allclose(
        prepared, torch.from_numpy(Normalization.STANDARD.apply(data.images)), atol=1e-6
    )
    raw = batches(16).in_order().images
    assert float(raw.min()) >= 0
    assert float(raw.max()) <= 1


def test_neighboring_seeds_do_not_resemble() -> None:
    seeds = {seed_of(a, b, c) for a in range(5) for b in range(5) for c in range(5)}
    assert len(seeds) == 125
    assert all(0 <= seed < 2**63 for seed in seeds)
