"""Arrays of a weights file of Keras 1, read with h5py: nothing in the file is run.

Only what is expected is read: plain arrays of known names, shapes and type, stored in one piece in
the file itself. So a file can make this neither follow a link, nor load a filter, nor fill memory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotagging.common.errors import UserError

if TYPE_CHECKING:
    import h5py

_LARGEST = 16 * 2**20  # bytes; the names in a file of this size are few enough to list
_DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError)


def read_arrays(
    path: Path, shapes: Mapping[str, Mapping[str, tuple[int, ...]]]
) -> dict[str, np.ndarray]:
    """Read the arrays of a network.

    Parameters
    ----------
    path
        HDF5 file with a group per layer.
    shapes
        Expected shape of each array, by layer and name. Other groups may be there if they are
        empty: layers without weights.

    Returns
    -------
    arrays : float32
        By name.

    Raises
    ------
    UserError
        The file is no HDF5 file, is damaged or too large, or has other arrays than expected: other
        names, shapes or types, links, arrays in pieces or in other files, values that are not
        finite.
    """
    import h5py

    if path.stat().st_size > _LARGEST:
        raise UserError(f"{path}: larger than {_LARGEST >> 20} MiB: not these weights")
    try:
        if not (path.is_file() and h5py.is_hdf5(path)):
            raise UserError(f"{path}: not an HDF5 file")
        with h5py.File(path, "r") as file:
            layers = {name: _own(path, file, name, h5py.Group) for name in file}
            _check_names(path, "layer", [k for k in layers if len(layers[k])], shapes)
            return {
                name: array
                for layer, expected in shapes.items()
                for name, array in _read_layer(path, layers[layer], expected).items()
            }
    except _DAMAGED as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not a readable HDF5 file ({reason})") from error


def _read_layer(
    path: Path, group: "h5py.Group", shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """Read the arrays of a layer."""
    import h5py

    _check_names(path, f"array in {group.name}", [*group], shapes)
    return {
        name: _read(path, _own(path, group, name, h5py.Dataset), shape)
        for name, shape in shapes.items()
    }


def _own(path: Path, group: "h5py.Group", name: str, kind: type) -> Any:
    """Open a member of a group, which must be in the file itself."""
    import h5py

    place = f"{group.name.rstrip('/')}/{name}"
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise UserError(f"{path}: {place!r} is a link; expected a {kind.__name__.lower()}")
    member = group[name]
    if not isinstance(member, kind):
        raise UserError(f"{path}: {place!r} is no {kind.__name__.lower()}")
    return member


def _check_names(path: Path, what: str, found: list[str], expected: Mapping[str, Any]) -> None:
    if missing := [name for name in expected if name not in found]:
        raise UserError(f"{path}: no {what} of the name {missing[0]!r}")
    if others := sorted({*found} - {*expected}):
        raise UserError(f"{path}: an unknown {what}: {others[0]!r}")


def _read(path: Path, dataset: "h5py.Dataset", shape: tuple[int, ...]) -> np.ndarray:
    """Read an array whose shape and type are checked before."""
    name = dataset.name
    if dataset.shape != shape or dataset.dtype != np.float32:
        raise UserError(
            f"{path}: {name} is {dataset.shape} {dataset.dtype}, expected {shape} float32"
        )
    if dataset.chunks or dataset.external or dataset.is_virtual:
        raise UserError(f"{path}: {name} is in pieces or in another file; expected it in one piece")
    array = dataset[()].astype(np.float32)
    if not np.isfinite(array).all():
        raise UserError(f"{path}: {name} has values that are not finite")
    return array
