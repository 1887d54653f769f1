"""Flags of the figures and tables, with their help on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from autotagging.reporting.outputs import FigureFiles, TableFiles

Figure = Annotated[FigureFiles, Parameter(name="*")]
Table = Annotated[TableFiles, Parameter(name="*")]

Audio = Annotated[Path, Parameter(help="audio.json of download, which names the corpus.")]
Tags = Annotated[Path, Parameter(help="tags.csv of merge_tags: the kept tags.")]
RawTags = Annotated[Path, Parameter(help="raw_tags.csv of merge_tags: the merging of raw tags.")]
Labels = Annotated[Path, Parameter(help="labels.csv of merge_tags: the tags of each clip.")]
Summary = Annotated[Path, Parameter(help="summary.csv of extract_mel, next to the shards.")]
FrontEnd = Annotated[Path, Parameter(help="front_end.json of extract_mel.")]
Download = Annotated[Path, Parameter(help="Folder of download's results, to find the audio.")]
Split = Annotated[Path, Parameter(help="split.csv of split: the subset of each clip.")]
Leakage = Annotated[Path, Parameter(help="leakage.csv of split: shares of leaking test clips.")]
Published = Annotated[Path, Parameter(help="YAML with the cited rows of Table 4.")]
ModelJson = Annotated[Path, Parameter(help="model.json of one model and seed.")]
OneMetrics = Annotated[Path, Parameter(help="metrics.json of one model and seed.")]
Predictions = Annotated[Path, Parameter(help="predictions.npz of one model and seed.")]
PerTag = Annotated[Path, Parameter(help="per_tag.csv of one model and seed.")]
PerCategory = Annotated[Path, Parameter(help="per_category.csv of one model and seed.")]

_TRAINED = "of each model that is not of tables, and seed; all lists in the same order."
Histories = Annotated[Sequence[Path], Parameter(help=f"history.csv {_TRAINED}")]
ModelJsons = Annotated[Sequence[Path], Parameter(help=f"model.json {_TRAINED}")]
_EACH = "of each model and seed; all lists in the same order."
Metrics = Annotated[list[Path], Parameter(help=f"metrics.json {_EACH}")]
AllModelJsons = Annotated[list[Path], Parameter(help=f"model.json {_EACH}")]
AllPredictions = Annotated[list[Path], Parameter(help=f"predictions.npz {_EACH}")]
PerEpochs = Annotated[list[Path], Parameter(help=f"per_epoch.csv {_EACH}")]
PerTags = Annotated[list[Path], Parameter(help=f"per_tag.csv {_EACH}")]
PerCategories = Annotated[list[Path], Parameter(help=f"per_category.csv {_EACH}")]
Rocs = Annotated[list[Path], Parameter(help=f"roc.csv {_EACH}")]
Calibrations = Annotated[list[Path], Parameter(help=f"calibration.csv {_EACH}")]

_CLIP = "clip_id to show; by default the"
FirstClip = Annotated[int | None, Parameter(help=f"{_CLIP} readable test clip of lowest clip_id.")]
MedianClip = Annotated[int | None, Parameter(help=f"{_CLIP} test clip of median accuracy.")]
ClipsPerTag = Annotated[int, Parameter(help="Clips to draw per tag; all of a tag with fewer.")]
