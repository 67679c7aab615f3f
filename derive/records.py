"""``dataclass`` for frozen records: what the standard library's makes, in a fifth of the time.

derive is made of some hundred small records. The standard decorator compiles six methods for each of them from
source, half a millisecond a class: a tenth of the time that the whole command line may take. Here only ``__init__``
is compiled; the other methods are alike for all classes and read the fields' names. Type checkers see the standard
decorator, and a class that asks for more than this one knows is left to it.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool = False) -> Callable[[type], type]:
        """A frozen record; ``slots`` leaves out the dictionary of its instances."""

        def record(cls: type) -> type:
            fields = _fields(cls)
            if not frozen or fields is None:
                return dataclasses.dataclass(frozen=frozen, slots=slots)(cls)
            return _made(cls, fields, slots)

        return record


_MISSING = dataclasses.MISSING
_set = object.__setattr__


def _fields(cls: type) -> dict[str, dataclasses.Field[Any]] | None:
    """The fields by name; ``None`` for a class of the kind that is left to the standard library."""
    if cls.__bases__ != (object,) or hasattr(cls, "__post_init__"):
        return None
    found = {}
    for name, kind in inspect.get_annotations(cls).items():
        given = cls.__dict__.get(name, _MISSING)
        field = given if isinstance(given, dataclasses.Field) else dataclasses.field(default=given)
        if "ClassVar" in str(kind) or "InitVar" in str(kind) or not field.init or field.kw_only is True:
            return None
        field.name, field.type = name, kind
        field._field_type = dataclasses._FIELD  # type: ignore[attr-defined, union-attr]  # how dataclasses.fields() knows a field
        found[name] = field
    return found


def _made(cls: type, fields: dict[str, dataclasses.Field[Any]], slots: bool) -> type:
    """The class with its methods; with ``slots`` a new one, since slots are fixed when a class is made."""
    names = tuple(fields)
    compared = _getter([name for name in names if fields[name].compare])
    shown = [name for name in names if fields[name].repr]

    def same(self: Any, other: Any) -> Any:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def text(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    methods: dict[str, Any] = {
        "__init__": _init(fields),
        "__eq__": same,
        "__hash__": lambda self: hash(compared(self)),
        "__repr__": text,
    }
    body = {name: value for name, value in methods.items() if cls.__dict__.get(name) is None}
    body |= {"__setattr__": _refuse, "__delattr__": _refuse, "__match_args__": names, "__dataclass_fields__": fields}
    if slots:
        kept = {name: value for name, value in cls.__dict__.items() if name not in (*names, "__dict__", "__weakref__")}
        body |= {"__slots__": names, "__getstate__": _state, "__setstate__": _restore, "__qualname__": cls.__qualname__}
        return type(cls)(cls.__name__, cls.__bases__, kept | body)
    for name, value in body.items():
        setattr(cls, name, value)
    for name, field in fields.items():
        if name in cls.__dict__ and field.default is _MISSING:
            delattr(cls, name)
        elif field.default is not _MISSING:
            setattr(cls, name, field.default)
    return cls


def _init(fields: dict[str, dataclasses.Field[Any]]) -> Callable[..., None]:
    """``__init__`` with the fields as its parameters: compiled, since making records is what is done most."""
    known: dict[str, Any] = {"_set": _set, "_missing": _MISSING}
    parameters, lines = ["self"], []
    for name, field in fields.items():
        value = name
        if field.default is not _MISSING:
            known[f"_default_{name}"] = field.default
            parameters.append(f"{name}=_default_{name}")
        elif field.default_factory is not _MISSING:
            known[f"_new_{name}"] = field.default_factory
            parameters.append(f"{name}=_missing")
            value = f"_new_{name}() if {name} is _missing else {name}"
        else:
            parameters.append(name)
        lines.append(f"    _set(self, {name!r}, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or ["    pass"]), known)
    made: Callable[..., None] = known["__init__"]
    return made


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of these fields as a tuple."""
    if not names:
        return lambda self: ()
    if len(names) == 1:
        (name,) = names
        return lambda self: (getattr(self, name),)
    return attrgetter(*names)


def _refuse(self: Any, name: str, value: Any = None) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        _set(self, name, value)
