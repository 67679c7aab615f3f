"""Where templates of a user's own run: a closed set of words, no calls, no attribute of Python's insides, and an end.

A template places and never computes, so the words of Jinja that compute are not known here; what is left could still
loop or include itself for long, and is counted: steps of loops, templates loaded, characters written. No clock is
asked, so that the same templates are refused or accepted everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.sandbox import MAX_RANGE, ImmutableSandboxedEnvironment

from derive.errors import ProblemError
from derive.report.own_look import Look, partials

MOST_STEPS = 1_000_000  # of loops, and templates included
MOST_CHARACTERS = 50_000_000
MOST_NESTED = 10  # loops and conditions inside each other
BUILT_IN = "built-in/"  # before the name of a partial: derive's own, though the user has one of that name
WORDS = (
    *("Template", "Output", "TemplateData", "If", "For", "Include", "Assign", "Name", "Const", "Getattr", "Getitem"),
    *("Filter", "Test", "Compare", "Operand", "And", "Or", "Not", "CondExpr", "Tuple", "List", "Keyword", "Call"),
)
SAFE_FILTERS = ("default", "first", "last", "length", "lower", "upper")


class OwnTemplates(ImmutableSandboxedEnvironment):
    """Jinja with a user's templates before derive's own, for one document."""

    def __init__(self, look: Look, own: Mapping[str, str], **options: Any) -> None:
        self._look, self._steps, self._characters = look, 0, 0
        finalize = options.pop("finalize")

        def counted(value: object) -> object:
            made = finalize(value)
            self._write(len(made) if isinstance(made, str) else 0)
            return made

        self._sources = dict(look.sources)

        def find(name: str) -> tuple[str, str, None]:
            if name in self._sources:
                return self._sources[name], str(Path(look.folder) / name), None
            bare = name.removeprefix(BUILT_IN)
            if bare in own:
                return own[bare], name, None
            raise jinja2.TemplateNotFound(name)

        super().__init__(loader=jinja2.FunctionLoader(find), finalize=counted, **options)
        self.globals = {"range": self.globals["range"]}
        self.filters = {name: self.filters[name] for name in SAFE_FILTERS} | {"_counted": self._counted}

    def _counted(self, items: Iterable[Any], size: int) -> _Counted:
        def step() -> None:
            self._step()
            self._write(size)

        return _Counted(items, step)

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise OverflowError(f"goes on for more than {MOST_STEPS:,} steps")

    def _write(self, characters: int) -> None:
        self._characters += characters
        if self._characters > MOST_CHARACTERS:
            raise OverflowError(f"writes more than {MOST_CHARACTERS:,} characters")

    def _load_template(self, name: str, globals: Any) -> jinja2.Template:
        self._step()
        self._write(len(self._sources.get(name, "")))
        return super()._load_template(name, globals)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _check_depth(tree, 0, name, filename)
        for node in list(tree.find_all(nodes.Node)):
            _check_word(node, name, filename)
            if isinstance(node, nodes.For):
                size = sum(len(text.data) for text in node.find_all(nodes.TemplateData))
                node.iter = nodes.Filter(node.iter, "_counted", [nodes.Const(size)], [], None, None, lineno=node.lineno)
                node.iter.set_environment(self)
        return tree

    # ── what the renderer asks ──

    def check(self, format: str, variables: Iterable[str]) -> None:
        """Read every template for a format; raise ``ProblemError`` for a broken one and for names that are not there.

        ``variables`` are the names that a template of this format is given.
        """
        known = {*variables, "view", "loop", "range"}
        for name, source in self._look.sources:
            if name.startswith(f"{format}/"):
                self.get_checked(name)
                known |= _stored(self.parse(source, name))
        for name, source in self._look.sources:
            if name.startswith(f"{format}/"):
                self._check_names(name, self.parse(source, name), known)

    def _check_names(self, name: str, tree: nodes.Template, known: set[str]) -> None:
        from derive.problem.wording import hint

        templates = {*partials(), *(BUILT_IN + partial for partial in partials())}
        for node in tree.find_all((nodes.Name, nodes.Include)):
            file = str(Path(self._look.folder) / name)
            if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in known:
                told = f"'{node.name}' is not known to a template"
                raise ProblemError(told, hint=hint(node.name, known), file=file, line=node.lineno)
            if isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const):
                wanted = str(node.template.value)
                if wanted not in templates:
                    told = f"there is no template {wanted}"
                    raise ProblemError(told, hint=hint(wanted, templates), file=file, line=node.lineno)

    def get_checked(self, name: str) -> jinja2.Template:
        """A template. Raises ``ProblemError`` with its file and line where it is broken."""
        try:
            return self.get_template(name)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's template makes Jinja or Python say
            self._refuse(error, name)

    def written(self, name: str, variables: Mapping[str, Any]) -> str:
        """The text that a template makes. Raises ``ProblemError`` with the file and line of the user's mistake."""
        template = self.get_checked(name)
        self._steps = self._characters = 0
        try:
            return template.render(variables)
        except Exception as error:  # noqa: BLE001 - a filter, or what a variable holds, may raise anything
            self._refuse(error, name)

    def _refuse(self, error: Exception, name: str) -> NoReturn:
        if isinstance(error, ProblemError):
            raise error
        file, line = self._place(error, name)
        told = str(error) or type(error).__name__
        match error:
            case jinja2.TemplateSyntaxError():
                told = f"is broken: {error.message}"
            case RecursionError():
                told = "goes on without end: it includes itself, or is nested too deep"
            case OverflowError() if "range" in told.lower():  # Jinja's own bound
                told = f"goes on without end: a range is longer than {MAX_RANGE:,}"
            case OverflowError():
                told = "goes on without end: it " + (told if told[0].islower() else told[0].lower() + told[1:])
            case jinja2.TemplateNotFound():
                told = f"there is no template {error.name}"
            case jinja2.TemplateError():
                told = told[0].lower() + told[1:]
            case _:
                told = f"cannot be filled in: {told}"
        raise ProblemError(told.rstrip("."), file=file, line=line) from error

    def _place(self, error: Exception, name: str) -> tuple[str, int | None]:
        """The file and line of the user's that was being read or filled in, while ``name`` was."""
        own = {str(Path(self._look.folder) / name) for name, _ in self._look.sources}
        if isinstance(error, jinja2.TemplateSyntaxError) and error.filename in own:
            return error.filename, error.lineno
        asked = str(Path(self._look.folder) / name)
        found: tuple[str, int | None] = (asked if asked in own else self._look.folder, None)
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in own:
                found = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
            trace = trace.tb_next
        return found


