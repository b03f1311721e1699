"""The training loop, on a network of three numbers."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file
from stubs import StubVictim, sentence

from benchmark.errors import BadInput, CannotSave
from benchmark.training.checkpoint import work_folder
from benchmark.training.hooks import Hooks
from benchmark.training.loop import Regimen, Training, train
from benchmark.training.schedules import Moment, falling_to, warm_up_then_decay, warm_up_then_stay
from benchmark.training.sentences import similar_lengths
from benchmark.training.trainee import Batch, Trainee
from benchmark.victims.recipe import TrainingRecipe

RECIPE = TrainingRecipe("stub", "train", "dev", epochs=4, learning_rate=0.1, batch_size=2, seed=3)
SENTENCES = [sentence(" ".join("abcdefg"[: 1 + k % 5]), " ".join("O" * (1 + k % 5)), f"s{k}") for k in range(6)]
DEV = [sentence("Ana", "B-PER", f"d{k}") for k in range(10)]
STEPS = 3  # an epoch


class Pupil(Trainee):
    """Learns how long sentences are, under dropout; `found` says how many dev mentions it finds after each epoch."""

    longest_gradient = 1.0
    schedule = staticmethod(lambda at: 1.0)

    def __init__(self, found=(1, 2, 3, 4), dead=lambda rate, epoch: False, patience=None, seed=RECIPE.seed):
        torch.manual_seed(seed)
        self.network = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(2, 1))
        self.device, self.patience = torch.device("cpu"), patience
        self.victim = StubVictim(self.tag)
        self.asked, self.found, self.dead = 0, found, dead

    @property
    def epoch(self):
        """The one that was finished last, by the steps that its optimizer did."""
        return int(self.adam.state[self.network[1].weight]["step"]) // STEPS - 1

    def tag(self, tokens):
        self.asked += 1
        return ["B-PER" if self.asked % len(DEV) < self.found[self.epoch] else "O" for _ in tokens]

    def optimizer(self, rate):
        self.rate, self.adam = rate, torch.optim.Adam(self.trained.values(), lr=rate)
        return self.adam

    def is_dead(self, sentences):
        return self.dead(self.rate, self.epoch)

    def encode(self, sentences, room_for=()):
        return Batch(sentences, torch.ones(len(sentences), 2), torch.tensor([float(len(s)) for s in sentences]))

    def loss(self, batch, vectors=None):
        return (self.network(batch.inputs)[:, 0] - batch.tags).square().mean()

    def state(self):
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def save(self, state, folder):
        save_file(state, folder / "model.safetensors")

    vectors = present = with_words = alternatives = scale = continue_from = None


def taught(folder, pupil=Pupil, hooks=None, recipe=RECIPE, report=lambda *_: None, prepare=None):
    """Train and return the folder."""
    regimen = Regimen(SENTENCES, hooks or Hooks(), made={"by": "hand"}, cost={"victim_queries": 7})
    training = Training(
        "stub/made-up", recipe, DEV, {"labels": ["O"]}, prepare or (lambda _: regimen), lambda _: pupil()
    )
    train(training, folder, report)
    return folder


def stored(folder):
    return load_file(folder / "model.safetensors"), json.loads((folder / "recipe.json").read_text())


def stop_at(step):
    def report(stage, done, total):
        if done == step:
            raise KeyboardInterrupt

    return report


def test_card_and_cost_tell_what_was_done(tmp_path):
    folder = taught(tmp_path / "v")
    _, card = stored(folder)
    cost = json.loads((folder / "cost.json").read_text())
    # Found of ten: F1 = 2n / (n + 10).
    assert card["dev_f1"] == [0.1818, 0.3333, 0.4615, 0.5714]
    assert (card["id"], card["rate_used"], card["name"], card["labels"]) == (RECIPE.id, 0.1, "stub/made-up", ["O"])
    assert (card["made"], "defense" in card, cost["victim_queries"]) == ({"by": "hand"}, False, 7)
    assert cost["training_seconds"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


@pytest.mark.parametrize(
    ("found", "best"), [((1, 2, 3, 4), 4), ((1, 5, 5, 2), 2), ((3, 0, 0, 0), 1), ((0, 0, 0, 0), 1)]
)
def test_the_first_of_the_best_epochs_is_stored(tmp_path, found, best):
    weights, _ = stored(taught(tmp_path / "v", lambda: Pupil(found)))
    rising = lambda: Pupil(tuple(range(best)))  # noqa: E731
    shorter, _ = stored(taught(tmp_path / "w", rising, recipe=replace(RECIPE, epochs=best)))
    assert all(torch.equal(weights[name], shorter[name]) for name in weights)


def test_patience_ends_a_training(tmp_path):
    _, card = stored(
        taught(tmp_path / "v", lambda: Pupil((2, 5, 5, 4, 6), patience=2), recipe=replace(RECIPE, epochs=5))
    )
    assert len(card["dev_f1"]) == 4


def test_twice_trained_is_the_same_and_another_seed_is_another(tmp_path):
    (one, _), (two, _) = (stored(taught(tmp_path / name)) for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)
    other, _ = stored(taught(tmp_path / "c", lambda: Pupil(seed=4), recipe=replace(RECIPE, seed=4)))
    assert not torch.equal(one["1.weight"], other["1.weight"])


@pytest.mark.parametrize("steps", [(4,), (3, 7), (11,), (1, 4, 10)])
def test_interrupted_at_any_step_it_ends_in_the_same_bytes(tmp_path, steps):
    class Noisy(Hooks):
        """Draws from both generators, in each epoch and each step."""

        def sentences(self, trainee, epoch, given, drawn):
            torch.rand(17)
            return drawn.sample(list(given), len(given))

        def loss(self, trainee, sentences, drawn):
            return trainee.loss(trainee.encode(sentences)) * (1 + drawn.random())

    whole = taught(tmp_path / "whole", hooks=Noisy())
    for step in steps:
        with pytest.raises(KeyboardInterrupt):
            taught(tmp_path / "broken", hooks=Noisy(), report=stop_at(step))
        assert not (tmp_path / "broken").exists()
    done = []
    broken = taught(tmp_path / "broken", hooks=Noisy(), report=lambda _, step, of: done.append((step, of)))
    assert done[0] == (max(steps) // STEPS * STEPS, RECIPE.epochs * STEPS)
    for name in ("model.safetensors", "recipe.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_what_a_defense_draws_moves_neither_order_nor_dropout(tmp_path):
    class Drawing(Hooks):
        def sentences(self, trainee, epoch, given, drawn):
            torch.rand(1000)
            drawn.random()
            return given

    plain, _ = stored(taught(tmp_path / "plain"))
    drawing, _ = stored(taught(tmp_path / "drawing", hooks=Drawing()))
    assert all(torch.equal(plain[name], drawing[name]) for name in plain)


def test_epochs_differ_in_order(tmp_path):
    seen = []

    class Noting(Hooks):
        def loss(self, trainee, sentences, drawn):
            seen.append(tuple(s.id for s in sentences))
            return super().loss(trainee, sentences, drawn)

    taught(tmp_path / "v", hooks=Noting())
    epochs = [seen[k : k + STEPS] for k in range(0, 4 * STEPS, STEPS)]
    assert all(sorted(name for batch in epoch for name in batch) == [f"s{k}" for k in range(6)] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


class Equipped(Hooks):
    """Puts a second layer behind the first."""

    def equip(self, trainee):
        trainee.network.append(torch.nn.Linear(1, 1))
        trainee.add("second", trainee.network[2])


def test_what_a_defense_adds_is_trained_and_stored_apart(tmp_path):
    folder = taught(tmp_path / "v", hooks=Equipped())
    added = load_file(folder / "second.safetensors")
    assert {name: tuple(tensor.shape) for name, tensor in added.items()} == {"weight": (1, 1), "bias": (1,)}
    assert torch.equal(added["weight"], stored(folder)[0]["2.weight"])
    torch.manual_seed(RECIPE.seed)
    fresh = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Linear(1, 1))
    assert not torch.equal(added["weight"], fresh[1].weight)
    shorter = taught(tmp_path / "w", lambda: Pupil((4, 3, 2, 1)), Equipped())
    once = taught(tmp_path / "x", lambda: Pupil((4,)), Equipped(), replace(RECIPE, epochs=1))
    assert (shorter / "second.safetensors").read_bytes() == (once / "second.safetensors").read_bytes()


@pytest.mark.parametrize("steps", [(4,), (1, 10)])
def test_what_a_defense_adds_survives_an_interruption(tmp_path, steps):
    whole = taught(tmp_path / "whole", hooks=Equipped())
    for step in steps:
        with pytest.raises(KeyboardInterrupt):
            taught(tmp_path / "broken", hooks=Equipped(), report=stop_at(step))
    broken = taught(tmp_path / "broken", hooks=Equipped())
    for name in ("model.safetensors", "second.safetensors", "recipe.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


class Late(Hooks):
    """Begins to defend after an epoch, and tells at the end what it did."""

    chosen_from = 1

    def made(self):
        return {"by": "hooks", "late": True}

    def cost(self):
        return {"spent": 3}


def test_an_epoch_before_a_defense_begins_is_not_kept_as_the_best(tmp_path):
    found = (4, 1, 3, 2)
    folder = taught(tmp_path / "v", lambda: Pupil(found), Late())
    third, _ = stored(taught(tmp_path / "w", lambda: Pupil((1, 2, 3)), recipe=replace(RECIPE, epochs=3)))
    weights, card = stored(folder)
    assert torch.equal(weights["1.weight"], third["1.weight"])
    assert (card["made"], len(card["dev_f1"])) == ({"by": "hooks", "late": True}, 4)
    assert json.loads((folder / "cost.json").read_text())["spent"] == 3


def test_patience_waits_for_a_defense_to_begin(tmp_path):
    _, card = stored(taught(tmp_path / "v", lambda: Pupil((4, 3, 2, 1), patience=2), Late()))
    assert len(card["dev_f1"]) == 4
    _, card = stored(taught(tmp_path / "w", lambda: Pupil((4, 3, 2, 1), patience=2)))
    assert len(card["dev_f1"]) == 3


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(tmp_path, what):
    class Exploding(Hooks):
        steps = 0

        def loss(self, trainee, sentences, drawn):
            self.steps += 1
            loss = super().loss(trainee, sentences, drawn)
            if self.steps != 2 * STEPS + 2:
                return loss
            weight = trainee.network[1].weight.sum()
            # The root's slope is infinite at zero, its value is not.
            return loss * torch.nan if what == "loss" else loss + (weight - weight.detach()).abs().sqrt()

    with pytest.raises(BadInput, match=r"stub/made-up is no longer a number, in step 8 of 12 at the peak rate 0\.1"):
        taught(tmp_path / "v", hooks=Exploding())
    assert not (tmp_path / "v").exists()
    (kept,) = tmp_path.rglob("checkpoint.safetensors")
    state = load_file(kept)
    good, _ = stored(taught(tmp_path / "two", recipe=replace(RECIPE, epochs=2)))
    assert torch.equal(state["weight 1.weight"], good["1.weight"])
    assert torch.isfinite(state["weight 1.weight"]).all()


def test_the_message_of_a_loss_that_is_no_number_tells_where_the_state_is_and_what_to_do(tmp_path):
    class Broken(Hooks):
        def loss(self, trainee, sentences, drawn):
            return super().loss(trainee, sentences, drawn) * torch.nan

    with pytest.raises(BadInput, match="no epoch was finished; train with a lower learning_rate"):
        taught(tmp_path / "v", hooks=Broken())
    assert list(tmp_path.iterdir()) == []


def test_a_dead_network_is_trained_again_with_half_the_rate(tmp_path):
    tried = []

    def dead(rate, epoch):
        tried.append((rate, epoch))
        return rate > 0.03 and epoch == 1

    folder = taught(tmp_path / "v", lambda: Pupil(dead=dead))
    assert tried == [(0.1, 0), (0.1, 1), (0.05, 0), (0.05, 1), *((0.025, k) for k in range(4))]
    weights, card = stored(folder)
    assert (card["learning_rate"], card["rate_used"]) == (0.1, 0.025)
    lower, _ = stored(taught(tmp_path / "w", recipe=replace(RECIPE, learning_rate=0.025)))
    assert torch.equal(weights["1.weight"], lower["1.weight"])


def test_a_training_interrupted_at_half_the_rate_goes_on_there(tmp_path):
    tried = []

    def dead(rate, epoch):
        tried.append(rate)
        return rate == 0.1

    def report(stage, done, total):
        if "rate 0.05" in stage and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taught(tmp_path / "v", lambda: Pupil(dead=dead), report=report)
    assert tried == [0.1, 0.05]
    folder = taught(tmp_path / "v", lambda: Pupil(dead=dead))
    assert tried == [0.1, *[0.05] * 4]
    whole = taught(tmp_path / "w", lambda: Pupil(dead=dead))
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert (folder / "recipe.json").read_bytes() == (whole / "recipe.json").read_bytes()


def test_where_every_rate_is_too_high_one_line_says_so_and_nothing_is_stored(tmp_path):
    with pytest.raises(BadInput, match=r"learns nothing, with 4 learning rates from 0\.1 down"):
        taught(tmp_path / "v", lambda: Pupil(dead=lambda rate, epoch: True))
    assert list(tmp_path.iterdir()) == []


def test_another_process_that_trains_the_same_is_waited_for(tmp_path):
    folder = tmp_path / "v"
    work_folder(folder).mkdir()
    lock = FileLock(work_folder(folder) / ".lock")
    lock.acquire()
    told = []

    def report(stage, done, total):
        told.append(stage)
        if lock.is_locked:
            folder.mkdir()  # it is done now
            lock.release()

    taught(folder, report=report, prepare=None)
    assert told == ["another process is training v; waiting for it"]
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSave, match="the training cannot be saved in"):
        taught(tmp_path / "file" / "v")


def test_preparations_are_kept_with_the_checkpoint_and_gone_in_the_end(tmp_path):
    def prepare(work: Path):
        seen.append((work / "notes").is_file())
        (work / "notes").write_text("kept")
        return Regimen(SENTENCES)

    seen = []
    with pytest.raises(KeyboardInterrupt):
        taught(tmp_path / "v", prepare=prepare, report=stop_at(1))
    taught(tmp_path / "v", prepare=prepare)
    assert seen == [False, True]
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


# --- schedules and batches --------------------------------------------------------------------------------------------


def test_the_rate_rises_over_a_tenth_of_the_steps_and_falls_to_zero():
    factors = [warm_up_then_decay(Moment(step, 40, 0, 1)) for step in range(41)]
    assert factors[:6] == [0.25, 0.5, 0.75, 1.0, 1.0, 35 / 36]
    assert factors[22] == 0.5
    assert factors[39:] == [1 / 36, 0]


def test_where_the_rate_stays_it_rises_alike_and_no_later_step_counts_less():
    steps = [Moment(step, 40, 0, 1, deaths=1) for step in range(40)]
    assert [warm_up_then_stay(at) for at in steps[:12]] == [warm_up_then_decay(at) for at in steps[:12]]
    assert {warm_up_then_stay(at) for at in steps[12:]} == {1.0}


@pytest.mark.parametrize(("deaths", "rise"), [(0, 4), (1, 12), (2, 20), (3, 20)])
def test_where_networks_died_the_rate_rises_over_more_steps(deaths, rise):
    factors = [warm_up_then_decay(Moment(step, 40, 0, 1, deaths)) for step in range(40)]
    assert factors.index(1.0) == rise - 1
    assert factors[rise // 2 - 1] == 0.5


def test_the_rate_falls_by_equal_ratios_from_epoch_to_epoch():
    factors = [falling_to(0.1)(Moment(0, 1, epoch, 4)) for epoch in range(5)]
    assert factors == pytest.approx([1, 0.1**0.25, 0.1**0.5, 0.1**0.75, 0.1])


def test_batches_hold_every_sentence_once_and_neighbours_in_length():
    many = [SENTENCES[k % 6] for k in range(60)]
    batches = list(similar_lengths(many, 4, random.Random(0)))
    assert sorted(id(s) for batch in batches for s in batch) == sorted(map(id, many))
    assert sum(len({len(s) for s in batch}) > 1 for batch in batches) <= 5
    assert batches != list(similar_lengths(many, 4, random.Random(1)))
