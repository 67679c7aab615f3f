"""Like terms together, numbers in front, scalars before matrices: the form in which a formula is printed.

Each function here is a rule that a recorded step can be replayed with: it takes an expression and gives an equal one.
"""

from __future__ import annotations

from collections.abc import Callable

from flint import fmpq

from derive.graph import ops
from derive.graph.expression import Adjoint, Expression, constant, is_constant, leaf
from derive.graph.factors import cancelled, product_of, turned, twins, without_unit
from derive.graph.fractions import fraction_out
from derive.graph.network import Network
from derive.graph.ops.rearranging import concat, put, take
from derive.graph.sizes import is_scalar
from derive.graph.tiling import side_by_side


def collect(expression: Expression) -> Expression:
    """The same value in normal form. Idempotent; shapes are kept."""
    args = tuple(collect(arg) for arg in expression.args)
    node = Expression(expression.op, args, expression.at, expression.shape)
    match node.op:
        case "multiply":
            return _product(node)
        case "add":
            return _sum(node)
        case "matmul":
            short = without_unit(node)
            return short if short is not None else _scalars_out(_one_by_one(node), lambda cores: _matmul(*cores))
        case "transpose":
            turn = turned(node)
            if turn is not None:
                return collect(turn)
            return _scalars_out(node, lambda cores: collect(ops.transpose(*cores)))
        case "sum" if args[0].op == "spread" and not args[0].args[0].shape and is_scalar(args[0].shape):
            return ops.spread(args[0].args[0], node.shape)  # one term
        case "sum":
            return _scalars_out(node, lambda cores: ops.total(cores[0], node.at[0]))
        case "spread":
            return _scalars_out(node, lambda cores: ops.spread(cores[0], node.shape))
        case "divide":
            return _quotient(node)
        case "slice":
            return _scalars_out(node, lambda cores: take(cores[0], node.at))
        case "place" if args[0].shape:
            return _scalars_out(node, lambda cores: put(cores[0], node.at[:-1], node.shape))
    return node


def _matmul(a: Expression, b: Expression) -> Expression:
    product = ops.matmul(a, b)
    short = without_unit(product)
    return product if short is None else short


def coefficient(expression: Expression) -> tuple[fmpq, Expression | None]:
    """``expression = number * rest``; the rest is ``None`` where nothing but the number is left."""
    if expression.op == "constant":
        return expression.number, None
    if expression.op == "multiply" and expression.args[0].op == "constant":
        rest = expression.args[1:]
        return expression.args[0].number, rest[0] if len(rest) == 1 else ops.apply("multiply", *rest)
    return fmpq(1), expression


def times(number: fmpq, rest: Expression | None) -> Expression:
    """``number * rest`` with the number in front."""
    if rest is None:
        return constant(number)
    factors = rest.args if rest.op == "multiply" else (rest,)
    if number == 0:
        return _zeros(rest)
    return rest if number == 1 else ops.apply("multiply", constant(number), *factors)


def _zeros(node: Expression) -> Expression:
    return Expression("zeros", (), (node.shape,), node.shape) if node.shape else constant(0)


def _product(node: Expression) -> Expression:
    number = fmpq(1)
    scalars: list[Expression] = []
    matrices: list[Expression] = []
    for factor in node.args:
        for part in factor.args if factor.op == "multiply" else (factor,):
            own, rest = coefficient(part)
            number *= own
            if part.op == "divide" and is_constant(part.args[0]):
                number *= part.args[0].number
                rest = ops.apply("divide", constant(1), part.args[1])
            if rest is not None and rest.op == "zeros":
                return _zeros(node)
            if rest is not None:
                (matrices if rest.shape else scalars).append(rest)
    if number == 0:
        return _zeros(node)
    whole = ops.multiply(constant(number), *cancelled([*scalars, *matrices]))
    if whole.op == "multiply" and is_constant(whole.args[0]):
        for k, part in enumerate(whole.args):
            if part.op == "divide" and not part.shape and is_constant(part.args[0], 1):  # 2 * (1/N) is 2/N
                merged = ops.apply("divide", whole.args[0], part.args[1])
                return ops.multiply(merged, *whole.args[1:k], *whole.args[k + 1 :])
    whole = _over(whole)
    return whole if whole.shape == node.shape else ops.spread(whole, node.shape)


