"""Tensors on disk: safetensors with a checksum for each, looked at before memory is taken for them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import atomic_path

# Larger than any file of a run: a header of 10,000 recordings' latents has 2 MB.
_LARGEST_FILE = 1 << 33
_LARGEST_HEADER = 1 << 24
_FLOATS = ("F32", "F16")


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], **metadata: str) -> None:
    """Write tensors whole or not at all.

    Parameters
    ----------
    path : Path
        A .safetensors file.
    tensors : mapping of str to torch.Tensor
        On any device.
    **metadata : str
        Texts to keep with them.

    Raises
    ------
    StylemixError
        If the disk is full or the folder cannot be written.
    """
    plain = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    sums = json.dumps({name: _checksum(tensor) for name, tensor in plain.items()})
    # Not save_file: it tells a full disk in an error of its own kind.
    data = save(plain, {**metadata, "crc32": sums})
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


class TensorFile:
    """A file of tensors whose header has been read and nothing else.

    Parameters
    ----------
    path : Path
        A .safetensors file from `save_tensors`.

    Raises
    ------
    BadInput
        If the file is missing, damaged or foreign.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._readable() as file:
            self.metadata: dict[str, str] = dict(file.metadata() or {})
            names = file.keys()
            views = {name: file.get_slice(name) for name in names}
            self.shapes = {name: tuple(view.get_shape()) for name, view in views.items()}
            self.dtypes = {name: str(view.get_dtype()) for name, view in views.items()}
            self._sums: dict[str, Any] = json.loads(self.metadata["crc32"])

    def check_shapes(self, expected: Mapping[str, tuple[int, ...]]) -> None:
        """Check that the file holds these tensors, these alone, as floating point.

        Parameters
        ----------
        expected : mapping of str to tuple of int
            The shape of each.

        Raises
        ------
        BadInput
            If it does not; nothing but the header has been read then.
        """
        for name in sorted(expected.keys() | self.shapes.keys()):
            if name not in expected or self.shapes.get(name) != tuple(expected[name]):
                there, wanted = self.shapes.get(name, "missing"), expected.get(name, "nothing")
                raise _damaged(self.path, f"{name[:60]!r} is {there}, the recipe wants {wanted}")
            if self.dtypes[name] not in _FLOATS:
                raise _damaged(self.path, f"{name!r} holds {self.dtypes[name]}, no floating point")

    def read(self, *names: str) -> dict[str, torch.Tensor]:
        """Read tensors and check them.

        Parameters
        ----------
        *names : str
            Which; all by default.

        Returns
        -------
        dict of str to torch.Tensor
            In the order asked for, on the cpu.

        Raises
        ------
        KeyError
            If there is no tensor of that name.
        BadInput
            If one is damaged: another checksum than was written, or numbers that are none.
        """
        wanted = names or tuple(self.shapes)
        if missing := [name for name in wanted if name not in self.shapes]:
            raise KeyError(missing[0])
        with self._readable() as file:
            tensors = {name: file.get_tensor(name) for name in wanted}
            for name, tensor in tensors.items():
                if _checksum(tensor) != self._sums.get(name):
                    raise _damaged(self.path, f"{name!r} is not what was written")
                if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                    raise _damaged(self.path, f"{name!r} has values that are no numbers")
        return tensors

    @contextmanager
    def _readable(self) -> Iterator[Any]:
        try:
            _check_size(self.path)
            with safe_open(str(self.path), framework="pt") as file:
                yield file
        except BadInput:
            raise
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise _damaged(self.path, str(error)) from None


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > _LARGEST_FILE:
        raise _damaged(path, f"{size} bytes are more than a run can have")
    with path.open("rb") as handle:
        header = int.from_bytes(handle.read(8), "little")
    if header > min(_LARGEST_HEADER, size):
        raise _damaged(path, f"its header claims {header} bytes")


def _damaged(path: Path, reason: str) -> BadInput:
    words = shown_name(" ".join(reason.split())[:200])
    return BadInput(f"{shown_name(path)}: damaged or foreign ({words}); train the run again with --force")


def _checksum(tensor: torch.Tensor) -> int:
    # Of the bytes, whatever their type.
    return zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data) if tensor.numel() else 0
