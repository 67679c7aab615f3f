r"""A strict grammar of LaTeX symbols: nothing in a problem file may run TeX.

    symbol  = piece, piece …        piece = atom, then at most one _ and one ^ (or primes)
    atom    = letter | digits | \greek | \accent{symbol} | \font{symbol} | ( | ) | , | {symbol}
    script  = letters and digits | \greek | {symbol}

``w_10`` is w with the subscript 10, as one means it; ``canonical`` writes it the way TeX means it: ``w_{10}``.
"""

from __future__ import annotations

import re

from derive.errors import ProblemError
from derive.problem.wording import hint, shown

LONGEST = 80  # characters
DEEPEST = 5

GREEK = frozenset(
    {
        *("alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota"),
        *("kappa", "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi"),
        *("omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"),
    }
)
ACCENTS = frozenset({"hat", "bar", "tilde"})
FONTS = frozenset({"mathbf", "mathrm", "mathit", "mathcal", "mathbb", "boldsymbol", "vec", "dot", "ddot"})
SIGNS = frozenset({"ell", "top", "prime", "ast", "star", "circ", "dagger"})

_TOKEN = re.compile(r"\\[A-Za-z]+|[A-Za-z]|[0-9]+|[_^{}()\[\],'*+-]| +", re.ASCII)


def entry_name(text: str) -> str:
    r"""Check the name of one entry (``w_{11}``, ``\hat{y}_1``, ``w^{(1)}_{ij}``) and return it in canonical form.

    Raises ``ProblemError`` (without a place) for anything outside the grammar.
    """
    return _Parser(text, "the name", GREEK, ACCENTS, signs="").whole()


def symbol(text: str) -> str:
    r"""Check the symbol of a name (``\mathbf{W}_1``, ``\ell``) and return it in canonical form. Errors as above."""
    return _Parser(text, "the symbol", GREEK | SIGNS, ACCENTS | FONTS, signs="*+- []").whole()


class _Parser:
    """Recursive descent over the tokens of one symbol; writes the canonical form as it goes."""

    def __init__(self, text: str, what: str, plain: frozenset[str], wrapping: frozenset[str], signs: str) -> None:
        self.text, self.what, self.plain, self.wrapping = text, what, plain, wrapping
        if not text.strip():
            raise ProblemError(f"{what} is empty")
        if len(text) > LONGEST:
            raise ProblemError(f"{what} {shown(text)} has {len(text)} characters, at most {LONGEST} are allowed")
        self.tokens = self._tokens(signs)
        self.at = 0

    def _tokens(self, signs: str) -> list[str]:
        tokens, at = [], 0
        for match in _TOKEN.finditer(self.text):
            token = match[0]
            if match.start() != at or (token[0] in "*+- []" and token[0] not in signs):
                break
            at = match.end()
            if token[0] == "\\" and token[1:] not in self.plain | self.wrapping:
                raise self._wrong(f"{token} is not allowed", hint(token[1:], sorted(self.plain | self.wrapping)))
            if token[0] != " ":
                tokens.append(token)
        if at != len(self.text):
            raise self._wrong(
                f"{shown(self.text[at])} is not allowed", "letters, digits, Greek letters, _ ^ { } ( ) , ' and accents"
            )
        return tokens

    def whole(self) -> str:
        written = self.sequence(0)
        if self.at < len(self.tokens):
            raise self._wrong("a } closes nothing")
        if written.count("(") != written.count(")") or written.count("[") != written.count("]"):
            raise self._wrong("a parenthesis has no partner")
        return written

    def sequence(self, depth: int) -> str:
        if depth > DEEPEST:
            raise self._wrong(f"braces are nested more than {DEEPEST} deep")
        pieces: list[str] = []
        while self.at < len(self.tokens) and self.peek() != "}":
            piece = self.piece(depth)
            if pieces and re.search(r"\\[A-Za-z]+$", pieces[-1]) and piece[0].isalpha():
                pieces.append(" ")  # \alpha x, never \alphax
            pieces.append(piece)
        if not pieces:
            raise self._wrong("a group is empty" if depth else "there is nothing to print")
        return "".join(pieces)

    def piece(self, depth: int) -> str:
        written = self.atom(depth)
        seen: set[str] = set()
        while (token := self.peek()) in ("_", "^", "'"):
            kind = "^" if token == "'" else token
            if kind in seen and not (token == "'" and written.endswith("'")):
                raise self._wrong(f"two {'superscripts' if kind == '^' else 'subscripts'} in a row")
            seen.add(kind)
            self.at += 1
            written += "'" if token == "'" else token + self.script(depth)
        return written

    def atom(self, depth: int) -> str:
        token = self.take()
        if token in ("_", "^", "'"):
            raise self._wrong(f"{token} stands behind nothing")
        if token == "{":
            return "{" + self.group(depth) + "}"
        if token[0] == "\\" and token[1:] in self.wrapping:
            if self.peek() != "{":
                raise self._wrong(f"{token} needs braces: {token}{{x}}")
            self.at += 1
            return f"{token}{{{self.group(depth)}}}"
        return token

    def script(self, depth: int) -> str:
        token = self.peek()
        if token == "{":
            self.at += 1
            inside = self.group(depth)
        elif (token and token[0] == "\\" and token[1:] in self.plain) or (token and token in "*+-"):
            self.at += 1
            inside = token
        else:
            inside = ""
            while (token := self.peek()) and token.isalnum():
                inside += token
                self.at += 1
            if not inside:
                raise self._wrong("a script is empty", "in TeX a longer script stands in braces: w_{ij}")
        return inside if len(inside) == 1 else "{" + inside + "}"

    def group(self, depth: int) -> str:
        inside = self.sequence(depth + 1)
        if self.peek() != "}":
            raise self._wrong("a { is never closed")
        self.at += 1
        return inside

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def _wrong(self, why: str, tip: str | None = None) -> ProblemError:
        return ProblemError(f"{self.what} {shown(self.text)} is not one that can be printed: {why}", hint=tip)
