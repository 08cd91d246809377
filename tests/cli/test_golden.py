"""Training keeps its numbers, bit for bit, from one version of this package to the next.

A change that moves a last bit on purpose replaces the hashes, and its commit states the accuracy of
several seeds before and after.
"""

import hashlib
import platform
from pathlib import Path

import pytest
import torch

from fmnist_cli.checkpoints.weights import open_model
from tests.cli.conftest import Program

HASHES = {
    "AuthenticAMD": {
        "fast": "e905a44dd0472e737975724b",
        "tutorial": "bf538175585f618d1c3782d2",
        "default": "d0e247770368ed26879a846b",
    },
    "GenuineIntel": {
        "fast": "a421af66ade44bc6a3f80b25",
        "tutorial": "407853ee838047b4caa869ea",
        "default": "1d41de61da8f9fadac293efe",
    },
}
"""By the processor's vendor: torch's libraries compute otherwise on each."""
AVX2_ALONE = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
    "OMP_NUM_THREADS": "1",
}
"""Newer processors compute as those with AVX2 do, so that one hash serves several of a vendor's.
Intel's come from a single machine."""


def vendor() -> str:
    """The processor's vendor; empty if its hashes are not known."""
    described = Path("/proc/cpuinfo")
    text = described.read_text() if described.exists() else platform.processor()
    return next((name for name in HASHES if name in text), "")


@pytest.mark.skipif(
    torch.__version__.partition("+")[0] != "2.14.1", reason="bits are those of torch 2.14.1"
)
@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512") or not vendor(),
    reason="bits are those of AMD's and Intel's processors with AVX2",
)
@pytest.mark.parametrize(
    "recipe", ["fast", "tutorial", pytest.param("default", marks=pytest.mark.proof)]
)
def test_weights_are_those_of_earlier_versions(
    fmnist: Program, tmp_path: Path, recipe: str
) -> None:
    words = ("train", "-q", "--recipe", recipe, "--data", "sample", "--epochs", "3")
    fmnist(*words, "--threads", "1", "--precision", "fp32", env=AVX2_ALONE)
    weights = open_model(tmp_path / "model.pt").model.state_dict()
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].contiguous().numpy().tobytes())
    assert digest.hexdigest()[:24] == HASHES[vendor()][recipe]