def _over(product: Expression) -> Expression:
    """What is multiplied by a reciprocal is divided: G times 1/z is G over z."""
    if product.op == "multiply":
        for k, part in enumerate(product.args):
            if part.op == "divide" and is_constant(part.args[0]) and part.args[1].names():
                rest = ops.multiply(part.args[0], *product.args[:k], *product.args[k + 1 :])
                number, core = coefficient(rest)
                if core is None or core.shape != product.shape:
                    continue
                if not part.args[1].shape and _heavy(core):
                    continue
                return times(number, ops.apply("divide", core, part.args[1]))
    return product


def _sum(node: Expression) -> Expression:
    found: dict[Expression | None, fmpq] = {}
    for term in node.args:
        for part in term.args if term.op == "add" else (term,):
            number, rest = coefficient(part)
            found[rest] = found.get(rest, fmpq(0)) + number
    terms = [times(number, rest) for rest, number in _paired(found).items() if number != 0]
    if not terms:
        return _zeros(node)
    blocks = side_by_side(terms, coefficient, times)
    if blocks is not None:
        return blocks
    factors = fraction_out(terms)
    whole = ops.add(*terms) if factors is None else _product(ops.apply("multiply", *factors))
    return whole if whole.shape == node.shape else ops.spread(whole, node.shape)


def _paired(found: dict[Expression | None, fmpq]) -> dict[Expression | None, fmpq]:
    """Terms A x and A^T x with the same number as one; the place is that of the first."""
    left, paired = dict(found), dict[Expression | None, fmpq]()
    alike: dict[tuple[object, ...], list[Expression]] = {}  # twins share all factors but the first or the last
    for rest in found:
        if rest is not None and rest.op == "matmul":
            for key in _shared(rest, found[rest]):
                alike.setdefault(key, []).append(rest)
    while left:
        rest = next(iter(left))
        number = left.pop(rest)
        if rest is not None and rest.op == "matmul":
            near: set[Expression | None] = {
                other for key in _shared(rest, number) if len(alike[key]) > 1 for other in alike[key]
            }
            for other in [other for other in left if other in near] if near else []:
                whole = None if other is None else twins(rest, other)
                if whole is not None:
                    del left[other]
                    rest = whole
                    break
        paired[rest] = number
    return paired


def _shared(product: Expression, number: fmpq) -> tuple[tuple[object, ...], ...]:
    """What a twin of a product would have in common with it: its number, and all factors but one at an end."""
    factors = product_of(product)
    return (
        ("after", int(number.p), int(number.q), factors[1:]),
        ("before", int(number.p), int(number.q), factors[:-1]),
    )


def _scalars_out(node: Expression, again: Callable[[list[Expression]], Expression]) -> Expression:
    """Scalars leave a product of matrices, a transpose, a sum."""
    if not node.args or node.op in ("name", "multiply"):
        return node
    scalars: list[Expression] = []
    cores: list[Expression] = []
    for arg in node.args:
        if _is_share(arg):
            scalars.append(ops.apply("divide", constant(1), arg.args[1]))
            cores.append(arg.args[0])
        elif arg.op == "multiply" and arg.shape:
            scalars += [part for part in arg.args if not part.shape]
            rest = [part for part in arg.args if part.shape]
            core = ops.multiply(*rest)
            if core.shape != arg.shape:
                return node
            cores.append(core)
        elif arg.op == "zeros":
            return _zeros(node)
        else:
            cores.append(arg)
    if not scalars:
        return node
    return _product(ops.apply("multiply", *scalars, again(cores)))


def _is_share(node: Expression) -> bool:
    """A matrix over a number."""
    return node.op == "divide" and bool(node.args[0].shape) and not node.args[1].shape


