"""First page of the report, and the numbers to compare between experiments."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from autotagging.common.errors import UserError
from autotagging.common.files import write_json
from autotagging.common.versions import write_versions
from autotagging.reporting import first_page
from autotagging.reporting.captions import attribution, brackets, corpus_name
from autotagging.reporting.clips import read_audio
from autotagging.reporting.inputs import (
    paper_row,
    read_predictions,
    read_published,
    read_results,
    read_table,
)
from autotagging.reporting.outputs import LIBRARIES
from autotagging.reporting.pages import data_uri, write_page
from autotagging.reporting.tables.metrics import CHANCE
from autotagging.steps.figures import flags

_OF_TAG = ("tag", "positives", "artists", "roc_auc")
_OF_CATEGORY = ("category", "roc_auc", "roc_auc_minus_rest")
_OF_CATEGORY += ("gain_over_lookup", "gain_over_lookup_minus_rest")
_MEDIA_TYPES = {".mp3": "audio/mpeg", ".flac": "audio/flac", ".ogg": "audio/ogg"}
_MEDIA_TYPES |= {".wav": "audio/wav"}


def summary(
    *,
    metrics: flags.Metrics,
    model_json: flags.AllModelJsons,
    per_tag: flags.PerTag,
    per_category: flags.PerCategory,
    predictions: flags.Predictions,
    split: flags.Split,
    leakage: flags.Leakage,
    download: flags.Download,
    published: flags.Published,
    figure_5: Annotated[Path | None, Parameter(help="Fig. 5 as SVG; optional.")] = None,
    figure_7: Annotated[Path, Parameter(help="Fig. 7 as SVG.")],
    cost: Annotated[Path | None, Parameter(help="The figure cost as SVG; optional.")] = None,
    html: Annotated[Path, Parameter(help="Output: page as HTML.")],
    json: Annotated[Path, Parameter(help="Output: numbers of each model as JSON.")],
    versions: Annotated[Path, Parameter(help="Output: versions of the libraries, as JSON.")],
) -> None:
    """First page of the report.

    per_tag, per_category and predictions come from the first seed of the first model that reads
    audio, or of the first model if none does. Clips whose audio can't be read are shown without
    audio. The figure cost is shown if several models read audio.
    """
    runs = read_results(metrics, model_json)
    readers = first_page.readers_of_audio(runs)
    shown = next((run for run in runs if run["model"] in readers[:1]), runs[0])
    rows = first_page.comparison(runs, read_published(published))
    clips = first_page.example_clips(read_predictions(predictions))
    paths = read_table(split, ("clip_id", "mp3_path")).set_index("clip_id")["mp3_path"]
    for clip in clips:
        if clip["clip_id"] not in paths:
            raise UserError(f"{split}: no test clip {clip['clip_id']} of {predictions}; evaluate")
        clip["mp3_path"] = paths[clip["clip_id"]]
        audio, clip["missing"] = read_audio(download, clip["mp3_path"])
        suffix = Path(clip["mp3_path"]).suffix
        clip["uri"] = data_uri(audio, _MEDIA_TYPES[suffix]) if audio else ""
    figures = ((figure_5, "Loss per epoch (Fig. 5)"), (figure_7, "ROC-AUC and ROC curve (Fig. 7)"))
    write_page(
        html,
        "summary.html",
        shown=shown,
        readers=readers,
        trained=[run for run in runs if run["model"] == shown["model"] and run.get("epochs")],
        paper=paper_row(published),
        corpus=corpus_name(shown["corpus"]),
        chance=CHANCE,
        comparison=rows,
        result=next(row for row in rows if row["model"] == shown["model"]),
        brackets=brackets([run for run in runs if run["model"] == shown["model"]]),
        gain=first_page.gain_over_lookup(runs),
        leakage=read_table(leakage, ("level", "share", "clips_without_group")).to_dict("records"),
        figures=[_image(svg, text) for svg, text in figures if svg],
        cost=_image(cost, "Macro ROC-AUC and cost") if cost and len(readers) > 1 else None,
        moods=first_page.category(read_table(per_category, _OF_CATEGORY), "mood"),
        lookup_compared=first_page.compared_with_lookup(runs),
        tags=first_page.tag_ranking(read_table(per_tag, _OF_TAG)),
        clips=clips,
        attribution=attribution(shown["corpus"]),
    )
    write_json(first_page.headline(runs), json)
    write_versions(versions, *LIBRARIES)


def _image(svg: Path, text: str) -> dict[str, str]:
    """Embed a figure, with the text below it."""
    return {"uri": data_uri(svg.read_bytes(), "image/svg+xml"), "text": text}
