"""How good hybrids are: train on pairs of folders, evaluate, and print one table in Markdown.

python tests/bench/quality.py --minutes 5 cage/ beach-boys/ organ/ ragtime/
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.measure.report import evaluate
from stylemix.measure.verdict import at_alpha
from stylemix.model.training import train


def number(value: float | None, digits: int = 2) -> str:
    """A number, or a dash where it could not be measured."""
    return "–" if value is None else f"{value:.{digits}f}"


def over_alpha(result: dict[str, Any], key: str, kind: str = "hybrid") -> str:
    """A figure at every alpha."""
    return " ".join(number(row[kind][key]) for row in result["by_alpha"])


def rows(result: dict[str, Any], seconds: dict[str, float]) -> dict[str, str]:
    """What the table says of a pair."""
    half, model = at_alpha(result, 0.5), result["autoencoder"]
    worst = max(result["rebuild"], key=lambda row: row["estimate"]["loss_db"])
    both = [half[kind] for kind in ("hybrid", "crossfade")]
    return {
        "measured on": "held-out files" if result["held_out"] else "training files",
        "alpha 0 against the source, SC2048 (dB; wanted: -25 or less)": number(result["alpha0_sc2048_db"], 1),
        "alpha 0.5: share a crossfade explains, hybrid / crossfade / crossfade through the model": " / ".join(
            number(1 - share) for share in (*(x["unexplained"] for x in both), result["unexplained_damage"])
        ),
        "P(second corpus) at alpha 0, .25, .5, .75, 1, hybrid": over_alpha(result, "p_b"),
        "the same, crossfade": over_alpha(result, "p_b", "crossfade"),
        "alpha 0.5: kernel distance to both corpora, hybrid / crossfade": " / ".join(
            number(x["kad_union"], 0) for x in both
        ),
        "alpha 0.5: harmony kept from the source, hybrid / crossfade": " / ".join(number(x["chroma"]) for x in both),
        "non-linearity over alpha, hybrid / crossfade": " / ".join(
            number(result["path"][kind]["non_linearity"]) for kind in ("hybrid", "crossfade")
        ),
        "rebuild, estimated phase, worst file, SC2048 (dB): model / true magnitudes": " / ".join(
            number(worst["estimate"][key], 1) for key in ("sc2048_db", "best_sc2048_db")
        ),
        "held-out error: autoencoder / PCA of the same size": f"{model['error']:.4f} / {model['pca_error']:.4f}",
        "training, evaluation (s)": f"{seconds['train']:.0f}, {seconds['evaluate']:.0f}",
    }


def measure(pair: tuple[Path, Path], folder: Path, arguments: argparse.Namespace) -> dict[str, str]:
    """Train and evaluate one pair."""
    began = time.perf_counter()
    run = train(
        pair, out=folder / "pair.mix", recipe=arguments.recipe, minutes=arguments.minutes, seed=arguments.seed,
        force=True,
    )  # fmt: skip
    trained = time.perf_counter()
    page = arguments.pages and Path(arguments.pages) / f"{pair[0].name}-{pair[1].name}.html"
    result = evaluate(run, out=page, phase=arguments.phase, force=True, seed=arguments.seed)
    seconds = {"train": trained - began, "evaluate": time.perf_counter() - trained}
    minutes = sum(file.seconds for file in run.files) / 60
    return {"minutes of music": number(minutes, 1), **rows(result, seconds)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="two folders for each pair")
    parser.add_argument("--minutes", type=float, default=None, help="of training; else the recipe's")
    parser.add_argument("--recipe", default="base")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--phase", default="auto", help="of the hybrids, as for stylemix hybrid")
    parser.add_argument("--pages", help="a folder for the report pages")
    arguments = parser.parse_args()
    if len(arguments.folders) % 2:
        parser.error("give two folders for each pair")
    pairs = list(zip(arguments.folders[::2], arguments.folders[1::2], strict=True))
    with tempfile.TemporaryDirectory() as name:
        found = [measure(pair, Path(name), arguments) for pair in pairs]
    print("| | " + " | ".join(f"{a.name} to {b.name}" for a, b in pairs) + " |")
    print("|---" * (len(pairs) + 1) + "|")
    for key in found[0]:
        print(f"| {key} | " + " | ".join(one[key] for one in found) + " |")
    print(f"\n`python tests/bench/quality.py {shlex.join(sys.argv[1:])}`")


if __name__ == "__main__":
    main()
