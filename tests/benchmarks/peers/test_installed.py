from benchmarks.peers.installed import closure, describe, requirements


def test_closure_follows_requirements_without_extras() -> None:
    brought = closure("fmnist-cli")
    assert {"fmnist-cli", "typer", "rich", "markdown-it-py", "torch"} <= brought
    assert "tensorboard" not in brought
    assert "pytest" not in set(requirements("fmnist-cli"))


def test_torch_is_counted_for_nobody() -> None:
    ours = describe("fmnist-cli")
    assert ours["packages"] == len(closure("fmnist-cli") - closure("torch", "torchvision"))
    assert describe("torch")["packages"] == 0
    assert describe("torch")["bytes"] == 0


def test_our_own_files_count_where_they_are_edited_in_place() -> None:
    alone = describe("fmnist-cli")["bytes"]
    assert alone > 100_000_000  # onnxruntime, pandas and scikit-learn among them
