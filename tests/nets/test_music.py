"""The nets for four-part music: shapes, nothing seen of the future, the skewing trick, the cache, one batch by heart."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from audiocli.nets.music_frames import CONTEXT, HELD, VOICES
from audiocli.nets.music_lstm import MusicLSTM
from audiocli.nets.music_transformer import MusicTransformer, RelativeAttention, skewed
from tests.nets.overfit import overfitted

TOKENS = 12
MAKERS = {
    "lstm": lambda: MusicLSTM(TOKENS, width=24, layers=2, dropout=0.0),
    "transformer": lambda: MusicTransformer(TOKENS, width=24, heads=2, layers=2, reach=6, dropout=0.0),
}


def steps(batch, length, seed=0):
    """Random inputs of a net, by name."""
    random = torch.Generator().manual_seed(seed)

    def numbers(high, last):
        return torch.randint(0, high, (batch, length, last), generator=random)

    context = torch.cat([numbers(size, 1) for size in CONTEXT.values()], dim=-1)
    before = numbers(TOKENS, VOICES)
    before[:, 0] = TOKENS
    return {"before": before, "held": numbers(HELD + 1, VOICES), "context": context, "now": numbers(TOKENS, VOICES)}


@pytest.fixture(params=MAKERS)
def net(request):
    torch.manual_seed(1)
    return MAKERS[request.param]().eval()


def test_shapes(net):
    assert net(**steps(3, 9)).shape == (3, 9, VOICES, TOKENS)
    assert net(**steps(1, 1)).shape == (1, 1, VOICES, TOKENS)


def test_a_step_sees_no_step_after_it(net):
    one, other = steps(1, 9), steps(1, 9, seed=1)
    mixed = {name: torch.cat([value[:, :5], other[name][:, 5:]], dim=1) for name, value in one.items()}
    assert torch.allclose(net(**one)[:, :5], net(**mixed)[:, :5], atol=1e-6)
    assert not torch.allclose(net(**one)[:, 5:], net(**mixed)[:, 5:], atol=1e-3)


def test_a_voice_sees_those_above_it_and_no_other(net):
    inputs = steps(1, 4)
    changed = {**inputs, "now": inputs["now"].clone()}
    changed["now"][:, 2, 1] = (changed["now"][:, 2, 1] + 1) % TOKENS
    before, after = net(**inputs), net(**changed)
    assert torch.equal(before[:, :, :2], after[:, :, :2])
    assert not torch.allclose(before[:, 2, 2:], after[:, 2, 2:], atol=1e-4)
    assert torch.equal(before[:, [0, 1, 3]], after[:, [0, 1, 3]])


def test_a_layer_looks_no_further_back_than_its_reach():
    layer = RelativeAttention(8, 2, reach=3)
    x = torch.randn(1, 7, 8)
    changed = x.clone()
    changed[:, 0] += 1.0
    near, far = (layer(one)[0] for one in (x, changed))
    assert not torch.allclose(near[:, 2], far[:, 2], atol=1e-5)
    assert torch.allclose(near[:, 3:], far[:, 3:], atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 7])
def test_skewing_moves_each_distance_to_its_key(length):
    by_distance = torch.arange(length * length, dtype=torch.float32).view(1, length, length)
    found = skewed(by_distance)
    for i in range(length):
        for j in range(i + 1):
            assert found[0, i, j] == by_distance[0, i, length - 1 - (i - j)]


def test_relative_attention_is_what_its_definition_says():
    """Query i and key j: q_i (k_j + r_{i-j}) / sqrt(d), softmax over j <= i within reach."""
    torch.manual_seed(0)
    layer = RelativeAttention(6, 1, reach=4)
    x = torch.randn(1, 9, 6)
    q, k, v = layer.qkv(x)[0].split(6, dim=-1)
    rows = []
    for i in range(9):
        keys = range(max(0, i - 3), i + 1)
        logits = torch.stack([q[i] @ (k[j] + layer.distance[-1 - (i - j)]) for j in keys]) / 6**0.5
        rows.append(sum(weight * v[j] for weight, j in zip(logits.softmax(0), keys, strict=True)))
    assert torch.allclose(layer(x)[0][0], layer.out(torch.stack(rows)), atol=1e-5)


def test_step_by_step_gives_what_all_at_once_gives(net):
    """Also beyond the reach: the cache forgets steps that no layer looks at."""
    inputs = steps(2, 15)
    whole, state = net(**inputs), net.start()
    for at in range(15):
        now = {name: value[:, at : at + 1] for name, value in inputs.items()}
        found, state = net.step(now["before"], now["held"], now["context"], state)
        for voice in range(VOICES):
            logits = net.step_out.one(found, now["before"][:, 0], now["now"][:, 0, :voice])
            assert torch.allclose(logits, whole[:, at, voice], atol=1e-5)


def test_one_batch_by_heart():
    for make in MAKERS.values():
        torch.manual_seed(0)
        inputs = steps(1, 6)

        def loss(net, inputs=inputs):
            return functional.cross_entropy(net(**inputs).flatten(0, 2), inputs["now"].flatten())

        losses = overfitted(make(), loss, steps=60, rate=2e-2)
        assert losses[0] > 0.8 * np.log(TOKENS)
        assert losses[-1] < 0.1
