"""The walls of the house: which module may import which, how light the start is, one place for each default."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import get_args, get_origin

import pytest
import typer

from audiocli import records
from audiocli.cli import app
from audiocli.options import formats
from audiocli.options.option import declaration

ROOT = Path(__file__).resolve().parent.parent
STANDARD = sys.stdlib_module_names | {"typer"}
HEAVY = {
    "torch",
    "torchaudio",
    "numpy",
    "numba",
    "soundfile",
    "transformers",
    "pyannote",
    "matplotlib",
    "scipy",
    "av",
    "rich",
}

# What a module may not import anywhere, not even inside a function.
FORBIDDEN = {
    "run": {"verbs", "voices", "models", "training", "vad", "music", "nets", "kernels", "audio"},
    "inputs": {"run", "outputs", "verbs", "voices", "models", "training", "vad", "music", "nets", "kernels"},
    "outputs": {"run", "verbs", "voices", "models", "training", "vad", "nets", "kernels"},
    "records": {"outputs", "run", "verbs", "audio"},
    "audio": {"run", "inputs", "outputs", "verbs", "voices", "models", "training", "vad", "music", "nets", "kernels", "records"},
    "vad": {"run", "inputs", "outputs", "verbs", "voices", "models", "training", "music", "nets"},
    "music": {"run", "inputs", "outputs", "verbs", "voices", "models", "training", "vad", "nets"},
    "voices": {"run", "inputs", "outputs", "verbs", "training", "music"},
    "options": {"*"},
    "errors": {"*"},
    "nets": {"*"},
    "training": {"verbs"},
}  # fmt: skip


def modules() -> list[Path]:
    return sorted((ROOT / "audiocli").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """First names below audiocli of every import of ours in a file."""
    names = set()
    inside = path.relative_to(ROOT / "audiocli").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            above = list(inside[: len(inside) - (node.level - 1)])
            full = [*above, *(node.module or "").split(".")] if node.module else [*above]
            names |= {full[0]} if full and full[0] else {alias.name for alias in node.names}
        elif (node.module or "").split(".")[0] == "audiocli":
            parts = node.module.split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_point_one_way(path):
    room = path.relative_to(ROOT / "audiocli").parts[0].removesuffix(".py")
    banned = FORBIDDEN.get(room, set())
    found = imported(path) - {room} - ({"kernels"} if room == "nets" else set())  # for their tables
    assert not (found if banned == {"*"} else found & banned)


@pytest.mark.parametrize("path", sorted((ROOT / "kernels").glob("*.py")), ids=lambda path: path.name)
def test_kernels_stand_alone(path):
    allowed = sys.stdlib_module_names | {"numpy", "numba", "scipy"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module.split(".")[0] in allowed


def test_no_import_cycles():
    graph = {}
    for path in modules():
        room = path.relative_to(ROOT / "audiocli").parts[0].removesuffix(".py")
        graph.setdefault(room, set()).update(imported(path) - {room, "kernels", "__version__"})
    done, path_here = set(), []

    def visit(room):
        assert room not in path_here, " -> ".join([*path_here, room])
        if room in done:
            return
        path_here.append(room)
        for other in graph.get(room, ()):
            visit(other)
        path_here.pop()
        done.add(room)

    for room in graph:
        visit(room)


def test_light_start():
    """Help, usage errors and unknown names answer before anything heavy is imported."""
    code = f"import sys, audiocli.cli; print(sorted({HEAVY!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_cpu_path_never_imports_torch(recording, tmp_path):
    code = (
        "import sys; from audiocli.cli import app\n"
        f"try: app(['features', {str(recording)!r}, '-k', 'log-mel', '-k', 'beats', '-o', {str(tmp_path / 'x.npz')!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


COMMANDS = typer.main.get_command(app).commands
VERBS = sorted(COMMANDS.keys() - {"models", "doctor"})
# Common options that mean nothing to a verb.
WITHOUT = {"denoise": {"channel"}, "verify": {"resume"}, "generate-music": {"jobs"}}
SAMPLES = {int: ("7", 7), float: ("0.25", 0.25), str: ("word", "word")}


def fields_of(verb):
    """(parameter of the verb's function, field) of each option that it takes."""
    function = COMMANDS[verb].callback.__wrapped__
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return [
        (name, field)
        for name, parameter in inspect.signature(function).parameters.items()
        if is_dataclass(parameter.annotation)
        for field in fields(parameter.annotation)
    ]


def given(field):
    """Words of the command line that set an option to what is not its default, and that value."""
    told = declaration(field)
    name = told.flags or "--" + field.name.replace("_", "-")
    kind, *others = [one for one in get_args(field.type) if one is not NoneType] or [field.type]
    if kind is bool:
        return [name.split("/")[-1 if field.default is not False else 0]], field.default is False
    if get_origin(kind) is tuple:
        return [name, "old", "new"], ("old", "new")
    if others:
        return [name, "one", name, "two"], ("one", "two")
    if told.metavar == "TIME":
        return [name, "1:30"], 90.0
    return [name, SAMPLES[kind][0]], SAMPLES[kind][1]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_a_field_and_every_field_an_option(verb):
    options = {one.name: one for one in COMMANDS[verb].params if one.param_type_name == "option"}
    declared = {field.name: field for _, field in fields_of(verb)}
    assert options.keys() == declared.keys() - WITHOUT.get(verb, set())
    assert declared.keys() >= WITHOUT.get(verb, set())
    for name, one in options.items():
        ours = declared[name].default
        assert one.default == (list(ours) or None if isinstance(ours, tuple) else ours), name
        assert one.help, name
    spelled = [flag for one in options.values() for flag in (*one.opts, *one.secondary_opts)]
    assert len(spelled) == len(set(spelled))


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_reaches_its_field(verb, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "audiocli.run.verb.start", lambda job: seen.update(inspect.getclosurevars(job).nonlocals["built"])
    )
    taken = [(name, field) for name, field in fields_of(verb) if field.name not in WITHOUT.get(verb, ())]
    words = [word for _, field in taken for word in given(field)[0]]
    app([verb, *words, "--", "argument"], standalone_mode=False)
    for name, field in taken:
        assert getattr(seen[name], field.name) == given(field)[1], field.name
    app([verb, "argument"], standalone_mode=False)
    for name, options in seen.items():
        assert options == type(options)(), name


def test_man_pages_are_fresh():
    sys.path.insert(0, str(ROOT / "man"))
    try:
        import generate
    finally:
        sys.path.pop(0)
    for name, text in generate.pages().items():
        assert (ROOT / "man" / name).read_text() == text, "run: make man"
    assert {path.name for path in (ROOT / "man").glob("*.1")} == set(generate.pages())


def test_every_recipe_and_every_adapter_is_there():
    from importlib import import_module

    from audiocli.models import registry
    from audiocli.training.recipes import RECIPES

    named = {row.make for row in RECIPES.values()} | {spec.adapter for spec in registry.MODELS.values()}
    for name in named | {adapter for _, adapter in registry.FAMILIES.values()} - {""}:
        module, _, function = name.partition(":")
        assert callable(getattr(import_module(module), function)), name
    assert {spec.weights.name for spec in registry.MODELS.values() if spec.weights} == {
        path.name for path in registry.WEIGHTS.iterdir() if path.is_dir()
    }
    for spec in registry.MODELS.values():
        assert spec.weights is None or {"model.safetensors", "config.json", "README.md"} <= {
            path.name for path in spec.weights.iterdir()
        }


@pytest.mark.parametrize(
    ("verb", "kind", "names", "elsewhere"),
    [
        ("features", records.Features, formats.FEATURES, ()),
        ("transcribe", records.Transcript, formats.TRANSCRIPT, ()),
        ("speak", records.Speech, formats.SPEECH, ("srt",)),  # by --timestamps
        ("clone", records.Recording, formats.RECORDING, ()),
        ("denoise", records.Recording, formats.RECORDING, ()),
        ("verify", records.Match, formats.MATCH, ()),
        ("verify", records.Person, formats.MATCH, ()),
        ("verify", records.Recognised, formats.MATCH, ()),
        ("diarize", records.Diarization, formats.TURNS, ()),
        ("classify", records.Labels, formats.LABELS, formats.PICTURES),  # by --plot
        ("classify", records.Events, formats.LABELS + formats.EVENTS, formats.PICTURES),
        ("generate-music", records.Music, formats.MUSIC, formats.PICTURES),
    ],
)
def test_every_format_is_in_the_help(verb, kind, names, elsewhere):
    from audiocli.outputs.formats import FORMATS

    assert {*names, *elsewhere} == {form.name for form in FORMATS.values() if kind in form.writers}
    text = next(one.help for one in COMMANDS[verb].params if one.name == "format")
    assert set(names) <= set(re.findall(r"\w+", text))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "audiocli/verbs").glob("*/command.py")), ids=lambda path: path.parent.name
)
def test_commands_ask_what_an_output_is(path):
    """outputs/destination.py decides what -o and --format mean, and no command looks at a name itself."""
    used = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not used & {"splitext", "endswith", "isdir", "suffix"}


def test_nothing_of_one_machine_is_committed():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    if files == [""] or len(ROOT.parent.parts) < 2:
        pytest.skip("not a git checkout, or one whose folder is too short to be told from other text")
    for name in filter(None, files):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ""} and path.is_file():
            assert str(ROOT.parent) + "/" not in path.read_text(errors="replace"), name


def test_every_package_is_installed():
    """setuptools finds packages by itself only where all lie in one tree, and the kernels do not."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "audiocli").rglob("__init__.py")}
    assert set(listed) == found | {"audiocli.kernels"}
