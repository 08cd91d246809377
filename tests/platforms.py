"""Marks for tests of what only some systems have."""

import os
import sys

import pytest

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals, pipes and links of POSIX")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="devices and file names of Linux")
