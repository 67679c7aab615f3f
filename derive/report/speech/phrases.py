"""The words of one language for signs, and its phrases with ``{places}`` for what is built of other parts."""

from __future__ import annotations

from collections.abc import Callable

from derive.report.catalogue import Catalogue

_TABLE = "speech."
_LETTERS = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi
psi omega""".split()

# Commands that are read alike: they say the same thing in another shape or at another length.
ALIKE = {
    "neq": "ne", "leq": "le", "geq": "ge", "rightarrow": "to", "longrightarrow": "to", "Longrightarrow": "Rightarrow",
    "implies": "Rightarrow", "iff": "Leftrightarrow", "cdots": "dots", "ldots": "dots", "lt": "less", "gt": "greater",
    "widehat": "hat", "widetilde": "tilde", "overline": "bar", "cdot": "multiplied", "div": "divided", "in": "element",
    "vert": "bar_sign", "Vert": "double_bar",
}  # fmt: skip
CHARACTERS = {
    "+": "plus", "-": "minus", "=": "equals", "<": "less", ">": "greater", "/": "divided", "*": "ast", ",": "comma",
    ";": "semicolon", ":": "colon", ".": "point", "!": "factorial", "?": "question", "'": "prime_sign",
    "|": "bar_sign", "‖": "double_bar", "(": "open_parenthesis", ")": "close_parenthesis", "[": "open_bracket",
    "]": "close_bracket", "{": "open_brace", "}": "close_brace", "⟨": "open_angle", "⟩": "close_angle",
    "⌊": "open_floor", "⌋": "close_floor", "⌈": "open_ceiling", "⌉": "close_ceiling",
}  # fmt: skip


class Phrases:
    """What a language says; each phrase is filled by name."""

    def __init__(self, words: Catalogue) -> None:
        self._phrases = {key[len(_TABLE) :]: words.template(key) for key in words.keys if key.startswith(_TABLE)}
        self.fill: dict[str, Callable[..., str]] = {key: text.format for key, text in self._phrases.items()}
        self._signs = self._alphabet()

    def _alphabet(self) -> dict[str, str]:
        capital, variant = self.fill["capital"], self.fill["variant"]
        greek = dict(zip(_LETTERS, self._phrases["greek"].split(), strict=True))
        signs = {character: self._phrases[key] for character, key in CHARACTERS.items()}
        for code in range(ord("a"), ord("z") + 1):
            signs[chr(code)] = chr(code)
            signs[chr(code - 32)] = capital(letter=chr(code - 32))
        for name, word in greek.items():
            signs["\\" + name] = word
            signs["\\" + name.capitalize()] = capital(letter=word)
            signs["\\var" + name] = variant(letter=word)
        return signs

    def __getitem__(self, key: str) -> str:
        """A phrase without places."""
        return self._phrases[key]

    def sign(self, name: str) -> str:
        """A character or a command with its backslash."""
        found = self._signs.get(name)
        if found is None:
            command = name[1:]
            found = self._signs[name] = self._phrases[ALIKE.get(command, command)]
        return found

    def operator(self, name: str) -> str:
        """The name of a function: a word of the language where there is one, else as it is printed."""
        return self._phrases.get(f"operator_{name}") or name.replace("_", " ")
