"""The recipes of TextAttack (Morris et al. 2020), by the names of its command line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from attacks.guests.needs import (
    Need,
    flair_model,
    hub_model,
    nltk_data,
    package,
    shipped_file,
    textattack_file,
    use,
)

__all__ = ["CATALOGUE", "Recipe"]


class Recipe(NamedTuple):
    """One recipe.

    Attributes:
        builder: class in `textattack.attack_recipes`.
        paper: where it comes from.
        needs: what must be on this machine.
        options: what its builder must be told although our goal takes the place of its own.
        gradients: it reads the gradients of a text classifier, which no recogniser has.
    """

    builder: str
    paper: str
    needs: tuple[Need, ...] = ()
    options: Mapping[str, Any] = MappingProxyType({})
    gradients: bool = False


_VECTORS = textattack_file("counter-fitted word vectors", "word_embeddings/paragramcf")
_SEMEMES = textattack_file("HowNet's candidates", "transformations/hownet/word_candidates_sense.pkl")
_GOOGLE_LM = textattack_file(
    "the files of Google's language model", "constraints/semantics/language-models/alzantot-goog-lm"
)
_L2W_LM = textattack_file(
    "the files of the language model Learning to Write", "constraints/grammaticality/language-models/learning-to-write"
)
_HOMOGLYPHS = shipped_file("Unicode's list of intentional look-alikes", "shared/intentional_homoglyphs.txt")
_ENCODER = (package("tensorflow_hub", "tensorflow-hub"), use())
_TAGGER = (nltk_data("taggers/averaged_perceptron_tagger_eng"), nltk_data("taggers/universal_tagset"))
_WORDNET = (nltk_data("corpora/wordnet"),)
_OTHER_WORDNETS = (*_WORDNET, nltk_data("corpora/omw-1.4"))

CATALOGUE: Mapping[str, Recipe] = MappingProxyType(
    {
        "a2t": Recipe(
            "A2TYoo2021", "Yoo & Qi 2021, Towards Improving Adversarial Training of NLP Models", gradients=True
        ),
        "alzantot": Recipe(
            "GeneticAlgorithmAlzantot2018",
            "Alzantot et al. 2018, Generating Natural Language Adversarial Examples",
            (_VECTORS, package("tensorflow", "tensorflow"), _GOOGLE_LM),
        ),
        "bad-characters": Recipe(
            "BadCharacters2021",
            "Boucher et al. 2021, Bad Characters: Imperceptible NLP Attacks",
            (_HOMOGLYPHS,),
            {"goal_function_type": "targeted_classification"},
        ),
        "bae": Recipe(
            "BAEGarg2019",
            "Garg & Ramakrishnan 2020, BAE: BERT-based Adversarial Examples for Text Classification",
            (hub_model("bert-base-uncased"), *_TAGGER, *_ENCODER),
        ),
        "bert-attack": Recipe(
            "BERTAttackLi2020",
            "Li et al. 2020, BERT-ATTACK: Adversarial Attack Against BERT Using BERT",
            (hub_model("bert-base-uncased"), *_ENCODER),
        ),
        "checklist": Recipe(
            "CheckList2020",
            "Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList",
            (flair_model("ner", "flair/ner-english"),),
        ),
        "chinese": Recipe(
            "ChineseRecipe",
            "Morris et al. 2020, TextAttack",
            (hub_model("xlm-roberta-base"), shipped_file("a list of homophones", "shared/chinese_homophone_char.txt")),
        ),
        "clare": Recipe(
            "CLARE2020",
            "Li et al. 2021, Contextualized Perturbation for Textual Adversarial Attack",
            (hub_model("distilroberta-base"), *_ENCODER),
        ),
        "deepwordbug": Recipe(
            "DeepWordBugGao2018",
            "Gao et al. 2018, Black-box Generation of Adversarial Text Sequences to Evade Deep Learning Classifiers",
        ),
        "faster-alzantot": Recipe(
            "FasterGeneticAlgorithmJia2019",
            "Jia et al. 2019, Certified Robustness to Adversarial Word Substitutions",
            (_VECTORS, package("torchfile", "torchfile"), _L2W_LM),
        ),
        "french": Recipe(
            "FrenchRecipe",
            "Morris et al. 2020, TextAttack",
            (
                *_OTHER_WORDNETS,
                nltk_data("corpora/stopwords/french"),
                flair_model("flair/ner-french", "flair/ner-french"),
            ),
        ),
        "hotflip": Recipe(
            "HotFlipEbrahimi2017",
            "Ebrahimi et al. 2018, HotFlip: White-Box Adversarial Examples for Text Classification",
            gradients=True,
        ),
        "iga": Recipe(
            "IGAWang2019",
            "Wang et al. 2021, Natural Language Adversarial Defense through Synonym Encoding",
            (_VECTORS,),
        ),
        "input-reduction": Recipe(
            "InputReductionFeng2018", "Feng et al. 2018, Pathologies of Neural Models Make Interpretations Difficult"
        ),
        "kuleshov": Recipe(
            "Kuleshov2017",
            "Kuleshov et al. 2018, Adversarial Examples for Natural Language Classification Problems",
            (_VECTORS, hub_model("gpt2")),
        ),
        "leap": Recipe(
            "LEAP2023", "Xiao et al. 2023, LEAP: Efficient and Automated Test Method for NLP Software", _WORDNET
        ),
        "morpheus": Recipe(
            "MorpheusTan2020",
            "Tan et al. 2020, It's Morphin' Time! Combating Linguistic Discrimination with Inflectional Perturbations",
            (flair_model("upos-fast", "flair/upos-english-fast"),),
        ),
        "pruthi": Recipe(
            "Pruthi2019", "Pruthi et al. 2019, Combating Adversarial Misspellings with Robust Word Recognition"
        ),
        "pso": Recipe(
            "PSOZang2020",
            "Zang et al. 2020, Word-level Textual Adversarial Attacking as Combinatorial Optimization",
            (_SEMEMES, *_TAGGER),
        ),
        "pwws": Recipe(
            "PWWSRen2019",
            "Ren et al. 2019, Generating Natural Language Adversarial Examples "
            "through Probability Weighted Word Saliency",
            _WORDNET,
        ),
        "seq2sick": Recipe(
            "Seq2SickCheng2018BlackBox",
            "Cheng et al. 2020, Seq2Sick: Evaluating the Robustness of Sequence-to-Sequence Models",
            (_VECTORS,),
        ),
        "spanish": Recipe(
            "SpanishRecipe",
            "Morris et al. 2020, TextAttack",
            (
                *_OTHER_WORDNETS,
                nltk_data("corpora/stopwords/spanish"),
                flair_model("flair/ner-multi-fast", "flair/ner-multi-fast"),
            ),
        ),
        "textbugger": Recipe(
            "TextBuggerLi2018",
            "Li et al. 2019, TextBugger: Generating Adversarial Text Against Real-world Applications",
            (_HOMOGLYPHS, _VECTORS, *_ENCODER),
        ),
        "textfooler": Recipe(
            "TextFoolerJin2019",
            "Jin et al. 2020, Is BERT Really Robust? A Strong Baseline for Natural Language Attack",
            (_VECTORS, *_TAGGER, *_ENCODER),
        ),
    }
)
