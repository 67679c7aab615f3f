"""A PyTorch module with a sample input, through ``torch.export``: ATen's operations, and the weights as they are.

A weight of ``nn.Linear`` stays as PyTorch stores it, outputs × inputs, so that ``∂E/∂W`` has the shape of ``.grad``,
and the layer reads ``z = x @ W.T + b``. ``transpose=True`` stores it the other way round: ``z = x @ W + b``.
A single-precision number is meant as its shortest decimal (``0.1``, not 0.100000001490116…), which names the same
float; ``exact=True`` takes the binary value to its last digit. Where a derivative is a convention (a kink, a tie of
``max``, which PyTorch shares out among the largest), derive's holds.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from derive.errors import DeriveError
from derive.problem.names import NAME
from derive.problem.problem import Problem
from derive.problem.sources.arrays import Array, Arrays
from derive.problem.sources.aten import OPERATIONS, Call
from derive.problem.sources.draft import Draft, Shape
from derive.problem.sources.extras import extra
from derive.problem.sources.losses import Loss
from derive.problem.sources.stored import Part, Steps, exactly
from derive.problem.wording import kind, shown

MOST_NODES = 20_000


def from_torch(
    module: Any,
    sample: Any,
    target: Any = None,
    *,
    loss: Loss | Callable[..., Any] | None = None,
    output: int | None = None,
    transpose: bool = False,
    exact: bool = False,
    ask: Mapping[str, Any] | None = None,
    convention: Mapping[str, Any] | None = None,
    title: str | Mapping[str, str] | None = None,
    name: str = "problem",
    **tables: Mapping[str, Any],
) -> Problem:
    """The problem of a ``torch.nn.Module`` at a sample input (a tensor, or a tuple of them).

    ``loss`` is one of derive's (``derive.MSELoss()``), or anything of PyTorch's that is called with output and target
    (``torch.nn.MSELoss()``). ``output`` chooses from several outputs, counted from 0. The module is traced in the mode
    it is in: ``module.eval()`` for dropout and batch norm as at test time. Parameters that need no gradient are given
    data. The other arguments are tables of a problem file. Raises ``ProblemError`` where PyTorch is missing or the
    module cannot be traced, and ``Unsupported`` for an operation that has no place in a problem, with where it stands.
    """
    torch = extra("torch", "a PyTorch module")
    draft = Draft(type(module).__name__)
    if not isinstance(module, torch.nn.Module):
        raise draft.error(f"{kind(module)} is no torch.nn.Module")
    inputs = tuple(_tensor(torch, one, draft) for one in (sample if isinstance(sample, tuple) else (sample,)))
    outside = loss is not None and not isinstance(loss, Loss)
    if target is not None:
        if loss is None:
            raise draft.error("a target without a loss", hint="loss=torch.nn.MSELoss()")
        if outside:
            target = _tensor(torch, target, draft)
    if outside and target is None:
        raise draft.error("a loss without a target")
    traced = _traced(torch, module, inputs, loss if outside else None, target, output, draft)
    tracer = _Tracer(torch, traced, draft, exact)
    tracer.inputs(_argument_names(module, len(inputs)), (*inputs, target) if outside else inputs)
    result = tracer.run()
    if isinstance(loss, Loss):
        values = target.detach().cpu().numpy() if isinstance(target, torch.Tensor) else target
        result = loss.draw(tracer.arrays, tracer.arrays.let(result, "soft"), values)
    own = {"title": title, "ask": ask, "convention": convention, **tables}
    return draft.problem(result.node, transpose=transpose, tables=own, name=name)


def _tensor(torch: Any, value: Any, draft: Draft) -> Any:
    if isinstance(value, torch.Tensor):
        return value
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise draft.error(f"the sample {shown(value)} is no tensor: {error}") from None


def _argument_names(module: Any, count: int) -> list[str]:
    """The names of forward's arguments where they can stand in a problem; empty ones are named later."""
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return [""] * count
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    found = [name if NAME.fullmatch(name) and name not in ("input", "inputs") else "" for name in plain]
    return [*found, *[""] * count][:count]


