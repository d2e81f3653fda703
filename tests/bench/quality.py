"""How good hybrids are: train on pairs of folders, evaluate, and print one table in Markdown.

python tests/bench/quality.py --minutes 5 cage/ beach-boys/ organ/ ragtime/
python tests/bench/quality.py both.mix other.mix
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.learn import train
from stylemix.measure.aims import at_alpha, distance_ratio
from stylemix.measure.report import CONTROLS, DEFAULT_MODES, evaluate
from stylemix.model.run import Run, load_run


def number(value: float | None, digits: int = 2) -> str:
    """A number, or a dash where it could not be measured."""
    return "–" if value is None else f"{value:.{digits}f}"


def over_alpha(mode: dict[str, Any], key: str) -> str:
    """A figure at every alpha; that of the second judge after a dot."""
    outer, _, inner = key.rpartition(".")
    return " ".join(number(row[outer][inner] if outer else row[inner]) for row in mode["by_alpha"])


def of_modes(result: dict[str, Any], show: Callable[[str, dict[str, Any]], str]) -> str:
    """A figure of every mode."""
    return "; ".join(f"{name} {show(name, mode)}" for name, mode in result["modes"].items())


def rows(result: dict[str, Any], seconds: dict[str, float]) -> dict[str, str]:
    """What the table says of a pair."""
    model, latents = result["autoencoder"], result["latents"]
    worst = max(result["rebuild"], key=lambda row: row["estimate"]["loss_db"])
    found = {
        "measured on": "held-out files" if result["held_out"] else "training files",
        "aims reached": f"{sum(row['passed'] is True for row in result['checks'])} of {len(result['checks'])}",
    }
    for name, mode in result["modes"].items():
        found[f"{name}: P(second corpus) at alpha 0, .25, .5, .75, 1"] = over_alpha(mode, "p_b")
        found[f"{name}: the same, second judge"] = over_alpha(mode, "second.p_b")
        found[f"{name}: share explained by a fade at the same"] = over_alpha(mode, "explained")

    def nearness(name: str, mode: dict[str, Any]) -> str:
        interval = at_alpha(mode, 0.5)["kad_union"]
        if interval is None:
            return "–"
        ratios = [number(distance_ratio(result, name, second=second)) for second in (False, True)]
        return f"{interval['value']:.0f} [{interval['low']:.0f}, {interval['high']:.0f}] = {' / '.join(ratios)}"

    def half(*keys: str) -> Callable[[str, dict[str, Any]], str]:
        return lambda _, mode: " / ".join(number(at_alpha(mode, 0.5)[key]) for key in keys)

    def evenness(_: str, mode: dict[str, Any]) -> str:
        timbre = mode["timbre"]
        return "–" if timbre is None else " / ".join(number(timbre[key]) for key in ("non_linearity", "non_smoothness"))

    return found | {
        "alpha 0.5: kernel distance to both corpora, times the fade's / the same, second judge": of_modes(
            result, nearness
        ),
        "alpha 0.5: explained by a fade / by its magnitudes / by the source / by the target": of_modes(
            result, half("explained", "explained_magnitudes", "explained_source", "explained_target")
        ),
        "alpha 0.5: harmony / rhythm kept from the source": of_modes(result, half("chroma", "onsets")),
        "timbre over alpha: non-linearity / non-smoothness": of_modes(result, evenness),
        "a crossfade through the model, explained by a fade": number(1 - result["unexplained_damage"]),
        "alpha 0 against the source, worst mode, SC2048 (dB; wanted: -25 or less)": number(
            max(mode["alpha0_sc2048_db"] for mode in result["modes"].values()), 1
        ),
        "rebuild, estimated phase, worst file, SC2048 (dB): model / true magnitudes": " / ".join(
            number(worst["estimate"][key], 1) for key in ("sc2048_db", "best_sc2048_db")
        ),
        "held-out error: autoencoder / PCA of the same size": f"{model['error']:.4f} / {model['pca_error']:.4f}",
        "latents: dimensions / effective / neighbours of the own corpus / the same by content": " / ".join(
            [
                str(latents["dimensions"]),
                number(latents["effective"], 0),
                *(number(latents[key]) for key in ("corpus_near_codes", "corpus_near_content")),
            ]
        ),
        "training, evaluation (s)": f"{seconds['train']:.0f}, {seconds['evaluate']:.0f}",
    }


def trained(pair: tuple[Path, ...], folder: Path, arguments: argparse.Namespace) -> Run:
    """A run of a pair of folders, or the run itself."""
    if len(pair) == 1:
        return load_run(pair[0])
    return train(
        pair, out=folder / "pair.mix", recipe=arguments.recipe, minutes=arguments.minutes, seed=arguments.seed,
        force=True,
    )  # fmt: skip


def measure(pair: tuple[Path, ...], folder: Path, arguments: argparse.Namespace) -> dict[str, str]:
    """Train where there is no run yet, and evaluate."""
    began = time.perf_counter()
    run = trained(pair, folder, arguments)
    between = time.perf_counter()
    page = arguments.pages and Path(arguments.pages) / f"{'-'.join(path.stem for path in pair)}.html"
    result = evaluate(
        run, out=page, modes=arguments.modes.split(","), controls=[c for c in arguments.controls.split(",") if c],
        phase=arguments.phase, n_sources=arguments.sources, force=True, seed=arguments.seed,
    )  # fmt: skip
    seconds = {"train": between - began, "evaluate": time.perf_counter() - between}
    minutes = sum(file.seconds for file in run.files) / 60
    return {"minutes of music": number(minutes, 1), **rows(result, seconds)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="two folders for each pair, or runs made of them")
    parser.add_argument("--minutes", type=float, default=None, help="of training; else the recipe's")
    parser.add_argument("--recipe", default="base")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--phase", default="auto", help="of the hybrids, as for stylemix hybrid")
    parser.add_argument("--modes", default=",".join(DEFAULT_MODES), help="measured, as for stylemix evaluate")
    parser.add_argument("--controls", default=",".join(CONTROLS), help="measured beside them")
    parser.add_argument("--sources", type=int, default=2, help="held-out files of the first corpus")
    parser.add_argument("--pages", help="a folder for the report pages")
    arguments = parser.parse_args()
    given: list[Path] = arguments.folders
    pairs: list[tuple[Path, ...]] = [(path,) for path in given if path.suffix == ".mix"]
    if (pairs and len(pairs) < len(given)) or (not pairs and len(given) % 2):
        parser.error("give two folders for each pair, or runs alone")
    if not pairs:
        pairs = list(zip(given[::2], given[1::2], strict=True))
    with tempfile.TemporaryDirectory() as name:
        found = [measure(pair, Path(name), arguments) for pair in pairs]
    print("| | " + " | ".join(" to ".join(path.name for path in pair) for pair in pairs) + " |")
    print("|---" * (len(pairs) + 1) + "|")
    for key in found[0]:
        print(f"| {key} | " + " | ".join(one[key] for one in found) + " |")
    print(f"\n`python tests/bench/quality.py {shlex.join(sys.argv[1:])}`")


if __name__ == "__main__":
    main()
