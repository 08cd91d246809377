"""The recorded operations of a network, written one after another."""

from operator import attrgetter
from typing import Any

from torch import fx

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.export.emitters import FUNCTIONS, MODULES, unsupported
from fmnist_cli.export.tracing import propagate_shapes
from fmnist_cli.export.writer import BATCH, Tensor, Writer


def write_network(writer: Writer, traced: fx.GraphModule, images: str) -> str:
    """Write each recorded operation; returns the name of the logits."""
    shapes = propagate_shapes(traced)
    values: dict[fx.Node, Any] = {}
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            values[node] = Tensor(images, (BATCH, 1, IMAGE_SIZE, IMAGE_SIZE))
            continue
        args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
        if node.op == "output":
            if not isinstance(args[0], Tensor):
                raise unsupported("a network with several results")
            return args[0].name
        writer.scope = str(node.target) if node.op in ("call_module", "get_attr") else node.name
        values[node] = _as_tensors(_write_node(writer, traced, node, args, kwargs), shapes[node])
    raise AssertionError("a traced network ends with its output")


def _write_node(
    writer: Writer, traced: fx.GraphModule, node: fx.Node, args: Any, kwargs: Any
) -> Any:
    """Write one operation; returns the names of what it gives, or a plain value."""
    if node.op == "get_attr":
        return writer.constant(attrgetter(str(node.target))(traced), str(node.target))
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        emitter = MODULES.get(type(module))
        if emitter is None:
            raise unsupported(f"the module {type(module).__name__} ('{node.target}')")
        return emitter(writer, module, *args, **kwargs)
    if node.op == "call_function" and not _holds_tensor((args, kwargs)):
        return node.target(*args, **kwargs)  # type: ignore[operator] # arithmetic on sizes
    name = getattr(node.target, "__name__", str(node.target))
    qualified_name = f"{getattr(node.target, '__module__', '')}.{name}"
    emitter = FUNCTIONS.get(node.target) or FUNCTIONS.get(qualified_name)
    if emitter is None:
        raise unsupported(f"the function {name}")
    return emitter(writer, *args, **kwargs)


def _holds_tensor(arguments: Any) -> bool:
    found: list[Any] = []
    fx.node.map_aggregate(arguments, found.append)
    return any(isinstance(item, Tensor) for item in found)


def _as_tensors(names: Any, shapes: Any) -> Any:
    """Join the names that an emitter gave with the shapes that torch gives."""
    if isinstance(names, str):
        return Tensor(names, shapes)
    if isinstance(names, list):
        return [Tensor(name, shape) for name, shape in zip(names, shapes, strict=True)]
    return names
