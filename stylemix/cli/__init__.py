"""The command line: parse, call, print. What a command does lives in the floors below."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from stylemix.cli import looking, making
from stylemix.cli.outcome import DONE, INTERRUPTED, WRONG_USAGE, fail, print_answer
from stylemix.version import __version__

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": making.demo,
    "inspect": looking.inspect,
    "train": making.train,
    "rebuild": making.rebuild,
    "hybrid": making.hybrid,
    "map": looking.map_styles,
    "clusters": looking.clusters,
    "explore": making.explore,
    "evaluate": looking.evaluate,
    "properties": looking.properties,
    "info": looking.info,
    "modes": looking.modes,
    "recipes": looking.recipes,
}


def make_app() -> typer.Typer:
    """Build the command line from its commands.

    Returns
    -------
    typer.Typer
        With every command of `COMMANDS`.

    Examples
    --------
    >>> len(make_app().registered_commands) == len(COMMANDS)
    True
    """
    app = typer.Typer(
        rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True, add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_top)
    for name, command in COMMANDS.items():
        app.command(name)(command)
    return app


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line.

    Parameters
    ----------
    arguments : sequence of str
        What follows the word `stylemix`.

    Returns
    -------
    int
        The exit code: 0 done, 1 failed with one line on stderr, 2 wrong usage, 130 interrupted.

    Examples
    --------
    >>> run_command(["--version"])
    stylemix 0.1.0
    0
    """
    # Typer depends on click or brings its own copy of it, by version; either way this is its UsageError.
    usage_error: Any = typer.BadParameter.__base__
    try:
        return make_app()(list(arguments), prog_name="stylemix", standalone_mode=False) or DONE
    except usage_error as error:
        error.show()
        if "--json" in arguments:
            print_answer({"error": error.format_message()}, None, as_json=True)
        return WRONG_USAGE
    except (KeyboardInterrupt, typer.Abort):
        # Ctrl-C before a command's work has begun or after it has ended, or pressed again while it was being told:
        # unhandled, it would end the process by the signal, and a script could not tell it from a crash.
        told = fail("interrupted; run the same command again", as_json="--json" in arguments, code=INTERRUPTED)
        return told.exit_code


def main() -> None:
    """Run the command line of this process and leave with its exit code.

    Raises
    ------
    SystemExit
        Always.
    """
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot show must not end the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run_command(sys.argv[1:]))


def _show_version(wanted: bool) -> None:
    if wanted:
        print_answer({}, [f"stylemix {__version__}"], as_json=False)
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Learn one latent space from folders of music; render sound that lies between their styles.

    Exit codes: 0 done, 1 failed (one line on stderr), 2 wrong usage. STYLEMIX_DEBUG=1 shows tracebacks.
    """
