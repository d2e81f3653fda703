"""The command line is a contract: its options, its exit codes, one line for a failure, clean JSON."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from stylemix.cli import COMMANDS, make_app, run_command
from stylemix.errors import BadInput, StylemixError
from stylemix.hybrid.dials import Dials

ROOT = Path(__file__).parent.parent

EVERYWHERE = {"--json", "--help", "-h"}
WRITES = {"--out", "-o", "--force", "-f", "--quiet", "-q"}
CONTRACT = {
    "demo": WRITES | {"--minutes", "--seed"},
    "inspect": set(),
    "train": WRITES | {"--recipe", "--minutes", "--steps", "--device", "--seed", "--resume"},
    "rebuild": WRITES | {"--phase", "--quality", "--bits"},
    "hybrid": WRITES
    | {
        "--alpha",
        "--source",
        "--target",
        "--mode",
        "--to",
        "--from",
        "--start",
        "--duration",
        "--target-start",
        "--target-duration",
        "--stems",
        "--phase",
        "--quality",
        "--bits",
        "--sample-rate",
        "--seed",
        "--weights",
        "--source-cluster",
        "--target-cluster",
        "--clusters",
        "--space",
        "--cluster-seed",
        "--walk",
        "--raw-alpha",
        "--extrapolate",
        "--variations",
        "--variation",
        "--align",
        "--continuity",
        "--randomness",
        "--loudness",
        "--chroma",
        "--timbre",
        "--envelope",
        "--pitch",
        "--detail",
        "--rhythm",
    },
    "map": WRITES
    | {"--seed", "--space", "--layouts", "--clusters", "--hybrids", "--add", "--png", "--svg", "--colour"},
    "explore": {"--port", "--browser", "--space", "--layouts", "--clusters", "--seed", "--quiet", "-q"},
    "clusters": (WRITES - {"--out", "-o"})
    | {"--clusters", "--space", "--seed", "--csv", "--export", "--split", "--compare"},
    "evaluate": WRITES
    | {"--phase", "--modes", "--controls", "--sources", "--both-directions", "--raw-alpha", "--ablation", "--seed"},
    "properties": WRITES | {"--quick", "--reconstruct", "--seed"},
    "info": set(),
    "recipes": set(),
    "modes": set(),
}


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put functions in the place of a lower floor's module."""

    def replace(module: str, **functions: Any) -> None:
        stand_in = types.ModuleType(module)
        vars(stand_in).update(functions)
        monkeypatch.setitem(sys.modules, module, stand_in)

    return replace


def raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def options_of(name: str) -> set[str]:
    command = typer.main.get_command(make_app()).commands[name]  # type: ignore[attr-defined]
    return {option for parameter in command.params for option in parameter.opts if option.startswith("-")}


