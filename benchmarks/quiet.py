"""Whether a measurement had the machine for itself, where the system tells (Linux)."""

import os
import time
from pathlib import Path
from typing import Final, Self

from fmnist_cli.devices import usable_cores

STATISTICS: Final = Path("/proc/stat")
MOST_TAKEN: Final = 0.05
"""Share of the cores that others may take before a time means nothing."""


class Watch:
    """Watches from `with` to its end: `taken` is the share of the cores that others used then.

    Others are all processes but this one and its children that have ended, and whatever runs
    beside a virtual machine. 0.0 where the system does not tell.
    """

    taken: float = 0.0

    def __enter__(self) -> Self:
        self._before = self._readings()
        return self

    def __exit__(self, *_error: object) -> None:
        taken, seconds = (
            after - before for after, before in zip(self._readings(), self._before, strict=True)
        )
        self.taken = max(0.0, taken / (seconds * usable_cores()))

    @property
    def is_quiet(self) -> bool:
        """Whether others took next to nothing."""
        return self.taken <= MOST_TAKEN

    @staticmethod
    def _readings() -> tuple[float, float]:
        """Seconds of cores that others have used, and the time."""
        times = os.times()
        ours = times.user + times.system + times.children_user + times.children_system
        return busy_seconds() - ours if STATISTICS.exists() else 0.0, time.monotonic()


def busy_seconds(statistics: Path = STATISTICS) -> float:
    """Seconds of all cores since the start that were not idle."""
    total = statistics.read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, total[:8])
    busy = user + nice + system + interrupts + soft_interrupts + stolen
    return busy / os.sysconf("SC_CLK_TCK")
