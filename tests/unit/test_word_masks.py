"""Variational word masks, on a table of seven pieces whose log-odds are their first coordinate."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import save_file

from benchmark.errors import BadInput
from benchmark.training.word_masks import STORED, WordMasks, mask_words, masks_in

PIECES = ("[PAD]", "[CLS]", "[SEP]", "tall", "##inn", "sleeps", "##.")
ODDS = (5.0, -5.0, -5.0, -1.0, 2.0, 0.5, -3.0)
# "Tallinn sleeps" between special pieces, then padding; "sleeps" alone.
IDS = torch.tensor([[1, 3, 4, 5, 2, 0], [1, 5, 2, 0, 0, 0]])


def sigmoid(odds):
    return 1 / (1 + math.exp(-odds))


def entropy(odds):
    p = sigmoid(odds)
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def table():
    made = torch.nn.Embedding(len(PIECES), 2)
    with torch.no_grad():
        made.weight.copy_(torch.tensor([[odds, 1 + k] for k, odds in enumerate(ODDS)]))
    return made


@pytest.fixture
def masks():
    made = WordMasks(table(), PIECES)
    made.inferring = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        made.inferring.weight.copy_(torch.tensor([[1.0, 0.0]]))
    return made.eval()


def test_in_use_vectors_are_multiplied_by_the_importance_of_their_word(masks):
    # A word of two pieces has the higher log-odds of the two; special pieces are read as they are.
    town, verb = sigmoid(2.0), sigmoid(0.5)
    scales = torch.tensor([[1, town, town, verb, 1, 1], [1, verb, 1, 1, 1, 1]])
    assert torch.allclose(masks.importance(IDS), scales)
    assert torch.allclose(masks(IDS), table()(IDS) * scales[:, :, None])
    torch.manual_seed(1)
    once = masks(IDS)
    assert torch.equal(once, masks(IDS))


def test_in_training_masks_are_none_or_all_the_same_for_all_pieces_of_a_word_and_as_likely_as_they_should(masks):
    masks.train()
    torch.manual_seed(0)
    drawn = masks.drawn(IDS.repeat(4000, 1)).detach().reshape(4000, *IDS.shape)
    assert torch.minimum(drawn.abs(), (drawn - 1).abs()).max() < 1e-6
    drawn = drawn.round()
    assert torch.equal(drawn[:, 0, 1], drawn[:, 0, 2])
    assert (drawn[:, :, 0] == 1).all()
    assert (drawn[:, 0, 4:] == 1).all()
    assert drawn.mean(0)[0, 1].item() == pytest.approx(sigmoid(2.0), abs=0.02)
    assert drawn.mean(0)[0, 3].item() == pytest.approx(sigmoid(0.5), abs=0.02)
    # Words draw by themselves.
    assert drawn[:, 0, [1, 3]].T.corrcoef()[0, 1].abs() < 0.05
    masks.drawn = lambda ids: torch.zeros(ids.shape)
    assert (masks(IDS) == 0).all()
    assert not masks.eval()(IDS).eq(0).all()


def test_a_drawn_mask_has_the_gradient_of_its_relaxation_and_the_table_has_none(masks):
    masks.train()
    torch.manual_seed(0)
    masks(IDS).sum().backward()
    assert masks.inferring.weight.grad.abs().sum() > 0
    assert masks.table.weight.grad is None


def test_the_entropy_is_the_mean_over_words_of_that_of_a_coin(masks):
    # Tallinn once, sleeps twice; neither padding nor other special pieces count.
    assert masks.entropy(IDS).item() == pytest.approx((entropy(2.0) + 2 * entropy(0.5)) / 3, rel=1e-6)
    assert entropy(0.0) == pytest.approx(math.log(2))


def test_more_entropy_means_importance_nearer_to_a_half(masks):
    """A loss of −H leads φ of 0.88 down: the sign of the term."""
    before = masks.importance(IDS)[0, 1].item()
    (-masks.entropy(IDS)).backward()
    with torch.no_grad():
        masks.inferring.weight -= 0.1 * masks.inferring.weight.grad
    assert 0.5 < masks.importance(IDS)[0, 1].item() < before


def test_words_have_the_highest_importance_of_their_pieces(masks):
    found = masks.of_words([(3, 4), (5,), (5, 6)])
    assert found.tolist() == pytest.approx([sigmoid(2.0), sigmoid(0.5), sigmoid(0.5)])


def test_what_is_told_of_the_table_is_what_is_looked_up_for_whole_words(masks):
    assert torch.allclose(masks.weight[5], masks(IDS)[1, 1])
    assert torch.equal(masks.weight[:3], table().weight[:3])


def test_fresh_masks_keep_nine_words_in_ten():
    fresh = WordMasks(table(), PIECES)
    fresh.table.weight.data *= 0.1  # as small as those of a language model
    assert fresh.importance(IDS)[0, 1:4].tolist() == pytest.approx([0.9] * 3, abs=0.05)
    assert all(parameter.requires_grad for parameter in fresh.inferring.parameters())


class Model:
    """What is used of a model of transformers."""

    training = False

    def __init__(self):
        self.table = table()

    def get_input_embeddings(self):
        return self.table

    def set_input_embeddings(self, table):
        self.table = table


def test_stored_masks_are_put_back(tmp_path):
    torch.manual_seed(3)
    learnt = mask_words(Model(), PIECES)
    assert masks_in(tmp_path, Model(), PIECES) is None
    save_file(learnt.inferring.state_dict(), tmp_path / f"{STORED}.safetensors")
    model = Model()
    again = masks_in(tmp_path, model, PIECES)
    assert model.table is again
    assert not again.training
    assert torch.equal(again.importance(IDS), learnt.importance(IDS))


@pytest.mark.parametrize("damage", ["torn", "other"])
def test_damaged_masks_are_told(tmp_path, damage):
    file = tmp_path / f"{STORED}.safetensors"
    save_file({"0.weight": torch.ones(3)}, file)
    if damage == "torn":
        file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(BadInput, match=r"the word masks in .* do not fit .*; delete the folder to train it again"):
        masks_in(tmp_path, Model(), PIECES)
