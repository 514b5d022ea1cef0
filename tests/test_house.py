"""The walls of the house: what each room may import, no circles, every string leads somewhere, how large things may be."""

import ast
import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import NoneType
from typing import get_args, get_origin

import pytest
import typer

from audiocli import records
from audiocli.cli import app
from audiocli.options import formats
from audiocli.options.option import declaration
from bench import house

ROOT = Path(__file__).resolve().parent.parent
SLOW = ("torch", "torchaudio", "transformers", "matplotlib", "librosa", "huggingface_hub", "faster_whisper")
SPARED = ("numba", "sklearn", "pandas")  # no verb but features needs them
HEAVY = {
    "torch",
    "torchaudio",
    "numpy",
    "numba",
    "soundfile",
    "transformers",
    "onnxruntime",
    "ctranslate2",
    "pyannote",
    "ray",
    "matplotlib",
    "scipy",
    "av",
    "rich",
}

# Rooms and modules at the top that all may import, and what these import themselves.
LEAVES = {
    "__init__": set(),
    "options": set(),
    "errors": set(),
    "records": {"music"},  # for type checkers: the piece in a record of music
    "console": set(),
    "protobuf": set(),
    "spool": set(),
    "database": {"errors"},
    "device": {"errors", "options"},
}
# What a room may import beside the leaves and itself. A room that is not here is red.
ARROWS = {
    "__main__": {"cli"},
    "cli": {"verbs/*/command", "models/command", "training/command", "run"},  # run: how a command ends, and so main()
    "verbs": {"voices", "models", "run", "outputs", "inputs", "vad", "audio", "music", "nets", "kernels", "tones"},
    # audio: what nets are trained on is read here; outputs: the curves are a picture like others
    # vad: where a clip has speech is a target of the segmentation net
    "training": {"voices", "nets", "music", "inputs", "run", "models", "kernels", "audio", "outputs", "vad"},
    "voices": {"vad", "models", "nets", "kernels"},  # kernels: the pitch of a voice is a part of its timbre
    "tones": {"models", "kernels"},
    "models": set(),
    "run": {"outputs", "inputs"},
    "outputs": {"inputs", "music", "audio"},
    "inputs": {"audio"},
    "audio": {"kernels"},
    "vad": {"kernels"},
    "music": {"kernels"},
    "nets": {"kernels"},
    "kernels": set(),
}
STARTING = {  # a command starts a job, whatever its room; and a job finds its model
    "models/command": {"run"},
    "training/command": {"run"},
    "run/job": {"models"},
}
AMONG_VERBS = {  # arrows among verbs
    "clone": {"speak", "diarize", "verify"},  # verify: whether all references are of one person
    "speak": {"transcribe"},
    "transcribe": {"diarize"},
    "diarize": {"verify"},
    "classify": {"features"},
    "doctor": {"speak"},  # it asks the synthesisers whether what they stand on is here
}
STRING = re.compile(r"audiocli(?:\.\w+)+:\w+")  # "module:function"
TABLES = re.compile(
    r"audiocli\.((?:voices|tones)\.models|training\.recipes|verbs\.\w+\.models)"
)  # where such strings may stand
LARGEST = {"module": 300, "function": 45, "folder": 20}


def room(name: str) -> tuple[str, str]:
    """The room of a module, and the rest of its name: ("verbs", "speak/command"), ("options", "")."""
    parts = name.split(".")[1:] or ["__init__"]
    return parts[0], "/".join(parts[1:])


def allowed(name: str, other: str) -> bool:
    """Whether one module may import another."""
    (mine, rest), (theirs, target) = room(name), room(other)
    if mine in LEAVES:
        return theirs == mine or theirs in LEAVES[mine]
    if theirs in LEAVES:
        return True
    if (mine, theirs) == ("verbs", "verbs"):
        verb, wanted = rest.split("/")[0], target.split("/")[0]
        return verb == wanted or wanted in AMONG_VERBS.get(verb, set())
    may = ARROWS[mine] | STARTING.get(f"{mine}/{rest}", set())
    command = re.sub(r"^\w+/", "*/", target)
    return mine == theirs or not may.isdisjoint({theirs, f"{theirs}/{target}", f"{theirs}/{command}"})


@pytest.mark.parametrize("name", house.modules())
def test_arrows_point_down(name):
    assert room(name)[0] in ARROWS | LEAVES, f"{name} is in no room of the plan"
    imported = set(house.imports(house.modules()[name], typing=True)) & house.modules().keys()
    assert [other for other in sorted(imported) if not allowed(name, other)] == []


def test_the_table_has_no_room_that_is_gone():
    there = {room(name)[0] for name in house.modules()}
    assert there == ARROWS.keys() | LEAVES.keys()
    assert AMONG_VERBS.keys() <= {room(name)[1].split("/")[0] for name in house.modules() if room(name)[0] == "verbs"}


def test_forbidden_arrows_are_seen():
    assert not allowed("audiocli.models.locate", "audiocli.verbs.speak.bark")
    assert not allowed("audiocli.verbs.verify.work", "audiocli.verbs.speak.work")
    assert not allowed("audiocli.cli", "audiocli.verbs.speak.work")
    assert not allowed("audiocli.errors", "audiocli.options")
    assert not allowed("audiocli.run.batch", "audiocli.models.locate")


def test_no_circles_between_files():
    """Strings are arrows, too: who resolves "module:function" imports what it may find there."""
    assert house.circles(house.graph(strings=True)) == []


