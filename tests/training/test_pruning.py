"""What is left out of an epoch, and that it comes back."""

import torch

from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import ALONE, Process
from fmnist_cli.training.pruning import Pruning
from tests.training.small import CPU


def pruning(images: int = 100, share: float = 0.5, batch_size: int = 10) -> Pruning:
    return Pruning(images, TrainConfig(prune=share, batch_size=batch_size), CPU)


def see(made: Pruning, positions: torch.Tensor, losses: torch.Tensor) -> None:
    """Show images of class 0 of two, with logits whose cross-entropy is `losses`."""
    logits = torch.stack([torch.zeros_like(losses), torch.log(torch.expm1(losses))], dim=1)
    made.see(positions, logits, torch.zeros(len(losses), dtype=torch.int64))


def chosen(made: Pruning, epoch: int) -> list[int]:
    """The images of an epoch; all of them if none is left out."""
    made.begin(epoch)
    return list(range(made.images)) if made.chosen is None else made.chosen.tolist()


def test_half_of_the_easier_half_is_left_out_of_later_epochs() -> None:
    made = pruning()
    assert chosen(made, 0) == list(range(100))
    losses = torch.arange(1, 101) / 100
    order = torch.randperm(100)
    for positions in order.view(10, 10):
        see(made, positions, losses[positions])
    made.gather(ALONE)
    first, second = chosen(made, 1), chosen(made, 2)
    assert len(first) == made.size(1) == 75
    assert set(range(50, 100)) <= set(first) & set(second)
    assert first != second  # what was left out may come back


def test_what_was_never_seen_is_not_left_out() -> None:
    made = pruning(share=1.0)
    see(made, torch.arange(60), torch.full((60,), 3.0))
    made.gather(ALONE)
    assert set(range(60, 100)) <= set(chosen(made, 1))


def test_a_new_loss_takes_the_place_of_the_old_one() -> None:
    made = pruning(images=4, share=1.0, batch_size=1)
    see(made, torch.arange(4), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    made.gather(ALONE)
    see(made, torch.tensor([0, 3]), torch.tensor([9.0, 0.5]))
    made.gather(ALONE)
    assert chosen(made, 1) == [0, 2]


def test_an_epoch_keeps_enough_for_a_batch() -> None:
    assert pruning(images=10, share=1.0, batch_size=10).size(1) == 10
    assert pruning(images=10, share=1.0, batch_size=8).size(1) == 8


def test_mixed_labels_have_losses_too() -> None:
    made = pruning(images=2, share=1.0, batch_size=1)
    logits, labels = torch.zeros(2, 10), torch.full((2, 10), 0.1)
    logits[1, 0] = 5.0
    made.see(torch.arange(2), logits, labels)
    made.gather(ALONE)
    assert chosen(made, 1) == [1]


def test_processes_share_what_each_has_seen() -> None:
    class Pair(Process):
        def sum(self, values: torch.Tensor) -> torch.Tensor:
            return values.add_(other)

    made = pruning(images=4, share=1.0, batch_size=1)
    other = torch.zeros(2, 4)
    other[:, 2:] = torch.tensor([[0.1, 0.2], [1.0, 1.0]])
    see(made, torch.arange(2), torch.tensor([1.0, 2.0]))
    made.gather(Pair())
    assert chosen(made, 1) == [0, 1]
