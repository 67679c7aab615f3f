"""Records of ``derive.records`` against the standard library's, and every record of the package."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
from functools import partial
from typing import Any

import pytest

import derive
from derive import records


def make(dataclass: Any, slots: bool) -> Any:
    """The same class by one decorator or the other."""

    class Record:
        """Some fields, and more than fields."""

        a: int
        b: str = "two"
        c: list[int] = dataclasses.field(default_factory=list)
        note: str | None = dataclasses.field(default=None, compare=False, repr=False)

        @property
        def double(self) -> int:
            """Twice a."""
            return 2 * self.a

    Record.__qualname__ = Record.__name__
    return dataclass(frozen=True, slots=slots)(Record)


@pytest.mark.parametrize("slots", [True, False])
def test_a_record_is_what_the_standard_library_makes(slots: bool) -> None:
    """Values, text, equality, hash, replacement and pattern of a record are those of a standard one."""
    ours, theirs = make(records.dataclass, slots), make(dataclasses.dataclass, slots)
    for arguments in [(1,), (1, "x"), (1, "x", [3], "seen")]:
        one, other = ours(*arguments), theirs(*arguments)
        assert repr(one) == repr(other)
        assert dataclasses.astuple(one) == dataclasses.astuple(other)
        assert one == ours(*arguments)
        assert one != other
        assert one.double == other.double
        assert dataclasses.replace(one, a=9) == ours(9, *arguments[1:])
        assert copy.copy(one) == copy.deepcopy(one) == one
        assert hasattr(one, "__dict__") is not slots
    assert ours(1, note="x") == ours(1, note="y")
    assert ours(1).c is not ours(1).c
    assert ours.__match_args__ == theirs.__match_args__
    assert hash(ours(1, "x", ())) == hash(theirs(1, "x", ())) == hash(ours(1, "x", (), "z"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(ours(1))
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        ours()
    one = ours(1)
    for change in (partial(setattr, one, "a", 2), partial(delattr, one, "a"), partial(setattr, one, "z", 2)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()


def every_record() -> list[type]:
    """The records that the package defines."""
    found = []
    for module in pkgutil.walk_packages(derive.__path__, "derive."):
        if not module.name.endswith("__main__"):
            members = vars(importlib.import_module(module.name)).values()
            found += [m for m in members if isinstance(m, type) and dataclasses.is_dataclass(m)]
    return [kind for kind in dict.fromkeys(found) if kind.__module__.startswith("derive.")]


def test_every_record_of_the_package_can_be_compared_and_carried() -> None:
    """Whatever its fields hold, a record equals one of the same fields, and goes through ``pickle``."""
    kinds = every_record()
    assert len(kinds) > 80
    for kind in kinds:
        names = [field.name for field in dataclasses.fields(kind) if field.init]
        values: dict[str, Any] = {name: f"a {name}" for name in names}
        if hasattr(kind, "__post_init__"):
            continue
        assert kind(**values) == kind(**values)
        assert kind(**values) != tuple(values.values())
        if "<locals>" not in kind.__qualname__:
            assert pickle.loads(pickle.dumps(kind(**values))) == kind(**values)