def test_strings_are_arrows():
    graph = house.graph(strings=True)
    resolvers = {name for name in graph if "audiocli.verbs.speak.bark" in graph[name]}
    assert len(resolvers) == 1  # of adapters
    assert resolvers.pop().startswith("audiocli.models.")
    assert "audiocli.training.recipes.finetuning" in graph["audiocli.training.recipes"]


def test_strings_stand_in_the_tables_alone():
    texts = {name: path.read_text(encoding="utf-8") for name, path in house.modules().items()}
    assert [name for name, text in texts.items() if STRING.search(text) and not TABLES.fullmatch(name)] == []


def strings(*tables: str) -> set[str]:
    """All "module:function" in tables whose names begin so."""
    paths = [path for name, path in house.modules().items() if name.startswith(tables)]
    return {text for path in paths for text in STRING.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("text", sorted(strings("audiocli.verbs.", "audiocli.voices.", "audiocli.tones.")))
def test_an_adapter_is_there(text):
    """It takes a folder, a row, a place and the options; a vocoder is a part of a synthesiser, which calls it."""
    module, _, function = text.partition(":")
    signature = inspect.signature(getattr(import_module(module), function))
    if not module.endswith(".vocoders"):
        signature.bind(None, None, None, None)


@pytest.mark.parametrize("text", sorted(strings("audiocli.training.recipes")))
def test_a_recipe_is_there(text):
    """It takes the options and the console."""
    module, _, function = text.partition(":")
    inspect.signature(getattr(import_module(module), function)).bind(None, None)


def test_every_table_is_joined():
    from audiocli.models import registry

    found = {name for name in house.modules() if re.fullmatch(r"audiocli\.(verbs\.\w+|voices|tones)\.models", name)}
    assert set(registry._MODULES) == found
    assert {table.task for table in registry._TABLES} == {*registry.VERBS, "vocoder"}
    resolved = {spec.adapter for spec in registry.MODELS.values()} | {
        adapter for _, adapter in registry.FAMILIES.values()
    }
    resolved |= {
        adapter for _, adapter in (*registry.MARKS.values(), *registry._HEADS.values(), *registry._KEYS.values())
    }
    # Every string is of use: Tacotron 2 by its family, the others by a row, too.
    assert resolved - {""} == strings("audiocli.verbs.", "audiocli.voices.", "audiocli.tones.")


def bodies(path: Path) -> dict[str, int]:
    """Lines of the body of each function, without its docstring."""
    found = {}
    for node in ast.walk(house.tree(path)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            found[f"{house.dotted(path)}.{node.name}"] = body[-1].end_lineno - body[0].lineno + 1 if body else 0
    return found


def test_sizes():
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in house.modules().items()}
    functions = {name: n for path in house.product() for name, n in bodies(path).items()}
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in house.product())
    assert {name: n for name, n in lines.items() if n > LARGEST["module"]} == {}
    assert {name: n for name, n in functions.items() if n > LARGEST["function"]} == {}
    assert {name: n for name, n in folders.items() if n > LARGEST["folder"]} == {}


@pytest.mark.parametrize("path", sorted((ROOT / "kernels").rglob("*.py")), ids=lambda path: path.name)
def test_kernels_stand_alone(path):
    allowed = sys.stdlib_module_names | {"numpy", "numba", "llvmlite", "scipy"}  # llvmlite: how numba says instructions
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module.split(".")[0] in allowed


def test_light_start():
    """Help, usage errors and unknown names answer before anything heavy is imported."""
    code = f"import sys, audiocli.cli; print(sorted({HEAVY!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("args", "spared"),
    [
        (["features", "{clip}", "-k", "log-mel,beats", "-o", "x.npz"], SLOW),
        (["speak", "Hello there.", "-o", "x.wav"], (*SLOW, *SPARED)),  # hibari where it is installed
        (["speak", "Hello there.", "--model", "espeak-ng", "-o", "x.wav"], (*SLOW, *SPARED, "scipy", "onnxruntime")),
        (["denoise", "{clip}", "-o", "x.wav"], (*SLOW, *SPARED, "scipy", "onnxruntime")),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "",
)
def test_default_paths_are_light(args, spared, speech, tmp_path):
    """Each in a process of its own, with no choice of the user's: what it does not need is not imported."""
    code = (
        "import sys; from audiocli.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        f"print(sorted({{*{spared!r}}} & set(sys.modules)))"
    )
    words = [str(speech) if word == "{clip}" else word for word in args]
    env = {name: value for name, value in os.environ.items() if not re.fullmatch("AUDIOCLI_.*_MODEL", name)}
    env |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ended = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, cwd=tmp_path, env=env
    )
    assert ended.stdout == "[]\n"


COMMANDS = typer.main.get_command(app).commands
VERBS = sorted(COMMANDS.keys() - {"models", "doctor"})
# Common options that mean nothing to a verb.
WITHOUT = {
    "features": {"precision", "memory"},
    "denoise": {"channel"},
    "verify": {"resume"},
    "generate-music": {"jobs"},
}
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


def test_every_net_of_our_own_has_its_weights():
    from audiocli.models import registry

    fitted = {"ge2e"}  # no net, but what scores of a published one mean
    assert {spec.weights.name for spec in registry.MODELS.values() if spec.weights} | fitted == {
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
    kernels = (path.parent.relative_to(ROOT).parts for path in (ROOT / "kernels").rglob("__init__.py"))
    found |= {".".join(("audiocli", *parts)) for parts in kernels}
    # To setuptools a folder of weights is a package when its name could be one's.
    weights = {
        f"audiocli.weights.{path.name}" for path in (ROOT / "audiocli/weights").iterdir() if path.name.isidentifier()
    }
    assert set(listed) == found | {"audiocli.weights"} | weights
