from pathlib import Path

from benchmarks.harness.kept import Kept


def test_figures_are_kept_between_calls(tmp_path: Path) -> None:
    path = tmp_path / "work" / "results.json"
    first = Kept(path)
    assert first.of("") == []
    first.keep("fast/1", {"accuracy": 92.0})
    first.keep("best/1", {"accuracy": 96.0})
    first.keep("fast/0", {"accuracy": 93.0})
    second = Kept(path)
    assert second.found == first.found
    assert second.of("fast/") == [{"accuracy": 92.0}, {"accuracy": 93.0}]
    second.keep("fast/1", {"accuracy": 92.5})
    assert Kept(path).of("fast/") == [{"accuracy": 92.5}, {"accuracy": 93.0}]
