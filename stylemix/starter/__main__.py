"""Write the starter corpora: ``python -m stylemix.starter OUT [--seed N] [--force]``."""

from __future__ import annotations

import argparse
import sys

from stylemix.errors import StylemixError
from stylemix.starter import make_starter


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and write the corpora.

    Parameters
    ----------
    arguments : list of str, optional
        Instead of those of the process.

    Returns
    -------
    int
        0 when done, 1 after a `StylemixError`.
    """
    parser = argparse.ArgumentParser(
        prog="python -m stylemix.starter", description="Write the two starter corpora."
    )
    parser.add_argument("out", help="folder for prepared-piano/ and surf-harmony/")
    parser.add_argument("--seed", type=int, default=0, help="other seeds, other pieces (default 0)")
    parser.add_argument("--force", action="store_true", help="write every file again")
    options = parser.parse_args(arguments)
    try:
        folders = make_starter(options.out, seed=options.seed, force=options.force)
    except StylemixError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for folder in folders:
        sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
