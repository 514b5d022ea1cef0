"""The network in numpy is the one that silero-vad runs; and the reader of its file."""

import numpy as np
import pytest
import soundfile

from audiocli.errors import AudiocliError
from audiocli.vad import onnx, silero


@pytest.fixture(scope="module")
def frames(recording):
    clip = soundfile.read(recording, dtype="float32")[0]
    return clip[200 * silero.FRAME : 264 * silero.FRAME].reshape(-1, silero.FRAME)


def test_the_network_is_the_one_in_the_wheel(frames):
    """Ours against the wheel's own in TorchScript, which its users run."""
    torch = pytest.importorskip("torch")
    model = torch.jit.load(str(silero.weights().with_name("silero_vad.jit")))
    with torch.no_grad():
        want = [model(torch.from_numpy(frame.copy()), silero.SAMPLE_RATE).item() for frame in frames]
    assert max(want) > 0.9
    assert min(want) < 0.2
    np.testing.assert_allclose(silero.Silero()(frames), want, atol=2e-4)


def test_blocks_may_be_cut_anywhere(frames):
    one = silero.Silero()
    parts = [one(part) for part in (frames[:1], frames[1:1], frames[1:20], frames[20:])]
    np.testing.assert_allclose(np.concatenate(parts), silero.Silero()(frames), atol=1e-5)


def plainly(one, frames):
    """The network over all frames, with no shortcut for those of silence."""
    one._encode = lambda joined: (one._net.encode(joined), [False] * len(joined))
    return one(frames)


@pytest.mark.parametrize("minutes", [0.1, 12])
def test_what_follows_a_silence_is_heard_as_ever(frames, minutes):
    """The state is at rest after the long one only; each way, the probabilities are those of the network that goes on."""
    silence = np.zeros((round(60 * minutes * silero.SAMPLE_RATE / silero.FRAME), silero.FRAME), np.float32)
    whole = np.concatenate([frames, silence, frames])
    one, other = silero.Silero(), silero.Silero()
    got, want = one(whole), plainly(other, whole)
    assert want.max() > 0.9
    np.testing.assert_allclose(got, want, atol=1e-4)
    assert not one._resting
    one(silence)
    assert one._resting == (minutes > 10)
    state = one._cell
    one(silence[:9])
    assert (one._cell is state) == (minutes > 10)
    assert not one(silence[:9]).any()


def test_a_file_that_is_cut_off_is_reported(tmp_path, monkeypatch):
    whole = silero.weights().read_bytes()
    path = tmp_path / "x.onnx"
    for size in (len(whole) // 2, 100):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="cut off"):
            onnx.tensors(path)
    path.write_bytes(b"")
    assert onnx.tensors(path) == {}
    monkeypatch.setattr(silero, "weights", lambda: path)
    silero._network.cache_clear()
    with pytest.raises(AudiocliError, match=r"pip install .*--no-vad"):
        silero.Silero()
    silero._network.cache_clear()


def test_tensors_of_other_types_are_left_out(tmp_path):
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    def tensor(name, kind):
        shape = bytes([onnx.DIMS << 3, 2, onnx.DATA_TYPE << 3, kind])
        return field(onnx.INITIALIZER, shape + field(onnx.NAME, name) + field(onnx.RAW_DATA, b"\0\0\x80\x3f" * 2))

    path = tmp_path / "x.onnx"
    path.write_bytes(bytes([1 << 3, 0x96, 1]) + field(onnx.GRAPH, tensor(b"ones", onnx.FLOAT) + tensor(b"other", 7)))
    found = onnx.tensors(path)
    assert list(found) == ["ones"]
    assert found["ones"].tolist() == [1.0, 1.0]
