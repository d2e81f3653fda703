"""Learn one latent space from folders of music and render sound that lies between their styles.

Names are fetched when they are first used, so that importing stylemix stays instant.

Examples
--------
>>> import stylemix as sm
>>> sm.BadInput.__name__
'BadInput'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stylemix.version import __version__ as __version__

if TYPE_CHECKING:
    from stylemix.arrays import Wave as Wave
    from stylemix.doctor import inspect_folders as inspect
    from stylemix.errors import BadInput as BadInput
    from stylemix.errors import StylemixError as StylemixError
    from stylemix.hybrid.render import hybrid as hybrid
    from stylemix.hybrid.render import rebuild_file as rebuild
    from stylemix.learn import train as train
    from stylemix.model.run import load_run as load_run
    from stylemix.recipe import load_recipe as load_recipe
    from stylemix.transforms.vqt import VQT as VQT

_PUBLIC = {
    "BadInput": ("stylemix.errors", "BadInput"),
    "StylemixError": ("stylemix.errors", "StylemixError"),
    "VQT": ("stylemix.transforms.vqt", "VQT"),
    "Wave": ("stylemix.arrays", "Wave"),
    "inspect": ("stylemix.doctor", "inspect_folders"),
    "hybrid": ("stylemix.hybrid.render", "hybrid"),
    "load_recipe": ("stylemix.recipe", "load_recipe"),
    "load_run": ("stylemix.model.run", "load_run"),
    "rebuild": ("stylemix.hybrid.render", "rebuild_file"),
    "train": ("stylemix.learn", "train"),
}

__all__ = [
    "VQT", "BadInput", "StylemixError", "Wave", "__version__", "hybrid", "inspect", "load_recipe", "load_run",
    "rebuild", "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stylemix' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
