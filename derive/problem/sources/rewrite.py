"""Trees of the equation language, rebuilt with something replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Transpose, walk


def uses(node: Node) -> Iterator[str]:
    """The names in an expression, each time they occur."""
    return (part.id for part in walk(node) if isinstance(part, Name))


def replaced(node: Node, names: Mapping[str, Node], parts: Mapping[Node, Node] | None = None) -> Node:
    """The expression with names, and whole parts, replaced by expressions."""
    if parts and (found := parts.get(node)) is not None:
        return found

    def inside(operand: Node) -> Node:
        return replaced(operand, names, parts)

    match node:
        case Name(id=name):
            return names.get(name, node)
        case Negate(operand=operand):
            return Negate(inside(operand))
        case Transpose(operand=operand):
            return Transpose(inside(operand))
        case Index(operand=operand, items=items):
            return Index(inside(operand), items)
        case Binary(operator=operator, left=left, right=right):
            return Binary(operator, inside(left), inside(right))
        case Compare(operator=operator, left=left, right=right):
            return Compare(operator, inside(left), inside(right))
        case Call(function=function, arguments=arguments, options=options):
            return Call(function, tuple(map(inside, arguments)), options)
    return node


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """The expression under other names."""
    return replaced(node, {name: Name(other) for name, other in names.items()})
