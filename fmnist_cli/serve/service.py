"""Uploads to predictions: decoding in threads, classifying in batches, limits on what waits."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from threading import Lock
from typing import Final

from starlette.exceptions import HTTPException

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.image_files import claimed_pixels
from fmnist_cli.data.pictures import PhotoMode, Picture, decode, decode_data_set_image
from fmnist_cli.devices import usable_cores
from fmnist_cli.errors import FmnistError
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.inference.predictor import Prediction
from fmnist_cli.serve.batching import Batcher
from fmnist_cli.serve.uploads import RETRY_LATER, Upload

MAX_WAITING: Final = 512
"""Pictures that may wait for their prediction; photos take two cores about two seconds."""
MAX_PIXELS: Final = 12_500_000
"""Of a picture; four times as many for JPEG, the format of large photos. Decoding takes up to 85
MB."""
_LARGE_PIXELS: Final = 2_000_000
"""Pictures above are decoded one after the other, so that memory is bounded."""
ANSWER_SECONDS: Final = 30
_MAX_DECODERS: Final = 4

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + 2 * IMAGE_SIZE.to_bytes(4, "big")
"""First bytes of a 28×28 PNG file."""
_SMALL_BYTES: Final = 4_000


class Service:
    """Predictions for uploads. All methods belong to the event loop."""

    def __init__(self, classifier: Classifier) -> None:
        self.classes = classifier.classes
        self._batcher = Batcher(classifier)
        self._waiting = 0
        self._answered = 0
        workers = max(2, min(usable_cores(), _MAX_DECODERS))
        self._decoding_large = Lock()
        self._decoders = ThreadPoolExecutor(workers, thread_name_prefix="fmnist-decode")

    @property
    def is_ready(self) -> bool:
        """Whether another picture would be accepted."""
        return self._waiting < MAX_WAITING

    async def predict(self, uploads: Sequence[Upload], photo: PhotoMode) -> list[Prediction]:
        """Classify pictures; one that can't be read gets its error in its place.

        Raises HTTPException 503 if too many are waiting or the answer takes too long.
        """
        if self._waiting and self._waiting + len(uploads) > MAX_WAITING:
            raise HTTPException(503, "too many pictures are waiting; try again", RETRY_LATER)
        self._waiting += len(uploads)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if len(uploads) == 1:  # a task of its own would take longer than the rest
                    return [await self._predict(uploads[0], photo)]
                return await asyncio.gather(*(self._predict(one, photo) for one in uploads))
        except TimeoutError:
            raise HTTPException(503, f"no answer within {ANSWER_SECONDS} s", RETRY_LATER) from None
        finally:
            self._waiting -= len(uploads)
            self._answered += len(uploads)

    def counts(self) -> dict[str, int]:
        """Counters by the names that `/metrics` gives them."""
        return {
            "fmnist_pictures_total": self._answered,
            "fmnist_batches_total": self._batcher.batches,
            "fmnist_pictures_waiting": self._waiting,
        }

    async def _predict(self, upload: Upload, photo: PhotoMode) -> Prediction:
        try:
            picture = await self._decode(upload.content, photo)
        except FmnistError as error:
            return Prediction(upload.name, None, None, str(error))
        return Prediction(upload.name, picture, await self._batcher.submit(picture.pixels), None)

    async def _decode(self, content: bytes, photo: PhotoMode) -> Picture:
        # Decoding an image of the data set takes no longer than handing it to a thread.
        if photo == "auto" and len(content) < _SMALL_BYTES and content.startswith(_PNG_HEAD):
            picture = decode_data_set_image(content)
            if picture is not None:
                return picture
        job = partial(self._decode_anything, content, photo)
        return await asyncio.get_running_loop().run_in_executor(self._decoders, job)

    def _decode_anything(self, content: bytes, photo: PhotoMode) -> Picture:
        is_large = claimed_pixels(content) > _LARGE_PIXELS
        with self._decoding_large if is_large else nullcontext():
            return decode(content, photo=photo, max_pixels=MAX_PIXELS)
