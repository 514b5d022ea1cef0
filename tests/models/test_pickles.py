"""Checkpoints of torch through the reader that runs nothing: the same numbers as torch reads, and no code of theirs."""

import collections
import functools
import io
import os
import pickle
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from audiocli.errors import DownloadError
from audiocli.models import pickles

MODELS = Path(os.environ.get("AUDIOCLI_TEST_MODELS", "nowhere"))  # a folder with the files of published models
OLDER = {"_use_new_zipfile_serialization": False}


def everything():
    """Tensors of all types and layouts, and plain containers."""
    torch.manual_seed(0)
    whole = torch.randn(6, 5)
    return {
        "plain": torch.randn(3, 4), "turned": whole.T, "part": whole[2:5, 1:3], "half": torch.randn(4).half(),
        "whole": torch.arange(7), "small": torch.tensor([-3, 3], dtype=torch.int8), "yes": torch.tensor([True, False]),
        "double": torch.randn(2, dtype=torch.float64), "one": torch.tensor(2.5), "none": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.randn(2)), "state": torch.nn.Linear(3, 2).state_dict(),
        "other": [1, 2.5, "x", None, True, b"bytes", (1, {2, 3})], "size": torch.Size([1, 2]),
    }  # fmt: skip


def equal(ours, theirs):
    if isinstance(theirs, torch.Tensor):
        np.testing.assert_array_equal(
            ours, theirs.detach().float().numpy() if theirs.dtype == torch.bfloat16 else theirs.detach().numpy()
        )
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            equal(ours[key], theirs[key])
    else:
        assert ours == theirs


@pytest.mark.parametrize("how", [{}, OLDER], ids=["zip", "older"])
def test_numbers_are_those_of_torch(tmp_path, how):
    torch.save(everything(), tmp_path / "x.pt", **how)
    equal(pickles.read(tmp_path / "x.pt"), torch.load(tmp_path / "x.pt", weights_only=False))


def test_bfloat16_becomes_float32(tmp_path):
    torch.save({"w": torch.randn(50).bfloat16()}, tmp_path / "x.pt")
    read = pickles.read(tmp_path / "x.pt")
    equal(read, torch.load(tmp_path / "x.pt", weights_only=True))
    assert read["w"].dtype == np.float32


def test_a_class_of_any_library_is_an_inert_stub(tmp_path):
    settings = collections.Counter("abca")
    torch.save(
        {"w": torch.ones(2), "path": Path("/x"), "settings": settings, "call": functools.partial(print, 3)},
        tmp_path / "x.pt",
    )
    read = pickles.read(tmp_path / "x.pt")
    assert [repr(read[key]) for key in ("path", "settings", "call")] == ["<not read>"] * 3
    np.testing.assert_array_equal(read["w"], [1, 1])


class Runs:
    """What a pickle makes by calling something."""

    def __init__(self, *made):
        self.made = made

    def __reduce__(self):
        return self.made


class Built:
    def __reduce__(self):
        return collections.OrderedDict, (), {"__class__": "changed", "pop": os.system}


def attacks(target):
    """Pickles that leave a file `target` where they are believed."""
    touch = f"touch {target}"
    by_name = Runs(eval, (f"__import__('os').system('touch {target}')",))
    return {
        "system": pickle.dumps(Runs(os.system, (touch,))),
        "eval": pickle.dumps(by_name),
        "exec": pickle.dumps(Runs(exec, (f"open({str(target)!r}, 'w')",))),
        "getattr": (b"cbuiltins\ngetattr\n(cos\n__dict__\nVsystem\ntR(V" + touch.encode() + b"\ntR."),
        "dotted": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c" + bytes([len(touch)]) + touch.encode() + b"\x85R.",
        "instance": b"(S'" + touch.encode() + b"'\nios\nsystem\n.",
        "object": b"(cos\nsystem\nS'" + touch.encode() + b"'\no.",
        "partial": pickle.dumps(Runs(functools.partial(os.system, touch), ())),
        "state": pickle.dumps(Runs(functools.partial, (os.system,), (os.system, (touch,), {}, {}))),
        "build": pickle.dumps(Built()),
        "through a container": b"cbuiltins\nlist\n(cbuiltins\nmap\n(cos\nsystem\n(lp0\nS'"
        + touch.encode()
        + b"'\natRtR.",
        "default": b"ccollections\ndefaultdict\n(cos\nsystem\ntR.",
        "our own function": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}U\x0c__defaults__NsX\x01\x00\x00\x00ax\x86b.".replace(
            b"X\x01\x00\x00\x00ax", b""
        ),
    }