@pytest.mark.parametrize("name", CONTRACT)
def test_each_command_has_exactly_the_options_of_the_contract(name: str) -> None:
    assert options_of(name) | {"--help", "-h"} == CONTRACT[name] | EVERYWHERE
    assert set(COMMANDS) == set(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_each_command_has_help_and_an_example_of_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([name, "--help"]) == 0
    shown = capsys.readouterr()
    assert f"Example:\n    stylemix {name}" in shown.out
    assert shown.err == ""


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom stylemix.cli import run_command\nrun_command(['--help'])\n"
        "heavy = {'torch', 'librosa', 'scipy', 'sklearn', 'umap', 'numba', 'matplotlib', 'numpy'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "Commands:" in shown.stdout
    assert shown.stdout.endswith("loaded: []\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compose"], "No such command 'compose'"),
        (["train", "cage", "--out", "both.mix"], "two folders or more"),
        (["train", "cage", "beach-boys"], "Missing option"),
        (["train", "a", "b", "--out", "c", "--device", "abacus"], "'abacus' is not one of"),
        (["hybrid", "both.mix", "--alpha", "0"], "Missing option '--out'"),
        (["hybrid", "both.mix", "--alpha", "0", "--out", "h.wav", "--continuity", "x"], "value for '--continuity'"),
        (["hybrid", "both.mix", "--alpha", "0", "--out", "h.wav", "--bits", "12"], "'12' is not one of"),
        (["hybrid", "both.mix", "--alpha", "0", "--out", "h.wav", "--phase", "new"], "'new' is not one of"),
        (["hybrid", "both.mix", "--alpha", "0", "--out", "h.wav", "--quality", "ok"], "'ok' is not one of 'draft'"),
        (["rebuild", "both.mix", "a.wav", "--out", "h.wav", "--quality", "ok"], "'ok' is not one of 'draft'"),
        (["hybrid", "both.mix", "--alpha", "0", "--out", "h.wav", "--start", "soon"], "--start"),
        (["rebuild", "both.mix", "--out", "h.wav"], "Missing argument 'FILE'"),
        (["rebuild", "both.mix", "a.wav"], "Missing option"),
        (["info", "--out", "x"], "No such option"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_wrong(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""
    assert run_command([*arguments, "--json"]) == 2
    assert set(json.loads(capsys.readouterr().out)) == {"error"}


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            BadInput("x.mix: no run there;\nmake one with `stylemix train`"),
            1,
            "x.mix: no run there; make one with",
        ),
        (StylemixError("nothing usable"), 1, "nothing usable"),
        (
            OSError(errno.ENOSPC, "No space left on device", "h.wav"),
            1,
            "h.wav: the disk is full; free some space",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "h.wav"), 1, "h.wav: no permission"),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "x.mix"),
            1,
            "x.mix: No such file; check that it is there",
        ),
        (MemoryError(), 1, "not enough memory; try shorter files"),
        (KeyError("steps"), 1, "unexpected KeyError: 'steps'; STYLEMIX_DEBUG=1 shows where"),
        (KeyboardInterrupt(), 130, "interrupted; run the same command again"),
    ],
)
def test_a_failure_is_one_line_an_exit_code_and_with_json_an_object(
    error: BaseException, code: int, line: str, floor: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    floor("stylemix.model.run", load_run=raising(error))
    assert run_command(["info", "x.mix"]) == code
    shown = capsys.readouterr()
    assert shown.err.startswith(f"stylemix: {line}")
    assert shown.err.count("\n") == 1
    assert shown.out == ""
    assert run_command(["info", "x.mix", "--json"]) == code
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"error": shown.err.removeprefix("stylemix: ").rstrip("\n")}


