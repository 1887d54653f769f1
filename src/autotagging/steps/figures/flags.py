"""Flags that the figures and tables have in common, as the command line explains them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from autotagging.reporting.outputs import FigureFiles, TableFiles

Figure = Annotated[FigureFiles, Parameter(name="*")]
Table = Annotated[TableFiles, Parameter(name="*")]

Audio = Annotated[Path, Parameter(help="results/download/audio.json, which names the corpus.")]
Tags = Annotated[Path, Parameter(help="results/merge_tags/tags.csv.")]
RawTags = Annotated[Path, Parameter(help="results/merge_tags/raw_tags.csv.")]
Labels = Annotated[Path, Parameter(help="results/merge_tags/labels.csv.")]
Summary = Annotated[
    Path, Parameter(help="results/extract_mel/summary.csv, next to the shards.")
]
FrontEnd = Annotated[Path, Parameter(help="results/extract_mel/front_end.json.")]
Download = Annotated[Path, Parameter(help="Folder results/download.")]
Split = Annotated[Path, Parameter(help="results/split/split.csv.")]
Leakage = Annotated[Path, Parameter(help="results/split/leakage.csv.")]
Published = Annotated[Path, Parameter(help="Cited numbers.")]
ModelJson = Annotated[Path, Parameter(help="model.json of one model and seed.")]
OneMetrics = Annotated[Path, Parameter(help="metrics.json of one model and seed.")]
Predictions = Annotated[Path, Parameter(help="predictions.npz of one model and seed.")]
PerTag = Annotated[Path, Parameter(help="per_tag.csv of one model and seed.")]
PerCategory = Annotated[Path, Parameter(help="per_category.csv of one model and seed.")]

_TRAINED = "of each model and seed trained in epochs, in the same order."
Histories = Annotated[Sequence[Path], Parameter(help=f"history.csv {_TRAINED}")]
ModelJsons = Annotated[Sequence[Path], Parameter(help=f"model.json {_TRAINED}")]
_EACH = "of each model and seed, in the same order."
Metrics = Annotated[list[Path], Parameter(help=f"metrics.json {_EACH}")]
AllPredictions = Annotated[list[Path], Parameter(help=f"predictions.npz {_EACH}")]
PerEpochs = Annotated[list[Path], Parameter(help=f"per_epoch.csv {_EACH}")]
PerTags = Annotated[list[Path], Parameter(help=f"per_tag.csv {_EACH}")]
PerCategories = Annotated[list[Path], Parameter(help=f"per_category.csv {_EACH}")]
Rocs = Annotated[list[Path], Parameter(help=f"roc.csv {_EACH}")]
Calibrations = Annotated[list[Path], Parameter(help=f"calibration.csv {_EACH}")]

ClipId = Annotated[int | None, Parameter(help="clip_id of the clip to show; None to choose one.")]
ClipsPerTag = Annotated[int, Parameter(help="Clips to draw of a tag; all where it has fewer.")]
Resamples = Annotated[int, Parameter(help="Number of resamples, of clips and of tracks.")]
Confidence = Annotated[float, Parameter(help="Share of the resamples within the intervals.")]
BootstrapSeed = Annotated[int, Parameter(help="Seed of the resamples.")]
