"""The C library's memory, kept between training steps."""

import ctypes
import sys
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEEP_BLOCKS_TO_BYTES: Final = 1 << 30


def keep_freed_memory() -> None:
    """Ask glibc to keep freed memory for the next step instead of giving it back to the kernel.

    A step on a CPU frees and takes the same hundreds of megabytes again; handed back, each page is
    faulted in and zeroed anew. Does nothing where the C library is another one.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _KEEP_BLOCKS_TO_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
