"""Images that arrive together go through the network together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

import numpy as np

from fmnist_cli.data.images import Images
from fmnist_cli.inference.classifier import Probabilities

MAX_BATCH: Final = 64

_Answer: TypeAlias = "asyncio.Future[Probabilities]"


class Batcher:
    """Classifies images in batches of whatever is waiting; never waits for a batch to fill.

    While the network runs in a thread of its own, the event loop receives further images, which
    form the next batch. All methods belong to the event loop.
    """

    def __init__(self, classify: Callable[[Images], Probabilities]) -> None:
        """classify: uint8 [N, 28, 28] to float32 [N, K]."""
        self._classify = classify
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fmnist-batch")
        self._waiting: deque[tuple[Images, _Answer]] = deque()
        self._is_running = False
        self.batches = 0
        """Batches that went through the network."""

    def submit(self, pixels: Images) -> _Answer:
        """Queue one image, uint8 [28, 28]; the result is its probabilities, float32 [K].

        Cancelling the result removes the image from the queue.
        """
        loop = asyncio.get_running_loop()
        answer: _Answer = loop.create_future()
        self._waiting.append((pixels, answer))
        if not self._is_running:
            self._is_running = True
            loop.call_soon(self._start)  # what else has just arrived joins the batch
        return answer

    def _start(self) -> None:
        batch: list[tuple[Images, _Answer]] = []
        while self._waiting and len(batch) < MAX_BATCH:
            image = self._waiting.popleft()
            if not image[1].cancelled():
                batch.append(image)
        self._is_running = bool(batch)
        if not batch:
            return
        self.batches += 1
        answers = [answer for _, answer in batch]
        images = np.stack([pixels for pixels, _ in batch])
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._classify, images)
        running.add_done_callback(lambda done: self._finish(answers, done))

    def _finish(self, answers: Sequence[_Answer], done: "asyncio.Future[Probabilities]") -> None:
        error = done.exception()
        for number, answer in enumerate(answers):
            if answer.done():  # its request has given up
                continue
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(done.result()[number])
        self._start()
