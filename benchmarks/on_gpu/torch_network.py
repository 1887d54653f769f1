"""The same network in PyTorch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from on_gpu.sizes import FILTERS, MEL_BINS, POOLS, TAGS, Size

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class CRNN(nn.Module):
    """Four convolution blocks and two recurrent layers: (batch, mel bins, frames) to logits."""

    def __init__(self, size: Size):
        super().__init__()
        padding = size.padded - size.frames
        self.sides = (padding // 2, padding - padding // 2)
        self.input_norm = nn.BatchNorm1d(MEL_BINS)
        blocks, channels = [], 1
        for filters, pool in zip(FILTERS, POOLS, strict=True):
            blocks += [
                nn.Conv2d(channels, filters, 3, padding="same"),
                nn.BatchNorm2d(filters),
                nn.ELU(),
                nn.MaxPool2d(pool),
                nn.Dropout(0.1),
            ]
            channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.gru = nn.GRU(channels, 32, num_layers=2, batch_first=True)
        self.output = nn.Sequential(nn.Dropout(0.3), nn.Linear(32, TAGS))

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Score: (batch, tags)."""
        x = nn.functional.pad(self.input_norm(mel), self.sides)[:, None]
        x = self.blocks(x)[:, :, 0].transpose(1, 2)
        return self.output(self.gru(x)[0][:, -1])


def make_step(
    size: Size,
    precision: str,
    *,
    compiled: bool,
    channels_last: bool,
    cuda_graphs: bool = False,
) -> Callable:
    """Make a function (mel, labels) -> loss, a tensor, that takes a step of Adam.

    Parameters
    ----------
    size
        Of the spectrograms.
    precision
        "float32", "tf32", or "mixed_bfloat16" by autocast.
    compiled
        Whether forward and backward pass go through torch.compile.
    channels_last
        Memory format of the convolutions.
    cuda_graphs
        Whether the compiled passes are recorded once and replayed.
    """
    torch.backends.cuda.matmul.allow_tf32 = precision != "float32"
    torch.backends.cudnn.allow_tf32 = precision != "float32"
    torch.backends.cudnn.benchmark = True
    model = make_network(size, channels_last=channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 0.001, fused=DEVICE.type == "cuda")
    mode = "reduce-overhead" if cuda_graphs else None
    forward = torch.compile(model, dynamic=False, mode=mode) if compiled else model
    halved = precision == "mixed_bfloat16"

    def step(mel: Any, labels: Any) -> torch.Tensor:
        mel, targets = on_device(mel).float(), on_device(labels)
        optimizer.zero_grad()
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=halved):
            logits = forward(mel)
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), targets)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def make_scorer(size: Size, precision: str, *, compiled: bool, channels_last: bool) -> Callable:
    """Make a function mel -> scores, with the options of `make_step`."""
    model = make_network(size, channels_last=channels_last).eval()
    forward = torch.compile(model, dynamic=False) if compiled else model
    halved = precision == "mixed_bfloat16"

    @torch.inference_mode()
    def score(mel: Any) -> torch.Tensor:
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=halved):
            return forward(on_device(mel)).float().sigmoid()

    return score


def make_network(size: Size, *, channels_last: bool) -> CRNN:
    """Build the network where it will be used."""
    model = CRNN(size).to(DEVICE)
    return model.to(memory_format=torch.channels_last) if channels_last else model


def on_device(array: Any) -> torch.Tensor:
    """Copy an array to the GPU, if it is not there."""
    return torch.as_tensor(array, device=DEVICE)


def reset_peak() -> None:
    """Forget the peak of the GPU's memory."""
    if DEVICE.type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def peak() -> int | None:
    """Give the peak of the GPU's memory in bytes; None without a GPU."""
    return torch.cuda.max_memory_allocated() if DEVICE.type == "cuda" else None
