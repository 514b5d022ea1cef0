"""The loop on a line to be fitted: schedule, the best weights, limits, kills and losses that are not numbers."""

import math

import pytest
import torch
from torch import nn

from audiocli.console import Console
from audiocli.device import place
from audiocli.errors import UsageError
from audiocli.training import loop
from audiocli.training.loop import CHECKPOINT, Limits, factor, fit
from audiocli.training.settings import Settings

QUIET = Console(quiet=True)
CPU = place("cpu", "auto")


class Line:
    """Fits y = 3 x - 1; can be made to fail or to get worse at a step."""

    higher, half = False, False

    def __init__(self, metric="error", break_at=None, worse_from=None, **settings):
        torch.manual_seed(7)
        self.net = nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.1))
        self.settings = Settings(**{"epochs": 12, "rate": 0.2, "weight_decay": 0.0, "clip": 10.0} | settings)
        self.steps, self.metric = 5, metric
        self.break_at, self.worse_from, self.taken = break_at, worse_from, []

    def batches(self, epoch):
        for number in range(self.steps):
            yield lambda at=(epoch, number): self.batch(*at)

    def batch(self, epoch, number):
        generator = torch.Generator().manual_seed(100 * epoch + number)
        x = torch.randn(16, 1, generator=generator)
        return {"x": x, "y": 3 * x - 1, "step": torch.tensor(epoch * self.steps + number)}

    def loss(self, net, batch):
        step = int(batch["step"])
        self.taken.append(step)
        if self.break_at is not None and step >= self.break_at:
            return net(batch["x"]).sum() * math.nan
        sign = -1 if self.worse_from is not None and step >= self.worse_from else 1
        return sign * (net(batch["x"]) - batch["y"]).square().mean()

    def validate(self, net):
        x = torch.linspace(-1, 1, 9)[:, None]
        return {"error": (net(x) - 3 * x + 1).abs().mean().item()} if self.metric else {}


def trained(recipe, folder, key="k", seed=1, **limits):
    return fit(recipe, folder, key, CPU, QUIET, seed=seed, jobs=2, limits=Limits(**limits))


def curve(outcome):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in outcome.progress.history]


@pytest.mark.parametrize("average", [0.0, 0.8])
def test_it_learns(tmp_path, average):
    recipe = Line(average=average, epochs=30)
    outcome = trained(recipe, tmp_path)
    assert outcome.reason == "finished"
    assert recipe.validate(recipe.net.eval())["error"] == pytest.approx(outcome.progress.best)
    assert outcome.progress.best < 0.3
    assert recipe.taken == list(range(30 * 5))


def test_the_same_seed_gives_the_same_run(tmp_path):
    first, second, other = (trained(Line(epochs=3), tmp_path, seed=seed) for seed in (1, 1, 2))
    assert curve(first) == curve(second) != curve(other)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path, average):
    whole = trained(Line(average=average, epochs=6), tmp_path)
    folder = tmp_path / "killed"
    folder.mkdir()

    class KilledError(Exception):
        pass

    broken = Line(average=average, epochs=6)
    plain = broken.batch

    def until(epoch, number):
        if (epoch, number) == (3, 2):
            raise KilledError
        return plain(epoch, number)

    broken.batch = until
    with pytest.raises(KilledError):
        trained(broken, folder)
    again = Line(average=average, epochs=6)
    rest = trained(again, folder, resume=True)
    assert again.taken[0] == 15
    assert curve(rest) == curve(whole)


def test_resume_needs_a_checkpoint_of_the_same_run(tmp_path):
    with pytest.raises(UsageError, match="there is no"):
        trained(Line(), tmp_path, resume=True)
    trained(Line(epochs=1), tmp_path)
    with pytest.raises(UsageError, match="other data or options"):
        trained(Line(epochs=2), tmp_path, key="other", resume=True)


def test_checkpoints_hold_nothing_that_runs_code(tmp_path):
    trained(Line(epochs=1, average=0.5), tmp_path)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["progress"]["epoch"] == 1