class _Counted:
    """Something to loop over, each step of it counted."""

    def __init__(self, items: Iterable[Any], step: Callable[[], None]) -> None:
        # Jinja asks how many there are, for loop.last.
        self._items: Collection[Any] = items if isinstance(items, Collection) else tuple(items)
        self._step = step

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            self._step()
            yield item


def _check_depth(node: nodes.Node, depth: int, name: str | None, filename: str | None) -> None:
    """Raise Jinja's own error for loops and conditions that are nested deeper than Python can take."""
    for inner in node.iter_child_nodes():
        deeper = depth + isinstance(inner, nodes.For | nodes.If)
        if deeper > MOST_NESTED:
            raise jinja2.TemplateSyntaxError(
                f"more than {MOST_NESTED} loops and conditions are nested", inner.lineno, name, filename
            )
        _check_depth(inner, deeper, name, filename)


def _check_word(node: nodes.Node, name: str | None, filename: str | None) -> None:
    """Raise Jinja's own error for a word that computes, and for every call but that of ``range``."""
    word = type(node).__name__
    if word not in WORDS:
        raise jinja2.TemplateSyntaxError(
            f"a template places and never computes: '{word.lower()}' is not known here", node.lineno, name, filename
        )
    if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
        raise jinja2.TemplateSyntaxError("a template calls nothing but 'range'", node.lineno, name, filename)


def _stored(tree: nodes.Template) -> set[str]:
    """The names that a template gives itself, in loops and with ``set``."""
    return {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
