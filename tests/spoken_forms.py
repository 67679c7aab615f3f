"""What speech leaves out on purpose: a formula in the form that decides what is said.

Two formulas with the same form may be read out alike; all others must differ. The list of what is left out is this
file: spaces, sizes and shapes of the same sign, the two ways to write a product, a derivative or a function's name.
"""

from __future__ import annotations

from derive.report import latex_tree as tree
from derive.report.latex_tree import Node, Row

SAME = {
    r"\neq": r"\ne", r"\leq": r"\le", r"\geq": r"\ge", r"\rightarrow": r"\to", r"\longrightarrow": r"\to",
    r"\Longrightarrow": r"\Rightarrow", r"\implies": r"\Rightarrow", r"\iff": r"\Leftrightarrow", r"\cdots": r"\dots",
    r"\ldots": r"\dots", r"\lt": "<", r"\gt": ">", r"\div": "/", r"\vert": "|", r"\Vert": "‖", r"\|": "‖", r"\ast": "*",
    r"\{": "{", r"\}": "}", r"\lbrace": "{", r"\rbrace": "}", r"\lbrack": "[", r"\rbrack": "]", r"\langle": "⟨",
    r"\rangle": "⟩", r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉",
}  # fmt: skip
ACCENTS = {"widehat": "hat", "widetilde": "tilde", "overline": "bar"}
STYLES = {"boldsymbol": "mathbf"}
PARTIAL = tree.Symbol(r"\partial")
PRODUCT = r"\cdot"
SIGNS = ("+", "-")

Form = tuple[object, ...]


def form(row: Row) -> Form:
    """Nested tuples of what is said."""
    found: list[object] = []
    place = 0
    while place < len(row):
        derivative = _on_one_line(row[place : place + 5])
        if derivative:
            found.append(derivative)
            place += 5
            continue
        node = row[place]
        after = row[place + 1] if place + 1 < len(row) else None
        place += 1
        if node == tree.Symbol(PRODUCT) and after not in {tree.Symbol(sign) for sign in SIGNS} and found:
            continue  # a product is a product with a dot and without
        if node == tree.Symbol(r"\times") and _is_ten(after):
            continue
        if node == tree.Symbol(":") and after == tree.Symbol("="):
            found.append((r"\coloneqq",))
            place += 1
            continue
        found += _forms(node)
    return tuple(found)


def _is_ten(node: Node | None) -> bool:
    return isinstance(node, tree.Scripts) and node.base == tree.Number("10")


def _on_one_line(nodes: Row) -> Form | None:
    """``∂E / ∂W`` is the fraction."""
    if len(nodes) < 5 or nodes[2] != tree.Symbol("/") or nodes[3] != PARTIAL:
        return None
    first = nodes[0].base if isinstance(nodes[0], tree.Scripts) else nodes[0]
    return ("fraction", form(nodes[:2]), form(nodes[3:])) if first == PARTIAL else None


def _forms(node: Node) -> list[object]:
    match node:
        case tree.Switch() | tree.Phantom() | tree.Group(()):
            return []
        case tree.Space(width):
            return [(",",)] if width > 0.5 else []
        case tree.Symbol(name):
            return [(SAME.get(name, name),)]
        case tree.Big(_, _, delimiter):
            return [(delimiter,)]
        case tree.Group((inner,)):
            return _forms(inner)
        case tree.Words(text):
            return [("word", text.replace("_", " ").strip())]
        case tree.Operator(name, limits):
            return [("word", name.replace("_", " ")) + (("limits",) if limits else ())]
        case tree.Styled(style, body):
            letters = [letter.name for letter in body if isinstance(letter, tree.Symbol) and letter.name.isalpha()]
            if style == "mathrm" and len(letters) == len(body) > 1:
                return [("word", "".join(letters))]
            return [(STYLES.get(style, style), form(body))]
        case tree.Fenced(left, (tree.Array() as inner,), _) if left in ("(", "["):
            return _forms(inner)
        case tree.Fenced(left, body, right):
            if left == right == "|":
                return [(r"\lvert",), *form(body), (r"\rvert",)]
            if left == right == "‖":
                return [(r"\lVert",), *form(body), (r"\rVert",)]
            return [*([(left,)] if left else []), *form(body), *([(right,)] if right else [])]
        case tree.Fraction(_, above, below):
            if below[:1] == (PARTIAL,):  # the room between two variables
                below = tuple(part for part in below if not isinstance(part, tree.Space))
            return [("fraction", form(above), form(below))]
        case tree.Accent(accent, body):
            return [(ACCENTS.get(accent, accent), form(body))]
        case tree.Scripts(base, sub, sup, primes):
            if sup == (tree.Symbol(r"\prime"),):
                sup, primes = None, primes + 1
            bases = _forms(base)
            last = bases[-1] if bases else ()
            return [*bases[:-1], ("scripts", last, sub and form(sub), sup and form(sup), primes)]
        case tree.Array(environment, _, rows):
            kind = environment if environment in ("cases", "aligned", "vmatrix", "Vmatrix") else "matrix"
            width = max(map(len, rows))
            cells = tuple(tuple(form(row[k]) if k < len(row) else () for k in range(width)) for row in rows)
            if kind == "cases":
                cells = tuple((row[0][:-1] if row[0][-1:] == ((",",),) else row[0], *row[1:]) for row in cells)
            if kind == "aligned":
                cells = tuple((tuple(part for cell in row for part in cell),) for row in cells)
            return [(kind, cells)]
    return [(type(node).__name__, *((form(part) if isinstance(part, tuple) else part) for part in _fields(node)))]


def _fields(node: Node) -> list[object]:
    return [getattr(node, name) for name in type(node).__dataclass_fields__]
