"""The victim `cnn-lstm-crf/DATASET`: the tagger of MAT and SeqVAT (Chen et al. 2020), after Ma & Hovy (2016).

A convolution reads each word's characters, GloVe vectors stand for the words, two bidirectional LSTMs read the text and
a linear-chain CRF labels it. Words are looked up lower-cased, as GloVe wants them; capitals are seen by the characters.
It is trained on first use and cached under the name of its recipe.
"""

from __future__ import annotations

from benchmark.victims.cnn_lstm_crf.loading import CNN_LSTM_CRF, load_folder

__all__ = ["CNN_LSTM_CRF", "load_folder"]
