"""How images become batches."""

import asyncio
import threading

import numpy as np
import pytest

from fmnist_cli.data.images import Images
from fmnist_cli.inference.classifier import Probabilities
from fmnist_cli.serve.batching import MAX_BATCH, Batcher

pytestmark = pytest.mark.anyio


class Network:
    """Gives each image its first pixel as probability; holds batches back until it is let go."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.go = threading.Event()

    def __call__(self, images: Images) -> Probabilities:
        self.sizes.append(len(images))
        self.go.wait(10)
        if images[0, 0, 0] == 255:
            raise ValueError("flaw")
        return images[:, 0, :1].astype(np.float32)


@pytest.fixture
def network() -> Network:
    return Network()


def image(value: int) -> Images:
    return np.full((28, 28), value, np.uint8)


async def test_what_waits_goes_together_and_no_batch_is_larger_than_the_largest(
    network: Network,
) -> None:
    batcher = Batcher(network)
    first = batcher.submit(image(1))
    await asyncio.sleep(0.05)
    rest = [batcher.submit(image(2 + n)) for n in range(MAX_BATCH + 3)]
    network.go.set()
    assert (await first).tolist() == [1]
    values = [float(one[0]) for one in await asyncio.gather(*rest)]
    assert values == list(range(2, MAX_BATCH + 5))
    assert network.sizes == [1, MAX_BATCH, 3]


async def test_one_image_does_not_wait_for_others(network: Network) -> None:
    batcher = Batcher(network)
    network.go.set()
    for value in range(3):
        answer = await asyncio.wait_for(batcher.submit(image(value)), 1)
        assert answer.tolist() == [value]
    assert network.sizes == [1, 1, 1]


async def test_an_error_reaches_its_batch_alone(network: Network) -> None:
    batcher = Batcher(network)
    bad = [batcher.submit(image(255)), batcher.submit(image(3))]
    await asyncio.sleep(0.05)
    good = batcher.submit(image(4))
    network.go.set()
    for one in bad:
        with pytest.raises(ValueError, match="flaw"):
            await one
    assert (await good).tolist() == [4]


async def test_what_was_given_up_is_not_classified(network: Network) -> None:
    batcher = Batcher(network)
    first = batcher.submit(image(1))
    await asyncio.sleep(0.05)
    given_up, kept = batcher.submit(image(2)), batcher.submit(image(3))
    given_up.cancel()
    first.cancel()  # too late to save the work; its result is dropped
    network.go.set()
    assert (await kept).tolist() == [3]
    assert network.sizes == [1, 1]
