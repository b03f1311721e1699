"""The linear-chain CRF, against the enumeration of all label sequences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from benchmark.errors import BadInput
from benchmark.tag_schemes import to_iob2
from benchmark.victims.crf import LinearChainCrf

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


@pytest.fixture
def crf():
    torch.manual_seed(3)
    crf = LinearChainCrf(LABELS)
    for parameter in crf.parameters():
        parameter.data.normal_()
    return crf


def drawn(rows, words, spread=2.0, seed=0):
    return torch.randn(rows, words, len(LABELS), generator=torch.Generator().manual_seed(seed)) * spread


def is_iob2(path):
    try:
        to_iob2([LABELS[k] for k in path])
    except BadInput:
        return False
    return True


def enumerated(crf, emissions):
    """All IOB2 sequences of one text with their probabilities, by the definition."""
    starts, ends, transitions = (p.detach().double() for p in (crf.starts, crf.ends, crf.transitions))
    paths = [path for path in itertools.product(range(len(LABELS)), repeat=len(emissions)) if is_iob2(path)]
    scores = torch.stack(
        [
            starts[path[0]]
            + sum(emissions[t, k].double() for t, k in enumerate(path))
            + sum(transitions[a, b] for a, b in itertools.pairwise(path))
            + ends[path[-1]]
            for path in paths
        ]
    )
    return dict(zip(paths, scores.softmax(0).tolist(), strict=True))


@pytest.mark.parametrize("words", [1, 2, 3, 5])
def test_likelihoods_marginals_and_the_best_sequence_are_those_of_the_enumeration(crf, words):
    emissions, lengths = drawn(3, words), torch.full((3,), words)
    marginals = crf.log_marginals(emissions, lengths).exp().detach().numpy()
    best = crf.decode(emissions, lengths)
    for row in range(3):
        all_paths = enumerated(crf, emissions[row])
        assert tuple(best[row]) == max(all_paths, key=all_paths.get)
        expected = np.zeros((words, len(LABELS)))
        for path, probability in all_paths.items():
            expected[range(words), path] += probability
        assert marginals[row] == pytest.approx(expected, abs=1e-9)
        for path, probability in list(all_paths.items())[::7]:
            told = crf.log_likelihood(emissions[[row]], torch.tensor([path]), torch.tensor([words]))
            assert told.exp().item() == pytest.approx(probability, abs=1e-9)


def test_what_stands_beyond_a_texts_end_does_not_matter(crf):
    lengths = torch.tensor([1, 3, 6])
    emissions, tags = drawn(3, 6), torch.tensor([[1, 2, 2, 0, 0, 0]] * 3)
    together = (
        crf.log_likelihood(emissions, tags, lengths),
        crf.log_marginals(emissions, lengths),
        crf.decode(emissions, lengths),
    )
    for row, length in enumerate(lengths.tolist()):
        own, bare = emissions[[row], :length], torch.tensor([length])
        assert crf.log_likelihood(own, tags[[row], :length], bare).item() == pytest.approx(together[0][row].item())
        assert torch.allclose(crf.log_marginals(own, bare)[0], together[1][row, :length])
        assert torch.equal(together[1][row, length:], torch.zeros(6 - length, len(LABELS), dtype=torch.double))
        assert crf.decode(own, bare)[0] == together[2][row]


def test_marginals_are_the_gradient_of_the_normaliser(crf):
    """d log Z / d emission = p(label): the log-likelihood's gradient is what the sequence has less what is expected."""
    emissions, lengths, tags = drawn(2, 4).requires_grad_(), torch.tensor([4, 3]), torch.tensor([[0, 1, 2, 0]] * 2)
    crf.log_likelihood(emissions, tags, lengths).sum().backward()
    has = torch.nn.functional.one_hot(tags, len(LABELS)) * (torch.arange(4) < lengths[:, None])[:, :, None]
    expected = crf.log_marginals(emissions, lengths).exp() * (torch.arange(4) < lengths[:, None])[:, :, None]
    assert torch.allclose(emissions.grad.double(), has - expected, atol=1e-6)


def test_marginals_have_gradients_that_foretell_small_steps(crf):
    lengths = torch.tensor([4, 2])
    assert torch.autograd.gradcheck(
        lambda emissions: crf.log_marginals(emissions, lengths)[:, :2], (drawn(2, 4).double().requires_grad_(),)
    )


def test_emissions_that_beg_for_it_do_not_bring_a_dangling_i(crf):
    emissions = torch.full((1, 5, len(LABELS)), -50.0)
    emissions[0, range(5), [2, 4, 2, 2, 4]] = 5000.0
    (path,) = crf.decode(emissions, torch.tensor([5]))
    assert is_iob2(path)
    for seed in range(50):
        paths = crf.decode(drawn(4, 7, 100.0, seed), torch.tensor([7, 1, 3, 6]))
        assert [len(path) for path in paths] == [7, 1, 3, 6]
        assert all(is_iob2(path) for path in paths)


def test_what_iob2_forbids_has_no_probability_and_yet_a_gradient(crf):
    emissions = drawn(1, 3).requires_grad_()
    marginals = crf.log_marginals(emissions, torch.tensor([3]))
    assert marginals[0, 0, [2, 4]].exp().tolist() == [0, 0]
    assert torch.isfinite(marginals).all()
    marginals[0, 0, 2].backward()
    assert torch.isfinite(emissions.grad).all()
    assert emissions.grad[0, 0, 2] == pytest.approx(1)


def test_long_texts_keep_their_precision(crf):
    emissions, lengths = drawn(1, 512, 20.0), torch.tensor([512])
    total = crf.log_marginals(emissions, lengths).exp().sum(-1)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-9)
