import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.quiet import STATISTICS, Watch, busy_seconds

BUSY = "import time\nuntil = time.monotonic() + 0.5\nwhile time.monotonic() < until: pass"


def test_idle_time_is_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "stat"
    file.write_text("cpu  100 20 30 99999 88888 4 5 41 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n")
    assert busy_seconds(file) == pytest.approx(200 / 100)


@pytest.mark.skipif(not STATISTICS.exists(), reason="the system does not tell")
def test_only_others_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.quiet.busy_seconds", lambda: 0.0)  # nobody else, nor we
    with Watch() as ours:
        subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert ours.taken == 0.0
    readings = iter((10.0, 1_000.0))
    monkeypatch.setattr("benchmarks.quiet.busy_seconds", lambda: next(readings))
    with Watch() as disturbed:
        pass
    assert not disturbed.is_quiet
