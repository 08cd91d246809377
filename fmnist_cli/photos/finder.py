"""Find the garment in a photo with a small network, run by ONNX Runtime.

The network is a U-Net of 457,793 parameters, trained by `make finder` (see benchmarks/finder.py);
finder.md states data, license and figures.
"""

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FILE: Final = Path(__file__).with_name("finder.onnx")
INPUT_SIDE: Final = 96
MASK_SIDE: Final = 48
_LOCK: Final = threading.Lock()


def find_garment(photo: Image.Image) -> NDArray[np.float32]:
    """Probability that a pixel belongs to the garment, float32 [48, 48], for an RGB photo.

    The mask covers the whole photo, whatever its aspect ratio. Safe to call from several threads.
    """
    small = photo.resize((INPUT_SIDE, INPUT_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    with _LOCK:  # or the threads that prepare the first photos would each open one
        session = _session()
    (masks,) = session.run(["masks"], {"photos": np.asarray(small)[None]})
    mask: NDArray[np.float32] = masks[0]
    return mask


@cache
def _session() -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # photos are prepared in parallel, a thread each
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(FILE, options, providers=["CPUExecutionProvider"])
