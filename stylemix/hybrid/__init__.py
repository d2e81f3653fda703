"""From two parents' latents to one new sound: curve, alignment, blend, rendering."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stylemix.arrays import Wave


class _CallableFolder(types.ModuleType):
    # Importing this folder binds it as `stylemix.hybrid`, over the function of that name which the
    # Python API promises (`sm.hybrid(run, alpha=0.5)`); so the folder answers calls by calling the function.
    def __call__(self, *args: Any, **options: Any) -> Wave:
        from stylemix.hybrid.render import hybrid

        return hybrid(*args, **options)


sys.modules[__name__].__class__ = _CallableFolder
