"""Train the network that finds the garment in a photo.

    python -m benchmarks.finder DIR [DIR ...] [--seconds 600] [--output FILE]

DIR is as in `benchmarks.clothing`. Masks come from a classical segmentation at first and from the
network itself in the last of three rounds; `benchmarks.composites` makes most examples. The photos
of held-out senders are never trained on.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import torch
import typer
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from benchmarks.clothing import Photo, open_photo, read_photos
from benchmarks.composites import SIDE, Examples
from benchmarks.segmentation import segment
from fmnist_cli.files import atomic_write
from fmnist_cli.photos.finder import FILE, INPUT_SIDE, MASK_SIDE

BATCH: Final = 64
ROUNDS: Final = 3
LR: Final = 3e-3


def block(channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Convolution, norm, activation."""
    return nn.Sequential(
        nn.Conv2d(channels, out_channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


class Finder(nn.Module):
    """A U-Net of four stages with a global-context term at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.e1 = block(3, 8, 2)
        self.e2 = nn.Sequential(block(8, 32, 2), block(32, 32))
        self.e3 = nn.Sequential(block(32, 64, 2), block(64, 64), block(64, 64))
        self.e4 = nn.Sequential(block(64, 96, 2), block(96, 96))
        self.context = nn.Linear(96, 96)
        self.e5 = block(96, 96)
        self.d3 = block(96 + 64, 64)
        self.d2 = block(64 + 32, 32)
        self.shuffle = nn.Sequential(nn.Conv2d(32, 32, 1), nn.PixelShuffle(2))
        self.d1 = block(16, 8)
        self.out = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, photos: Tensor) -> Tensor:
        """Map uint8 [N, 96, 96, 3] to mask logits [N, 48, 48]."""
        x1 = self.e1(photos.permute(0, 3, 1, 2).float() / 255 - 0.5)
        x2 = self.e2(x1)
        x3 = self.e3(x2)
        x4 = self.e4(x3)
        x4 = self.e5(x4 + self.context(x4.mean((2, 3)))[..., None, None])
        y = self.d3(torch.cat([_double(x4), x3], 1))
        y = self.d2(torch.cat([_double(y), x2], 1))
        y = self.d1(torch.cat([self.shuffle(y), x1], 1))
        logits: Tensor = self.out(y)[:, 0]
        return logits


def _double(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def main(directories: list[Path], seconds: float = 600, output: Path = FILE) -> None:
    """Segment, train three rounds of some seconds, write the ONNX file."""
    photos = read_photos(directories)
    with ProcessPoolExecutor() as pool:
        pixels = np.stack(list(pool.map(_read, photos, chunksize=32)))
        masks, quality = map(np.stack, zip(*pool.map(segment, pixels, chunksize=32), strict=True))
    is_held_out = np.array([photo.is_held_out for photo in photos])
    torch.manual_seed(0)
    network = Finder().to(memory_format=torch.channels_last)
    for number in range(ROUNDS):
        if number == ROUNDS - 1:
            masks, quality = _own_masks(network, pixels, masks)
        train(network, pixels, masks, np.where(is_held_out, -1, quality), seconds, number)
    with atomic_write(output) as temporary:
        temporary.write_bytes(to_onnx(network))
    print(output)


def train(
    network: Finder,
    pixels: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    quality: NDArray[np.float32],
    seconds: float,
    seed: int,
) -> None:
    """Train for some time; photos of negative quality are left out."""
    examples = Examples(pixels, masks, quality, seed)
    loader = DataLoader(examples, BATCH, num_workers=1, prefetch_factor=24)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=1e-2)
    started_at = time.monotonic()
    network.train()
    for step, (images, targets, weights) in enumerate(loader):
        share = (time.monotonic() - started_at) / seconds
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = LR * min(step / 100, 1) * max(1 - share, 0.01)
        logits = network(images)
        error = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        found = logits.sigmoid()
        overlap = 2 * (found * targets).sum((1, 2)) + 20
        dice = 1 - overlap / (found.sum((1, 2)) + targets.sum((1, 2)) + 20)
        loss = ((error.mean((1, 2)) + dice / 2) * weights).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 99:
            print(f"round {seed + 1}  step {step + 1}  loss {loss.item():.4f}", flush=True)
    network.eval()


def _read(photo: Photo) -> NDArray[np.uint8]:
    """A photo squeezed to a square, uint8 [128, 128, 3]."""
    return np.asarray(open_photo(photo.path).resize((SIDE, SIDE), Image.Resampling.BOX))


@torch.inference_mode()
def _own_masks(network: Finder, pixels: Any, masks: Any) -> tuple[Any, Any]:
    """Masks of the network, averaged with earlier ones wherever both agree, and their quality."""
    small = np.stack(
        [
            cv2.resize(each, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA)
            for each in pixels
        ]
    )
    found = []
    for start in range(0, len(small), 128):
        batch = torch.from_numpy(small[start : start + 128])
        both = network(batch).sigmoid() + network(batch.flip(2)).sigmoid().flip(2)
        found.append((both / 2).numpy())
    own = np.stack([cv2.resize(each, (SIDE, SIDE)) for each in np.concatenate(found)])
    shared, either = (own > 0.5) & (masks > 0), (own > 0.5) | (masks > 0)
    agrees = shared.sum((1, 2)) > 0.9 * np.maximum(either.sum((1, 2)), 1)
    own = np.where(agrees[:, None, None], (own + masks) / 2, own)
    inside = [each[each > 0.5].mean() if (each > 0.5).any() else 0 for each in own]
    area = (own > 0.5).mean((1, 2))
    is_good = (np.array(inside) > 0.9) & (area > 0.05) & (area < 0.8)
    return (own > 0.5).astype(np.uint8), is_good.astype(np.float32)


def to_onnx(network: Finder) -> bytes:
    """The network with a sigmoid as ONNX, its weights in half precision."""
    example = torch.zeros(2, INPUT_SIDE, INPUT_SIDE, 3, dtype=torch.uint8)
    program = torch.onnx.export(
        nn.Sequential(network, nn.Sigmoid()).eval(),
        (example,),
        dynamo=True,
        opset_version=18,
        input_names=["photos"],
        output_names=["masks"],
        dynamic_shapes=({0: torch.export.Dim("N")},),
        external_data=False,
    )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    graph = model.graph
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del item.metadata_props[:]  # stack traces
        item.doc_string = ""
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 64:
            half = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}_half")
            graph.initializer.remove(tensor)
            graph.initializer.append(half)
            graph.node.insert(0, helper.make_node("Cast", [half.name], [tensor.name], to=1))
    model.producer_name, graph.name = "fmnist-cli", "finder"
    onnx.checker.check_model(model, full_check=True)
    assert network(example).shape[1:] == (MASK_SIDE, MASK_SIDE)
    content: bytes = model.SerializeToString()
    return content


if __name__ == "__main__":
    typer.run(main)
