"""Run the measurements one after another; each prints its baseline and its ratio.

    python -m benchmarks [NAME ...]

Without names all of them run.
"""

import subprocess
import sys

MEASUREMENTS = ("tutorial_epoch", "augmentation", "onnx_throughput", "balanced", "fine_tuning")


def main() -> int:
    """Run them; gives 1 if one of them failed or does not exist."""
    names = sys.argv[1:] or MEASUREMENTS
    failed = [name for name in names if name not in MEASUREMENTS]
    for name in names:
        if name in MEASUREMENTS:
            print(f"== {name}", flush=True)
            if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
                failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}; there are {', '.join(MEASUREMENTS)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