def test_the_best_epoch_is_kept(tmp_path):
    recipe = Line(worse_from=30, epochs=12)
    outcome = trained(recipe, tmp_path)
    errors = [row["error"] for row in outcome.progress.history]
    assert outcome.progress.best_epoch == errors.index(min(errors)) + 1 <= 7
    assert recipe.validate(recipe.net)["error"] == pytest.approx(min(errors))


def test_without_scores_the_last_epoch_is_kept(tmp_path):
    recipe = Line(metric=None, epochs=3)
    outcome = trained(recipe, tmp_path)
    assert outcome.progress.best_epoch == 3
    last = torch.load(tmp_path / CHECKPOINT, weights_only=True)["net"]
    assert all(torch.equal(last[name], value) for name, value in recipe.net.state_dict().items())


def test_patience(tmp_path):
    outcome = trained(Line(worse_from=20, epochs=40, patience=3), tmp_path)
    assert outcome.reason == "patience"
    assert outcome.progress.epoch == outcome.progress.best_epoch + 3


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_loss_that_is_no_number_ends_the_run_with_the_best_before(tmp_path, average):
    recipe = Line(break_at=17, average=average)
    outcome = trained(recipe, tmp_path)
    assert (outcome.reason, outcome.progress.epoch) == ("diverged", 3)
    assert all(torch.isfinite(value).all() for value in recipe.net.state_dict().values())
    assert recipe.validate(recipe.net)["error"] == pytest.approx(outcome.progress.best)


def test_minutes_end_a_run_and_bring_the_rate_down(tmp_path, monkeypatch):
    now = iter(range(0, 10_000, 4))  # s: every look at the clock takes four
    monkeypatch.setattr(loop.time, "monotonic", lambda: next(now))
    recipe = Line(epochs=1_000)
    outcome = trained(recipe, tmp_path, minutes=2)
    assert outcome.reason == "minutes"
    assert 120 <= outcome.progress.seconds < 140
    assert outcome.progress.epoch < 20


def test_the_schedule():
    shares = [n / 100 for n in range(101)]
    rates = [factor(share, 0.1) for share in shares]
    assert max(rates) == rates[10] == 1.0
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)
    assert rates[55] == pytest.approx(0.5)
    assert rates[0] > 0
    assert factor(0.0, 0.0) == 1.0


def test_the_running_mean_forgets_the_start(tmp_path):
    """After a few steps it is near the weights however slow it is later; against the sum that it stands for."""
    update, values = loop.running_mean(0.999), [5.0, 1.0, 2.0, 4.0, 3.0]
    mean, expected = [torch.tensor([5.0])], 5.0
    for count, value in enumerate(values[1:], 1):
        update(mean, [torch.tensor([value])], torch.tensor(count))
        kept = (1 + count) / (10 + count)
        expected = kept * expected + (1 - kept) * value
    assert mean[0].item() == pytest.approx(expected, rel=1e-6)
    assert mean[0].item() < 3.2
    whole = [torch.tensor([1])]
    update(whole, [torch.tensor([7])], torch.tensor(1))
    assert whole[0].item() == 7


def test_sixteen_bits_on_the_processor(tmp_path):
    recipe = Line(epochs=10)
    outcome = fit(recipe, tmp_path, "k", place("cpu", "bfloat16"), QUIET, seed=1, jobs=1, limits=Limits())
    assert outcome.progress.history[-1]["loss"] < 0.5 * outcome.progress.history[0]["loss"]
    assert all(value.dtype == torch.float32 for value in recipe.net.state_dict().values())


def test_a_share_of_the_first_weights_is_kept(tmp_path):
    first = {name: value.clone() for name, value in Line().net.state_dict().items()}
    new, half = Line(metric=None), Line(metric=None, kept=0.5)
    for recipe, name in ((new, "new"), (half, "half")):
        (tmp_path / name).mkdir()
        trained(recipe, tmp_path / name)
    for name, value in half.net.state_dict().items():
        torch.testing.assert_close(value, (first[name] + new.net.state_dict()[name]) / 2)
        assert (value - first[name]).abs().max() > 0.1
