r"""Chains: a formula cut into rows, rows joined where one goes on, and each chain cut at its relations.

In a display a row that opens with a relation, or behind its alignment mark, goes on from the row before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.records import dataclass
from derive.review.lint.tokens import Token

RELATIONS = {"=": "=", ":=": "=", r"\approx": r"\approx", r"\leftarrow": r"\leftarrow", r"\equiv": "="}
OTHER = frozenset(
    r"< > \leq \geq \neq \in \to \mapsto \sim \propto \Rightarrow \Leftrightarrow \implies \iff \longrightarrow \ll \gg"
    r" \rightarrow \subset \subseteq \cong \colon \mid \succ \prec \Longrightarrow \forall \exists".split()
)
_ENDS = frozenset([",", ";", "."])
_GOES_ON = frozenset(["+", r"\cdot", r"\times", r"\odot", "*"])
_OUTER = frozenset(["aligned", "alignedat", "gathered", "split", "align", "gather", "equation", "array", "derivation"])
_OPENS, _CLOSES = frozenset(["{", "(", "[", r"\{"]), frozenset(["}", ")", "]", r"\}"])


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a relation: the relation in front of it (empty for the first), and its tokens."""

    relation: str
    tokens: tuple[Token, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The tokens without their places."""
        return tuple(token.text for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Chain:
    """Sides from left to right; ``general`` is what stands behind it in brackets, as in ``(t = 1, 2)``."""

    sides: tuple[Side, ...]
    general: tuple[str, ...] = ()


def chains(found: Sequence[Token]) -> Iterator[Chain]:
    """The chains of a formula. A side without tokens stands where nothing is printed behind a relation."""
    sides: list[tuple[str, list[Token]]] = []
    for row in _rows(_inside(list(found))):
        for k, (cell, fresh) in enumerate(_cells(row)):
            pieces = _pieces(cell)
            first = pieces[0][1]
            going = not fresh or (not first and pieces[0][0] == "") or (bool(first) and first[0].text in _GOES_ON)
            if k == 0 and going and sides:
                if first:
                    sides[-1][1].extend(first)
                sides += pieces[1:]
            else:
                yield from _chain(sides)
                sides = pieces
    yield from _chain(sides)


def _chain(sides: list[tuple[str, list[Token]]]) -> Iterator[Chain]:
    """One chain, or several with commas between them: ``a = 1, b = 2``."""
    if len(sides) < 2 or not any(found for _, found in sides):  # a sign that prose speaks of
        return
    sides, general = _general(sides)
    starts, made = [0], []
    for k, (relation, found) in enumerate(sides):
        cuts = _commas(found) if k else []
        if k and cuts and k < len(sides) - 1:
            made.append((relation, found[: cuts[-1]]))
            starts.append(len(made))
            made.append(("", found[cuts[-1] + 1 :]))
        elif k and cuts and all(token.text in _ENDS for token in found[cuts[-1] :]):
            made.append((relation, found[: cuts[-1]]))
        else:
            made.append((relation, found))
    for first, last in zip(starts, [*starts[1:], len(made)], strict=True):
        if last - first > 1:
            yield Chain(tuple(Side(relation, tuple(_trimmed(found))) for relation, found in made[first:last]), general)


def _general(sides: list[tuple[str, list[Token]]]) -> tuple[list[tuple[str, list[Token]]], tuple[str, ...]]:
    r"""A chain without the ``\quad (t = 1, \dots, 9)`` behind it, and the latter."""
    last = sides[-1][1]
    for k, token in enumerate(last):
        if token.text == r"\quad" and k + 1 < len(last) and last[k + 1].text == "(":
            behind = [t.text for t in last[k + 1 :]]
            if "=" in behind and behind[-1] == ")":
                return [*sides[:-1], (sides[-1][0], last[:k])], tuple(behind[1:-1])
    return sides, ()


def _commas(found: Sequence[Token]) -> list[int]:
    """Where commas and semicolons stand outside of brackets."""
    return [k for k, depth in _depths(found) if depth == 0 and found[k].text in (",", ";")]


def _trimmed(found: list[Token]) -> list[Token]:
    """Without spaces and punctuation at the ends."""
    start, end = 0, len(found)
    while end > start and found[end - 1].text in (*_ENDS, r"\quad"):
        end -= 1
    while start < end and found[start].text in (*_ENDS, r"\quad"):
        start += 1
    return found[start:end]


def _depths(found: Sequence[Token], rows: bool = False) -> Iterator[tuple[int, int]]:
    """Every place with its depth in brackets and environments; a closing sign has the depth outside.

    Round and square brackets may stay open from one of the ``rows`` of a display to the next.
    """
    opens, closes = (frozenset("{"), frozenset("}")) if rows else (_OPENS, _CLOSES)
    depth = 0
    for k, token in enumerate(found):
        text = token.text
        if text in closes or text.startswith(r"\end{"):
            depth = max(0, depth - 1)
        yield k, depth
        if text in opens or text.startswith(r"\begin{"):
            depth += 1


def _inside(found: list[Token]) -> list[Token]:
    """Without an environment of rows around all of it."""
    while found and found[0].text.startswith(r"\begin{") and found[0].text[7:-1].rstrip("*") in _OUTER:
        closing = next((k for k, depth in _depths(found) if k and depth == 0), len(found))
        if closing < len(found) - 1 or closing == len(found):
            break
        found = found[1:-1]
        if found and found[0].text == "{":  # the columns of an array
            end = next((k for k, token in enumerate(found) if token.text == "}"), 0)
            found = found[end + 1 :]
    return found


def _rows(found: Sequence[Token]) -> Iterator[list[Token]]:
    row: list[Token] = []
    for k, depth in _depths(found, rows=True):
        if depth == 0 and found[k].text == r"\\":
            yield row
            row = []
        else:
            row.append(found[k])
    yield row


def _cells(row: Sequence[Token]) -> Iterator[tuple[list[Token], bool]]:
    """The equations of a row, each with whether it begins afresh: every second alignment mark parts two."""
    cell: list[Token] = []
    marks, fresh = 0, True
    for k, depth in _depths(row, rows=True):
        if depth == 0 and row[k].text == "&":
            marks += 1
            if marks == 1 and not [token for token in cell if token.text != r"\quad"]:
                fresh = False
            if marks % 2 == 0 and _opens_anew(row, k + 1):
                yield cell, fresh
                cell, fresh = [], True
        else:
            cell.append(row[k])
    if [token for token in cell if token.text != r"\quad"]:
        yield cell, fresh


def _opens_anew(row: Sequence[Token], place: int) -> bool:
    """Whether what follows the next alignment mark has a left side of its own."""
    while place < len(row) and row[place].text == r"\quad":
        place += 1
    first = row[place].text if place < len(row) else ""
    return first not in RELATIONS and first not in _GOES_ON and first != "-"


def _pieces(cell: Sequence[Token]) -> list[tuple[str, list[Token]]]:
    """A row cut at its relations."""
    pieces: list[tuple[str, list[Token]]] = [("", [])]
    for k, depth in _depths(cell):
        text = cell[k].text
        if depth == 0 and text in RELATIONS:
            pieces.append((RELATIONS[text], []))
        elif text != r"\quad" or pieces[-1][1]:
            pieces[-1][1].append(cell[k])
    return pieces
