"""Short-chunk CNN: seven small convolutions on 3.7 s (Won et al. 2020). Not in Table 4.

Source: "Evaluation of CNN-based automatic music tagging models", SMC 2020, ShortChunkCNN_Res, and
its code. A reference of today.

As in the source: chunks of 3.69 s, whose scores are averaged over a clip; levels in dB and one
batch normalization of all of them; seven residual blocks of 128, 128, 256, 256, 256, 256 and 512
filters, each with two convolutions of 3 x 3, the first with a stride of 2, and a convolution of 3 x
3 with a stride of 2 in the shortcut, all with batch normalization; the maximum over all positions;
a dense layer of 512 units, batch normalization, ReLU, dropout 0.5; a dense layer with sigmoids.
These are 12,104,244 parameters for 50 tags. With `residual: false`, blocks are convolution, batch
normalization, ReLU and max pooling over 2 x 2: 3,687,348 parameters.

Decided here:

- The shared spectrograms take the place of the source's (16 kHz, 128 mel bins, 231 frames): 12 kHz,
  96 mel bins, 173 frames. The number of parameters is the same.
- Sizes are halved and rounded up. In the source's network without residual connections, they are
  rounded down, so that 96 mel bins would vanish in the last block.
- An even size is padded at its end before a stride of 2, as Keras does, not at its start.
- The source adds 1e-4 times each parameter to its gradient. Here `l2: 5.0e-5` has the same effect
  on the kernels; biases and normalizations are left out.
- Adam with 1e-4 as in the source, but for all of 200 epochs, with a tenth of it after half and a
  hundredth after three quarters of them. The source changes to gradient descent with momentum after
  80 epochs and lowers its learning rate twice.
- 16 chunks of a clip are scored, evenly spread from its beginning to its end; the last of the
  source begins a sixteenth of the way earlier.
- The best epoch has the lowest loss of the validation clips' averaged scores; the source averages
  the loss of chunks.
- Initial weights are those of Keras. All but the last layer's are normalized anyway.

The source reports a ROC-AUC of 0.9129, and 0.9126 without residual connections, with folders 0 to b
for training, the 50 most frequent tags and no clips without a tag, which is not comparable with
merged tags and a random split.
"""

READS = "mel"
