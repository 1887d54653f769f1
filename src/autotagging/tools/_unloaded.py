"""Stand-ins for libraries that are slow to import, while the command line only shows help.

Help is made of names, types and docstrings. Modules use the libraries in annotations, and for a few
constants, which a stand-in accepts. It is the way in which Sphinx documents code without loading
its libraries.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

LIBRARIES = ("joblib", "librosa", "matplotlib", "numpy", "pandas", "requests", "scipy", "sklearn")
LIBRARIES += ("soundfile", "soxr", "threadpoolctl")
_OPERATIONS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "or", "and")


class _Named:
    """Anything in a library; what is asked of it, or computed with it, is another."""

    def __getattr__(self, name: str) -> "_Named":
        if name.startswith("__"):
            raise AttributeError(name)
        return _Named()

    def __call__(self, *_: Any, **__: Any) -> "_Named":
        return _Named()

    def __getitem__(self, _: Any) -> "_Named":
        return _Named()

    def __iter__(self) -> Iterator["_Named"]:
        return iter(())

    def __neg__(self) -> "_Named":
        return _Named()

    def __mro_entries__(self, _: tuple) -> tuple:
        return ()


for _operation in _OPERATIONS:
    for _side in ("", "r"):
        setattr(_Named, f"__{_side}{_operation}__", _Named.__call__)


class _Library(ModuleType):
    def __getattr__(self, name: str) -> _Named:
        return getattr(_Named(), name)


class _Finder:
    """Finds stand-ins; one of sys.meta_path, and its own loader."""

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        if name.partition(".")[0] not in LIBRARIES:
            return None
        return spec_from_loader(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Library(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty."""


def leave_out_libraries(arguments: Sequence[str]) -> None:
    """Put stand-ins in the place of the libraries if the arguments ask for help."""
    flags = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if {"--help", "-h"}.intersection(flags):
        sys.meta_path.insert(0, _Finder())
