"""The command `autotagging`: one subcommand per step, its flags the step's keyword arguments."""

import os
import sys

from cyclopts import App, CycloptsError, Parameter

from autotagging.common.errors import UserError

_STEPS = {
    "download": "Get a corpus and list its clips.",
    "merge_tags": "Merge synonymous tags and keep the most frequent.",
    "split": "Divide the clips into training, validation and test set.",
    "extract_mel_shard": "Turn one block of clips into log-mel spectrograms.",
    "extract_mel": "Gather the shards and list them.",
    "train": "Train a model and keep its best epoch.",
    "evaluate": "Score the test clips with a trained model.",
}
# Figures and tables by the module of steps/figures that makes them.
_FIGURES = {
    "data": {
        "figure_2": "Merging of tags.",
        "figure_3": "The stages of preprocessing, on one clip.",
        "mel_examples": "Spectrograms of some clips of every tag, on a page.",
        "tag_distribution": "Clips per tag, before and after merging.",
    },
    "model": {
        "epoch_choices": "Test clips at the best epoch, the last, and the best on them.",
        "figure_4": "The architecture of the model.",
        "figure_5": "Loss per epoch.",
        "figure_7": "ROC-AUC per epoch, and ROC curve.",
        "table_1": "Parameters of the front end.",
        "table_2": "Shapes of the model's layers.",
    },
    "results": {
        "all_metrics": "Every metric of every model, and of answers that hear nothing.",
        "calibration": "How often a tag is there, against its score.",
        "category_scores": "ROC-AUC by category, with confidence intervals.",
        "differences": "Each two models on the same test clips, with confidence intervals.",
        "figure_6": "Predicted and actual tags of one test clip.",
        "table_4": "ROC-AUC of this run beside published ones.",
        "tag_scores": "ROC-AUC by tag, with confidence intervals.",
    },
    "report": {
        "summary": "First page of the report: results beside what they must be compared with.",
    },
}
_BY_HAND = {
    "data_card": "Describe MagnaTagATune on a page, with all numbers counted in its tables.",
    "export": "Write a trained model as Keras and ONNX files, for tools other than this one.",
    "plots_template": "Write a template with which pages of `dvc plots` need no network.",
    "record": "Let DVC record the results of a finished snakemake run.",
    "restore": "Get the results of this commit from DVC, for snakemake to take as finished.",
    "verify": "Hash or decode all files of a corpus; print OK or the faulty ones.",
}
# Modules that are not called as their commands are.
_MODULES = {"restore": "tools.record"}


def main() -> None:
    """Run one subcommand; an error that the user can mend is one line and exit code 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        _make_app()(exit_on_error=False, print_error=False)
    except (UserError, CycloptsError) as error:
        sys.exit(_fail(str(error)))
    except OSError as error:
        place = f"{error.filename2 or error.filename}: " if error.filename else ""
        sys.exit(_fail(f"{place}{error.strerror or error}"))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> int:
    print(f"autotagging: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _make_app() -> App:
    """Name the functions without importing them: one step must not load what another needs."""
    app = App(
        name="autotagging",
        help="Music auto-tagging on MagnaTagATune, step by step.",
        name_transform=str,
        default_parameter=Parameter(consume_multiple=True, negative=()),
    )
    for name, text in _STEPS.items():
        module = _MODULES.get(name, f"steps.{name}")
        app.command(f"autotagging.{module}:{name}", name=name, help=text)
    figures = App(name="figures", help="Draw a figure or make a table of the paper.")
    for module, names in _FIGURES.items():
        for name, text in names.items():
            figures.command(f"autotagging.steps.figures.{module}:{name}", name=name, help=text)
    app.command(figures)
    for name, text in _BY_HAND.items():
        app.command(
            f"autotagging.{_MODULES.get(name, f'tools.{name}')}:{name}", name=name, help=text
        )
    return app