def _heavy(node: Expression) -> bool:
    """What is too tall for a fraction line: a product of matrices, a derivative."""
    return bool(node.shape) and any(
        inner.op == "matmul" or (inner.op == "name" and isinstance(inner.name, Adjoint)) for inner in node.nodes()
    )


def _one_by_one(node: Expression) -> Expression:
    """A number spread over a 1 x 1 matrix is that number again in front of a product."""
    for scalar, other in (node.args, node.args[::-1]):
        if scalar.op == "spread" and not scalar.args[0].shape and other.shape == node.shape:
            return collect(ops.multiply(scalar.args[0], other))
    return node


def _quotient(node: Expression) -> Expression:
    """Numbers leave the numerator; what is divided by a number is a multiple."""
    if is_constant(node.args[1]) and node.args[1].number != 0:
        return _product(ops.apply("multiply", constant(1 / node.args[1].number), node.args[0]))
    number, rest = coefficient(node.args[0])
    if _is_share(node) and _heavy(node.args[0]):
        return _product(ops.apply("multiply", ops.apply("divide", constant(1), node.args[1]), node.args[0]))
    if rest is None or number == 1:
        return node
    return times(number, ops.apply("divide", rest, node.args[1]))


def label_sums(expression: Expression, network: Network) -> Expression:
    """The sum of a sample's labels is 1, where the data say so: softmax times that sum is softmax."""

    def change(node: Expression) -> Expression:
        if node.op == "multiply":
            kept = [part for part in node.args if not _sums_to_one(part, network)]
            if kept and len(kept) < len(node.args):
                whole = ops.multiply(*kept)
                return whole if whole.shape == node.shape else node
        return node

    return expression.rebuild(change)


def _sums_to_one(node: Expression, network: Network) -> bool:
    if node.op != "sum" or node.at[0] is None or node.args[0].op != "name":
        return False
    return network.sums_to_one(str(node.args[0].name), node.at[0])


def transposed(expression: Expression) -> Expression:
    """The transpose, pushed inwards as far as it goes; an adjoint becomes its numerator-layout twin."""
    match expression.op:
        case "name":
            name = expression.name
            if isinstance(name, Adjoint):
                return leaf(Adjoint(name.of, name.by, not name.numerator), expression.shape[::-1])
            return ops.transpose(expression)
        case "transpose":
            return numerator_names(expression.args[0])
        case "matmul":
            return ops.matmul(*(transposed(arg) for arg in reversed(expression.args)))
        case "sum" if expression.at[0] is not None:
            return ops.total(transposed(expression.args[0]), 1 - expression.at[0])
        case "spread" | "zeros":
            args = tuple(transposed(arg) for arg in expression.args)
            shape = expression.shape[::-1]
            return Expression(expression.op, args, (shape,) if expression.op == "zeros" else (), shape)
        case "slice":
            return take(transposed(expression.args[0]), expression.at[::-1])
        case "place":
            (arg,) = expression.args
            turned_arg = transposed(arg) if arg.shape else numerator_names(arg)
            return put(turned_arg, expression.at[-2::-1], expression.shape[::-1])
        case "concat":
            args = tuple(transposed(arg) if arg.shape else numerator_names(arg) for arg in expression.args)
            return concat(args, 1 - expression.at[0])
        case "add" | "multiply" | "divide" | "power":
            args = tuple(transposed(arg) if arg.shape else numerator_names(arg) for arg in expression.args)
            return Expression(expression.op, args, expression.at, expression.shape[::-1])
    return ops.transpose(numerator_names(expression)) if expression.shape else numerator_names(expression)


def numerator_names(expression: Expression) -> Expression:
    """The same value, its adjoints written as transposes of their numerator-layout twins."""
    if expression.op == "name" and isinstance(expression.name, Adjoint) and not expression.name.numerator:
        return ops.transpose(transposed(expression)) if expression.shape else transposed(expression)
    args = tuple(numerator_names(arg) for arg in expression.args)
    return Expression(expression.op, args, expression.at, expression.shape)
