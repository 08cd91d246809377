"""Measurements are made on POSIX systems: they ask the kernel what a command took."""

import os

collect_ignore_glob = [] if os.name == "posix" else ["*"]
