"""What a command took, as a small program of its own measures it."""

import sys
from pathlib import Path

import pytest

from benchmarks.harness.commands import timed

MEGABYTE = 1 << 20


def test_a_command_is_timed_and_weighed(tmp_path: Path) -> None:
    held = bytearray(300 * MEGABYTE)  # of this process: none of it may be counted
    small = timed([sys.executable, "-c", "print('out')"], cwd=tmp_path)
    text = f"import time; held = bytearray({100 * MEGABYTE}); time.sleep(0.2)"
    large = timed([sys.executable, "-c", text], cwd=tmp_path)
    assert len(held) == 300 * MEGABYTE
    assert (small.stdout, small.stderr) == ("out\n", "")
    assert 0 < small.peak_bytes < 100 * MEGABYTE
    assert 100 * MEGABYTE <= large.peak_bytes < 200 * MEGABYTE
    assert large.seconds >= 0.2


def test_the_environment_reaches_the_command(tmp_path: Path) -> None:
    text = "import os; print(os.environ['GIVEN'])"
    found = timed([sys.executable, "-c", text], cwd=tmp_path, environment={"GIVEN": "yes"})
    assert found.stdout == "yes\n"


def test_a_command_that_fails_ends_the_measurement() -> None:
    with pytest.raises(SystemExit, match=r"ended with 3\nwhy"):
        timed([sys.executable, "-c", "import sys; sys.stderr.write('why'); sys.exit(3)"])
