"""`--time-budget`: the clock drives the schedule, and training ends in time."""

import time


class Budget:
    """Seconds for training, from which the share that is spent drives the schedule.

    As many steps are taken as fit, so the schedule is always finished, and a slow moment of the
    machine costs steps, not punctuality.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = max(seconds, 1e-3)
        self._started_at = time.monotonic()

    def reserve(self, seconds: float) -> None:
        """Reserve seconds at the end for what follows the last step."""
        self.seconds = max(self.seconds - seconds, 1e-3)

    def seconds_left(self) -> float:
        """Seconds until training has to end."""
        return (1 - self.share_spent()) * self.seconds

    def share_spent(self) -> float:
        """Share of the budget that is spent: 0 at the start, 1 when training has to end."""
        return min(1.0, (time.monotonic() - self._started_at) / self.seconds)

    def resume_at(self, share: float) -> None:
        """Continue as if this share of the budget had been spent."""
        self._started_at = time.monotonic() - share * self.seconds
