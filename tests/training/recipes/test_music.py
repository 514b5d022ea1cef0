"""The recipes of four-part music: from MIDI files to a model that composes, and the likelihood that is reported."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from audiocli.console import Console
from audiocli.errors import UsageError
from audiocli.music import midi, tokens
from audiocli.music.grid import moved
from audiocli.music.piece import piece_of
from audiocli.nets.music_transformer import MusicTransformer
from audiocli.options import TrainOptions
from audiocli.training.recipes import music
from tests.music.test_midi import PIECE

SMALL = ("width=16", "heads=2", "layers=1", "reach=16", "crop=16", "repeats=1", "mean=0.5")


@pytest.fixture
def files(tmp_path):
    """Six short pieces, and one file that is none."""
    folder = tmp_path / "midi"
    folder.mkdir()
    for n in range(6):
        (folder / f"{n}.mid").write_bytes(midi.file(piece_of(moved(np.tile(PIECE, (2, 1)), n - 3), 80.0), 0))
    (folder / "broken.mid").write_bytes(b"junk")
    return folder


@pytest.mark.parametrize("recipe", ["music-lstm", "music-transformer"])
def test_from_midi_files_to_a_model_that_composes(call, files, recipe):
    own = [
        part for entry in SMALL if recipe == "music-transformer" or "heads" not in entry for part in ("--set", entry)
    ]
    code, _, err = call(
        "train", recipe, "--data", files, "-o", "model", "--epochs", "3", "--valid", "0.3", "--batch-size", "2", *own
    )
    assert code == 0, err
    assert "broken.mid: is not a MIDI file" in err
    assert "files cannot be used and are left out" in err
    config = json.loads(Path("model/config.json").read_text())
    assert config["model_type"] == "audiocli-music"
    assert 0.5 < config["scores"]["nll"] < 2 * math.log(tokens.N_TOKENS)
    code, _, err = call("generate-music", "-m", "model", "-o", "x.mid", "--seconds", "4")
    assert code == 0, err
    assert len(midi.read("x.mid").grid) == 21


def test_the_likelihood_is_the_mean_over_tokens():
    """Of pieces of unlike lengths, padded together, as one by one by the definition."""
    torch.manual_seed(0)
    net = MusicTransformer(tokens.N_TOKENS, width=16, heads=2, layers=1, reach=8, dropout=0.0).eval()
    pieces = [PIECE, PIECE[:3], np.tile(PIECE, (2, 1))]
    total, count = 0.0, 0
    for piece in pieces:
        read = tokens.steps(piece)
        hidden = tokens.without_hints(read.context, key=True, end=True)
        inputs = [torch.from_numpy(part)[None] for part in (read.before, read.held, hidden, read.now)]
        with torch.no_grad():
            probabilities = net(*inputs).softmax(-1)[0].numpy()
        for step, row in enumerate(read.now):
            for voice, token in enumerate(row):
                total -= math.log(probabilities[step, voice, token])
                count += 1
    with torch.inference_mode():
        assert music.nll(net, pieces) == pytest.approx(total / count, rel=1e-5)
        assert music.nll(net, pieces, hints=True) != pytest.approx(total / count, rel=1e-3)


def test_batches_are_crops_in_keys_that_fit(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"train": [PIECE.tolist()] * 5, "valid": [PIECE.tolist()]}))
    options = TrainOptions(data=(str(path),), set=SMALL, batch_size=4)
    recipe = music.transformer(options, Console(quiet=True))
    one, again = ([make() for make in recipe.batches(3)] for _ in range(2))
    assert len(one) == recipe.steps
    for first, second in zip(one, again, strict=True):
        assert all(torch.equal(first[name], second[name]) for name in first)
    batch = one[0]
    keys = {int(key) for key in batch["context"][:, 0, 0]}
    assert len(keys) > 1
    assert batch["now"].shape[1] <= 16
    shown = batch["now"] >= 0
    inside = batch["before"][:, 1:][shown[:, 1:]] == batch["now"][:, :-1][shown[:, 1:]]
    assert inside.all()
    assert not recipe.test(recipe.net)


@pytest.mark.parametrize("text", ["", "[]", '{"train": 3}', '{"train": [[["x"]]]}', '{"train": [], "valid": []}'])
def test_json_that_holds_no_pieces(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UsageError):
        music.transformer(TrainOptions(data=(str(path),)), Console(quiet=True))