def zipped(path, data, **entries):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for name, value in entries.items():
            archive.writestr(f"archive/{name}", value)
    return path


@pytest.mark.parametrize("form", ["zip", "older"])
@pytest.mark.parametrize("kind", list(attacks("x")))
def test_code_in_a_checkpoint_does_not_run(tmp_path, kind, form):
    """Read or refused, nothing is called: neither a file appears nor a function or a class changes."""
    target = tmp_path / "run"
    data = attacks(target)[kind]
    path = tmp_path / "x.pt"
    if form == "zip":
        zipped(path, data)
    else:
        path.write_bytes(
            pickle.dumps(pickles.MAGIC, 2) + pickle.dumps(1001) + pickle.dumps({}) + data + pickle.dumps([])
        )
    before = pickles._tensor.__defaults__, vars(pickles._State).keys()
    with suppress(DownloadError):
        pickles.read(path)
    assert not target.exists()
    assert (pickles._tensor.__defaults__, vars(pickles._State).keys()) == before


def test_the_attacks_are_real(tmp_path):
    """The plain unpickler falls for them."""
    for kind in ("system", "eval", "exec", "dotted", "instance", "object"):
        target = tmp_path / kind
        pickle.loads(attacks(target)[kind])
        assert target.exists(), kind


def test_a_stub_lets_everything_happen_to_it():
    stub = pickles.Stub(1, x=2)
    stub.append(1)
    stub.extend([1])
    stub.add(1)
    stub[1] = 2
    stub.__setstate__({"a": 1})
    assert stub(3) is stub
    with pytest.raises(AttributeError):
        stub.value = 1


def tensor(offset, shape, strides, count=4):
    """A pickle of one tensor in a storage of `count` numbers."""

    class Tensor:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(), offset, shape, strides, False, {})

    class Storage:
        """What persistent_id() stands for."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(value, Storage) else None

    stream = io.BytesIO()
    Pickler(stream, 2).dump(Tensor())
    return stream.getvalue()


@pytest.mark.parametrize(
    "layout",
    [
        (1, (4,), (1,)),
        (0, (2, 3), (3, 1)),
        (0, (2,), (4,)),
        (-1, (2,), (1,)),
        (3, (2,), (-1,)),
        (0, (10**12,), (0,)),
        (0, (2,), ()),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(tmp_path, layout):
    path = zipped(tmp_path / "x.pt", tensor(*layout), **{"data/0": struct.pack("<4f", 1, 2, 3, 4)})
    with pytest.raises(DownloadError, match="is damaged, or is not a checkpoint"):
        pickles.read(path)
    path = zipped(tmp_path / "y.pt", tensor(1, (3,), (1,)), **{"data/0": struct.pack("<4f", 1, 2, 3, 4)})
    np.testing.assert_array_equal(pickles.read(path), [2, 3, 4])


@pytest.mark.parametrize("how", [{}, OLDER], ids=["zip", "older"])
def test_damaged_files_are_named(tmp_path, how):
    path = tmp_path / "x.pt"
    torch.save(everything(), path, **how)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DownloadError, match=r"x\.pt is damaged, or is not a checkpoint of torch"):
            pickles.read(path)
    with pytest.raises(DownloadError, match="cannot be read: No such file"):
        pickles.read(tmp_path / "y.pt")
    (tmp_path / "text").write_text("this is a text")
    with pytest.raises(DownloadError, match="not a checkpoint"):
        pickles.read(tmp_path / "text")


def test_a_last_storage_without_values_is_found_to_be_cut(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"none": torch.zeros(0, 3)}, path, **OLDER)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DownloadError, match="is cut off"):
        pickles.read(path)


def test_a_flipped_bit_in_a_zip_is_found(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"w": torch.ones(1000)}, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DownloadError, match="is damaged"):
        pickles.read(path)


def test_a_compressed_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([0] * 1000))
    with pytest.raises(DownloadError, match="compressed"):
        pickles.read(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("name", "key", "some"),
    [
        ("ge2e/pretrained.pt", "model_state", "lstm.weight_ih_l0"),
        ("segmentation/pytorch_model.bin", "state_dict", "classifier.weight"),
    ],
)
def test_published_checkpoints(name, key, some):
    if not (MODELS / name).exists():
        pytest.skip(f"{name} is not on this machine")
    weights = pickles.read(MODELS / name)[key]
    assert all(isinstance(value, np.ndarray) and np.isfinite(value).all() for value in weights.values())
    assert weights[some].ndim == 2
    if key == "model_state":
        equal(weights, torch.load(MODELS / name, map_location="cpu", weights_only=True)[key])