def test_an_interrupted_training_says_how_to_go_on(
    floor: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    floor("stylemix.learn", train=raising(KeyboardInterrupt()))
    assert run_command(["train", "a", "b", "--out", "c.mix"]) == 130
    assert capsys.readouterr().err == "stylemix: interrupted; go on with the same command and --resume\n"


def test_the_traceback_is_there_for_who_asks(
    floor: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEMIX_DEBUG", "1")
    floor("stylemix.model.run", load_run=raising(BadInput("no run there")))
    assert run_command(["info", "x.mix"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith("stylemix: no run there\n")


def test_json_is_one_finite_object_whatever_the_libraries_print(
    floor: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    class Run:
        def describe(self) -> dict[str, Any]:
            print("a library says hello")
            return {
                "loss": float("nan"),
                "steps": np.int64(3),
                "curve": np.array([1.0, np.inf]),
                "path": Path("é.mix"),
                "odd": b"caf\xe9".decode("utf-8", "surrogateescape"),
                "nested": [{"ok": True, "none": None}],
            }

        def card(self) -> str:
            return "a card"

    floor("stylemix.model.run", load_run=lambda path: Run())
    assert run_command(["info", "x.mix", "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 1
    assert shown.out.isascii()
    assert json.loads(shown.out) == {
        "loss": None,
        "steps": 3,
        "curve": [1.0, None],
        "path": "é.mix",
        "odd": "caf\udce9",
        "nested": [{"ok": True, "none": None}],
    }
    assert shown.err == "a library says hello\n"
    assert run_command(["info", "x.mix"]) == 0
    assert capsys.readouterr().out == "a card\n"


def test_warnings_of_other_packages_stay_away_and_ours_do_not(
    floor: Callable[..., None], recwarn: pytest.WarningsRecorder
) -> None:
    import warnings

    def load(path: Path) -> Any:
        warnings.warn_explicit("theirs", FutureWarning, "x.py", 1, module="umap.plot")
        warnings.warn_explicit("ours", UserWarning, "y.py", 1, module="stylemix.doctor")
        raise BadInput("enough")

    floor("stylemix.model.run", load_run=load)
    assert run_command(["info", "x.mix"]) == 1
    assert [str(warning.message) for warning in recwarn] == ["ours"]


def test_train_hands_over_what_it_was_given(floor: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[str, Any] = {}

    def train(folders: list[Path], **options: Any) -> Any:
        seen.update(options, folders=folders)
        return types.SimpleNamespace(path=options["out"], describe=lambda: {"steps": 5})

    floor("stylemix.learn", train=train)
    command = "train a b c -o r.mix --recipe quick --minutes 1.5 --steps 9 --device cpu --seed 4 --resume -fq"
    assert run_command(command.split()) == 0
    assert seen == {
        "folders": [Path("a"), Path("b"), Path("c")],
        "out": Path("r.mix"),
        "recipe": "quick",
        "minutes": 1.5,
        "steps": 9,
        "device": "cpu",
        "seed": 4,
        "resume": True,
        "force": True,
        "show_progress": False,
    }
    assert "next: stylemix hybrid r.mix" in capsys.readouterr().out
    assert run_command(["train", "a", "b", "--out", "r.mix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"out": "r.mix", "steps": 5}
    assert (seen["recipe"], seen["minutes"], seen["seed"], seen["show_progress"]) == (
        "base",
        None,
        None,
        True,
    )


@pytest.fixture
def rendered(floor: Callable[..., None]) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """What the commands asked the renderer for."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def recorder(name: str) -> Callable[..., dict[str, Any]]:
        def record(*arguments: Any, **options: Any) -> dict[str, Any]:
            calls.append((name, arguments, options))
            return {"out": options["out"]}

        return record

    floor("stylemix.model.run", load_run=lambda path: f"run {path}")
    floor("stylemix.hybrid.variations", hybrid_variations=recorder("variations"))
    floor(
        "stylemix.hybrid.render",
        hybrid_file=recorder("file"),
        hybrid_folder=recorder("folder"),
        rebuild_file=recorder("rebuild"),
    )
    return calls


# What the command hands over where the user gives nothing: the dials as they are by default.
USUAL = {
    **Dials().as_dict(), "mode": None, "clusters": None, "space": None, "cluster_seed": 0, "walk": None, "alpha": None,
    "source": None, "target": None, "to": None, "from_corpus": None,
    "start_s": 0.0, "duration_s": None, "target_start_s": 0.0, "target_duration_s": None,
    "stems": None, "weights": None, "source_cluster": None, "target_cluster": None, "raw_alpha": False,
    "extrapolate": False, "variation": 1, "bits": None, "sample_rate": None, "seed": 0, "force": False,
    "show_progress": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("--alpha 0:0,10:1", {"alpha": "0:0,10:1"}),
        ("--target b.wav --mode morph", {"target": Path("b.wav"), "mode": "morph"}),
        ("--target b.wav --target-start 3 --target-duration 4",
         {"target": Path("b.wav"), "target_start_s": 3.0, "target_duration_s": 4.0}),
        ("--from cage", {"from_corpus": "cage"}),
        ("--to cage --start 1 --duration 2", {"to": "cage", "start_s": 1.0, "duration_s": 2.0}),
        ("--stems s --bits 32f --sample-rate 48000", {"stems": Path("s"), "bits": "32f", "sample_rate": 48000}),
        ("--phase estimate --quality draft --seed 5", {"phase": "estimate", "quality": "draft", "seed": 5}),
        ("--weights a=0.2,b=0.8", {"weights": "a=0.2,b=0.8"}),
        ("--source-cluster 3 --target-cluster 0", {"source_cluster": 3, "target_cluster": 0}),
        ("--target-cluster 2 --clusters hdbscan --space latents --cluster-seed 3",
         {"target_cluster": 2, "clusters": "hdbscan", "space": "latents", "cluster_seed": 3}),
        ("--walk 0:1-2:0.5 --mode fade", {"walk": "0:1-2:0.5", "mode": "fade"}),
        ("--raw-alpha", {"raw_alpha": True}),
        ("--extrapolate --alpha 1.3", {"extrapolate": True, "alpha": "1.3"}),
        ("--variation 3", {"variation": 3}),
        ("--align nearest --continuity 2", {"align": "nearest", "continuity": 2.0}),
        ("--randomness 0.5 --loudness 1", {"randomness": 0.5, "loudness": 1.0}),
        ("--chroma 0 --timbre 2", {"chroma": 0.0, "timbre": 2.0}),
        ("--envelope 0.5 --pitch 0", {"envelope": 0.5, "pitch": 0.0}),
        ("--detail 1 --rhythm target", {"detail": 1.0, "rhythm": "target"}),
        ("--force --quiet", {"force": True, "show_progress": False}),
        ("", {}),
    ],
)
def test_hybrid_hands_over_what_it_was_given(
    rendered: list, capsys: pytest.CaptureFixture[str], words: str, given: dict[str, Any]
) -> None:
    assert run_command(f"hybrid r.mix --source a.wav --out h.wav --json {words}".split()) == 0
    wanted = {**USUAL, "source": Path("a.wav"), "out": Path("h.wav"), **given}
    assert rendered == [("file", ("run r.mix",), wanted)]
    assert json.loads(capsys.readouterr().out) == {"out": "h.wav"}


def test_variations_are_asked_for_with_a_page(
    rendered: list, floor: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    floor(
        "stylemix.ordering",
        render_asked=lambda run, **asked: {**asked, "run": run},
        answer_lines=lambda result: ["page", f"{result['variations']} files"],
    )
    command = "hybrid r.mix --alpha 0.5 --source a.wav --out d --variations 4"
    assert run_command(command.split()) == 0
    assert capsys.readouterr().out == "page\n4 files\n"
    assert run_command([*command.split(), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"], found["variations"], found["out"], found["alpha"]) == ("run r.mix", 4, "d", "0.5")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_outside_a_command_s_work_is_130_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, as_json: bool
) -> None:
    monkeypatch.setattr("stylemix.cli.make_app", raising(error))
    assert run_command(["modes", *["--json"] * as_json]) == 130
    shown = capsys.readouterr()
    assert shown.err == "stylemix: interrupted; run the same command again\n"
    assert (json.loads(shown.out) if as_json else shown.out) == ({"error": shown.err[10:-1]} if as_json else "")


def test_rebuild_hands_over_the_quality_and_has_a_good_one_by_default(rendered: list) -> None:
    for words, quality in (("", "good"), ("--phase estimate --quality best", "best")):
        assert run_command(["rebuild", "r.mix", "a.wav", "--out", "h.wav", *words.split()]) == 0
        name, arguments, options = rendered.pop()
        assert (name, arguments, options["quality"]) == ("rebuild", ("run r.mix", Path("a.wav")), quality)


def test_a_folder_as_source_renders_a_folder(rendered: list, tmp_path: Path) -> None:
    assert run_command(["hybrid", "r.mix", "--alpha", "1", "--source", str(tmp_path), "--out", "hybrids"]) == 0
    assert run_command(["hybrid", "r.mix", "--alpha", "1", "--source", str(tmp_path / "no"), "--out", "h.wav"]) == 0
    assert [name for name, _, _ in rendered] == ["folder", "file"]


def test_a_missing_permission_is_a_failure_and_not_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    def refuse(path: object, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("os.access", lambda *_, **__: False)
    monkeypatch.setattr("os.scandir", refuse)
    assert run_command(["inspect", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_path_that_may_not_be_read_reaches_who_reads_it(
    rendered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    path = str(tmp_path)
    assert run_command(["hybrid", path, "--alpha", "1", "--source", __file__, "--target", path, "--out", path]) == 0
    assert run_command(["rebuild", path, path, "--out", path]) == 0
    assert len(rendered) == 2


def test_names_that_begin_with_a_dash_work(rendered: list) -> None:
    assert run_command(["hybrid", "r.mix", "--alpha", "-0.5", "--source", "-x.wav", "--out", "-y.wav"]) == 0
    assert run_command(["rebuild", "--out", "o.wav", "--", "r.mix", "-x.wav"]) == 0
    assert run_command(["rebuild", "r.mix", "./-x.wav", "--out", "o.wav"]) == 0
    assert rendered[0][2]["source"] == Path("-x.wav")
    assert rendered[0][2]["alpha"] == "-0.5"
    assert [call[1] for call in rendered[1:]] == [("run r.mix", Path("-x.wav"))] * 2


@pytest.mark.parametrize("as_json", [True, False])
def test_the_address_is_told_before_the_server_ends(
    floor: Callable[..., None], capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    told = []

    def serve(run: str, *, announce: Callable[[str], None], **wanted: Any) -> dict[str, Any]:
        announce("http://127.0.0.1:9/?token=t")
        told.append(capsys.readouterr())
        return {"address": "http://127.0.0.1:9/", "hybrids": 2}

    floor("stylemix.model.run", load_run=str)
    floor("stylemix.explore.serving", explore_run=serve)
    assert run_command(["explore", "r.mix", *["--json"] * as_json]) == 0
    left = capsys.readouterr().out
    if as_json:
        assert json.loads(told[0].out) == {"address": "http://127.0.0.1:9/?token=t"}
        assert left == ""
    else:
        assert (told[0].out, left) == ("", "2 hybrids made; closed\n")
        assert told[0].err.startswith("http://127.0.0.1:9/?token=t\n")


def test_the_other_commands_hand_over_what_they_were_given(
    floor: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    def echo(*arguments: Any, **options: Any) -> dict[str, Any]:
        return {"arguments": arguments, **options}

    floor("stylemix.model.run", load_run=lambda path: f"run {path}")
    floor("stylemix.demo", make_demo=echo)
    floor("stylemix.style_map.atlas", map_run=echo)
    floor("stylemix.measure.report", evaluate=echo)
    floor("stylemix.measure.properties.report", measure_properties=echo)
    report = types.SimpleNamespace(to_dict=lambda: {"folders": 2}, lines=lambda: ["two folders"])
    floor("stylemix.doctor", inspect_folders=lambda folders: report)

    def answer(command: str) -> dict[str, Any]:
        assert run_command([*command.split(), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert answer("demo --minutes 0.5 -q") == {
        "arguments": ["demo"],
        "minutes": 0.5,
        "seed": 0,
        "force": False,
        "show_progress": False,
    }
    assert answer("map r.mix --out m.html --seed 2 --space scattering --force") == {
        "arguments": ["run r.mix", "m.html"],
        "seed": 2,
        "force": True,
        "show_progress": True,
        "space": "scattering",
        "pictures": [],
        "colour": "corpus",
        "layouts": "umap,umap:3,pca",
        "clusters": None,
        "hybrids": True,
        "add": [],
    }
    drawn = answer("map r.mix --png m.png --svg m.svg --colour pitch --add a.wav --add b.wav --no-hybrids")
    assert drawn["arguments"] == ["run r.mix", None]
    assert (drawn["pictures"], drawn["colour"]) == (["m.png", "m.svg"], "pitch")
    assert (drawn["add"], drawn["hybrids"]) == (["a.wav", "b.wav"], False)
    measured = {"out": None, "force": False, "quick": False, "reconstruct": True, "seed": 0, "show_progress": True}
    assert answer("properties") == {"arguments": [[]], **measured}
    assert answer("properties a.wav b -o p.html --quick --no-reconstruct --seed 3 -fq") == {
        "arguments": [["a.wav", "b"]],
        "out": "p.html",
        "force": True,
        "quick": True,
        "reconstruct": False,
        "seed": 3,
        "show_progress": False,
    }
    assert answer("evaluate r.mix --phase parents --modes match,morph --sources 3") == {
        "arguments": ["run r.mix"],
        "out": None,
        "modes": ["match", "morph"],
        "controls": ["fade", "cross"],
        "phase": "parents",
        "n_sources": 3,
        "both_directions": False,
        "raw_alpha": False,
        "ablation": False,
        "seed": 0,
        "force": False,
        "show_progress": True,
    }
    assert answer("inspect a b") == {"folders": 2}
    assert run_command(["inspect", "a"]) == 0
    assert capsys.readouterr().out == "two folders\n"


def test_recipes_lists_them_and_shows_one_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipes"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == ["base", "fine", "quick", "tiny"]
    assert run_command(["recipes", "quick"]) == 0
    assert "[training]\nminutes = 1.0\n" in capsys.readouterr().out
    assert run_command(["recipes", "quick", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["recipe"]["training"]["minutes"]) == ("quick", 1.0)
    assert run_command(["recipes", "quik"]) == 1
    assert "did you mean 'quick'?" in capsys.readouterr().err


def test_the_module_runs_as_a_program_and_survives_a_reader_that_leaves() -> None:
    command = [sys.executable, "-m", "stylemix", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout == "stylemix 0.1.0\n"
    reader = subprocess.Popen(
        [sys.executable, "-m", "stylemix", "recipes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert reader.stdout is not None
    assert reader.stderr is not None
    reader.stdout.close()
    complaint = reader.stderr.read()
    reader.stderr.close()
    assert reader.wait(timeout=60) == 1
    assert complaint == b""
