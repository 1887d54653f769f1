"""Features learnt on other labels, and a linear classifier on them: van den Oord 2014 (Table 4).

Source: van den Oord, Dieleman and Schrauwen, "Transfer learning by supervised pre-training for
audio-based music classification", ISMIR 2014. Only its abstract and results quoted elsewhere
were available.

Followed: k-means features of the spectrogram; a network trained on them with the labels of a large
source corpus; its hidden layer, frozen, gives the features of the clips of the target; a linear
classifier with an L2 penalty on these, whose strength is chosen on the validation clips.

Decided here: the low-level features are those of the model multiscale. The source network has one
hidden layer of 1000 rectified units with dropout 0.5 and is trained by cross-entropy on the tags of
the source (the paper predicts factors of a matrix of songs and tags or listeners); every tenth clip
of the source is held out to choose the epoch. Codebook and scale are fitted to the source as well.
The activations are averaged over a clip's windows; the penalty is the same for all tags.

The paper's source, the Million Song Dataset, comes without audio. By default the source is this
corpus: its training clips with the tags outside the kept ones (`source: other_tags`). That is a
thin source, a few thousand positives where the paper has hundreds of thousands of songs, and no
other corpus. `source` may be the results folder of this pipeline for another corpus instead.

What the transfer brings is the difference to `control: features`, the same classifier on the
k-means features themselves, and to `control: random`, on a source network that was not trained.

The paper's Table 4 prints .88. The list of results that it cites says "below .88" for 50 tags, and
"below .86" for 188.
"""

READS = "features"
"""Hidden units of a network that is trained on other labels, and logistic regressions on them."""

READS_OTHER_LABELS = True
