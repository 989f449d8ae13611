"""Every public name has a docstring and type hints; that stubs and modules agree is mypy.stubtest's part."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import fastsio


def members(owner: type) -> Iterator[tuple[str, Any]]:
    """The public attributes of a class that are ours, inherited ones too: functions and properties."""
    for name in dir(owner):
        if name.startswith("_"):
            continue
        value = inspect.getattr_static(owner, name)
        value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        value = value.fget if isinstance(value, property) else value
        if callable(value) and getattr(value, "__module__", "").startswith("fastsio"):
            yield name, value


CLASSES = [value for name in fastsio.__all__ if inspect.isclass(value := getattr(fastsio, name))]
FUNCTIONS = [pytest.param(value, id=f"{owner.__name__}.{name}") for owner in CLASSES for name, value in members(owner)]


def test_public_names_are_there() -> None:
    assert len(FUNCTIONS) > 50
    assert all(hasattr(fastsio, name) for name in fastsio.__all__)
    assert fastsio.__all__ == sorted(fastsio.__all__)


@pytest.mark.parametrize("owner", CLASSES)
def test_class_is_documented(owner: type) -> None:
    assert (owner.__doc__ or "").strip()
    assert owner.__doc__ != owner.__base__.__doc__, "the docstring of its base"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_is_documented_and_hinted(function: Any) -> None:
    assert (function.__doc__ or "").strip()
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    unhinted = [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name != "self"]
    assert not unhinted