def _traced(
    torch: Any, module: Any, inputs: tuple[Any, ...], loss: Any, target: Any, output: int | None, draft: Draft
) -> Any:
    """The exported program. Whatever goes wrong inside PyTorch becomes one message."""

    class Whole(torch.nn.Module):  # type: ignore[misc]
        """The module, the output chosen, and the loss behind it."""

        def __init__(self) -> None:
            super().__init__()
            self.module = module
            self.loss = loss

        def forward(self, inputs: tuple[Any, ...], target: Any = None) -> Any:
            found = self.module(*inputs)
            if output is not None:
                found = found[output]
            return found if self.loss is None else self.loss(found, target)

    arguments = (inputs,) if loss is None else (inputs, target)
    whole = Whole()
    whole.train(module.training)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(whole, arguments, strict=False)
    except DeriveError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's module runs here, and PyTorch raises nearly anything
        lines = [line for line in str(error).strip().splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        raise draft.error(f"torch.export cannot trace it: {shown(reason, 300)[1:-1]}") from None


class _Tracer:
    """Walks the graph of an exported program; ``found`` has what each node of it is."""

    def __init__(self, torch: Any, program: Any, draft: Draft, exact: bool) -> None:
        self.torch, self.program, self.draft, self.exact = torch, program, draft, exact
        self.arrays = Arrays(draft)
        self.found: dict[str, Any] = {}

    def inputs(self, names: Sequence[str], tensors: Sequence[Any]) -> None:
        """Parameters and buffers become arrays where they are first used, the sample at once."""
        signature, state = self.program.graph_signature, dict(self.program.state_dict)
        state.update(self.program.constants)
        stored = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        same: dict[Any, Part] = {}
        waiting = list(tensors)
        roles = [*((name, "input") for name in names), ("", "target")]
        for node in self.program.graph.nodes:
            if node.op != "placeholder":
                continue
            if node.name in stored:
                path = stored[node.name]
                tensor = state[path]
                key = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride()) if tensor.numel() else node.name
                trained = node.name in signature.inputs_to_parameters and tensor.requires_grad
                made = Part(self.arrays, tuple(tensor.shape), self.value(tensor), trained, path.removeprefix("module."))
                self.found[node.name] = same.setdefault(key, made)  # tied weights are one parameter
            else:
                self.found[node.name] = self._sample(waiting.pop(0), *roles.pop(0))

    def _sample(self, tensor: Any, name: str, role: str) -> Part:
        taken = name in self.draft.data
        part = Part(self.arrays, tuple(tensor.shape), self.value(tensor), False, "", None if taken else name or None)
        part.role = role
        return part

    def value(self, tensor: Any) -> Any:
        """A tensor as an array of NumPy's, in its own precision."""
        tensor = tensor.detach().cpu()
        if tensor.dtype in (self.torch.bfloat16,):
            tensor = tensor.float()
        if tensor.dtype == self.torch.bool:
            tensor = tensor.to(self.torch.int64)
        if tensor.is_complex():
            raise self.draft.unsupported("complex numbers")
        array = tensor.numpy()
        return exactly(array) if self.exact and array.dtype.kind == "f" else array

    def run(self) -> Array:
        """The array that the graph ends in."""
        nodes = list(self.program.graph.nodes)
        if len(nodes) > MOST_NODES:
            raise self.draft.error(f"a graph of {len(nodes)} operations, at most {MOST_NODES} are read")
        for node in nodes:
            if node.op == "call_function":
                self.draft.where = _where(node)
                self.found[node.name] = self._step(node)
            elif node.op == "output":
                self.draft.where = ""
                return self._result(node.args[0])
            elif node.op != "placeholder":
                raise self.draft.unsupported(f"a graph with {node.op}")
        raise self.draft.error("forward gives nothing")

    def _result(self, outputs: Any) -> Array:
        every = [one for one in (outputs if isinstance(outputs, tuple | list) else [outputs]) if one is not None]
        if len(every) != 1:
            raise self.draft.error(f"forward gives {len(every)} outputs", hint="output=0 chooses the first")
        result = self._argument(every[0])
        return result.array() if isinstance(result, Part | Steps) else result

    def _step(self, node: Any) -> Any:
        target = node.target
        if getattr(target, "__name__", "") == "getitem":
            return self._argument(node.args[0])[node.args[1]]
        schema = getattr(target, "_schema", None)
        if schema is None:
            raise self.draft.unsupported(f"{shown(target)} is no operation of a network", OPERATIONS)
        name = schema.name.split("::")[-1]
        name = name[:-1] if name.endswith("_") and not name.startswith("_") else name  # in place, as in x.relu_()
        handler = OPERATIONS.get(name)
        if handler is None:
            raise self.draft.unsupported(f"the operation {name}", OPERATIONS)
        given = dict(zip((argument.name for argument in schema.arguments), node.args, strict=False)) | dict(node.kwargs)
        bound = {a.name: self._argument(given.get(a.name, a.default_value)) for a in schema.arguments}
        value = node.meta.get("val")
        shape: Shape | None = tuple(int(size) for size in value.shape) if hasattr(value, "shape") else None
        made = handler(Call(self.arrays, name, bound, _layer(node)))
        if isinstance(made, Array) and shape is not None and made.shape != shape:
            raise self.draft.unsupported(f"{name} of these shapes: it gives {shape}, and here {made.shape}")
        return made

    def _argument(self, value: Any) -> Any:
        if isinstance(value, self.torch.fx.Node):
            return self.found[value.name]
        if isinstance(value, tuple | list):
            return [self._argument(one) for one in value]
        return value


def _layer(node: Any) -> str:
    """``layer fc1 (Linear)`` for what stands in a module of PyTorch's own."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    if not stack:
        return ""
    path, kind_of = stack[-1]
    path = str(path).removeprefix("module").removeprefix(".")
    kind_of = kind_of if isinstance(kind_of, str) else f"{kind_of.__module__}.{kind_of.__name__}"
    return f"layer {path} ({kind_of.rsplit('.', 1)[-1]})" if path and kind_of.startswith("torch.nn.modules") else ""


def _where(node: Any) -> str:
    """The layer, or the line of forward, that an operation comes from."""
    if layer := _layer(node):
        return layer
    for line in reversed((node.meta.get("stack_trace") or "").splitlines()):
        line = line.strip()
        if line.startswith("File ") and ", line " in line and "site-packages" not in line:
            file, number = line.split(", ")[:2]
            return f"{file.removeprefix('File ').strip(chr(34)).rsplit('/', 1)[-1]} {number}"
    return ""
