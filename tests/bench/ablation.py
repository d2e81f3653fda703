"""What each part of a hybrid is worth: latents none, PCA, without condition, full; alignment off to transport.

python tests/bench/ablation.py pair.mix other.mix

The table of `stylemix evaluate --ablation` with every alignment, of several runs: held-out sources of the first corpus
at alpha 0.5 on the mode's own path. The mode `match` uses latents to align and nothing else, so its rows differ by what
is matched; the mode `style` moves the latents themselves, and what the decoder makes of it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.hybrid.dials import ALIGNMENTS
from stylemix.measure.ablation import measure_ablation
from stylemix.measure.ablation_words import ablation_table, ablation_words
from stylemix.measure.evidence import choose_stretches, describe_corpus
from stylemix.measure.judges import appoint_judges
from stylemix.measure.report import SOURCE_S
from stylemix.model.run import Run, load_run


def table(run: Run, *, n_sources: int) -> Iterator[str]:
    """The lines of a run's table in Markdown, and what they mean."""
    judges = appoint_judges([describe_corpus(run, corpus) for corpus in (0, 1)])
    stretches = choose_stretches(run, 0, n_wanted=n_sources, seconds=SOURCE_S)
    found = measure_ablation(run, stretches, judges, alignments=ALIGNMENTS)
    shown = ablation_table(found, run.corpora[1])
    yield "| " + " | ".join(shown["columns"]) + " |"
    yield "|---" * len(shown["columns"]) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in shown["rows"])
    yield from (f"\n{line}" for line in ablation_words(found))


def main() -> None:
    """Print a table for each run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="runs made by stylemix train")
    parser.add_argument("--sources", type=int, default=2, help="held-out files of the first corpus")
    arguments = parser.parse_args()
    for path in arguments.runs:
        run = load_run(path)
        print(f"{run.corpora[0]} to {run.corpora[1]}\n")
        for text in table(run, n_sources=arguments.sources):
            print(text, flush=True)
        print()
    print(f"`python tests/bench/ablation.py {shlex.join(sys.argv[1:])}`")


if __name__ == "__main__":
    main()
