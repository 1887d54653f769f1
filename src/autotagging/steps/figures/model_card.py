"""Model cards for the Hugging Face Hub (sec. III)."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from autotagging.common.errors import UserError
from autotagging.common.files import read_json, replacing
from autotagging.common.versions import write_versions
from autotagging.reporting.inputs import read_metrics, read_table, same_length
from autotagging.reporting.model_card import model_card as describe
from autotagging.steps.figures import flags

_MODEL = {"model": str, "seed": int, "tags": list, "trained_on": dict, "weights_sha256": str}


def model_card(
    *,
    metrics: flags.Metrics,
    model_json: flags.AllModelJsons,
    leakage: flags.Leakage,
    cards: Annotated[list[Path], Parameter(help="Output: a card of each, in the same order.")],
    versions: Annotated[Path, Parameter(help="Output: versions of the libraries, as JSON.")],
) -> None:
    """Model cards: data, scores, leakage, licence."""
    same_length(metrics=metrics, model_json=model_json)
    same_length(metrics=metrics, cards=cards)
    levels = read_table(leakage, ("level", "share")).set_index("level")["share"].to_dict()
    for measured, described, card in zip(metrics, model_json, cards, strict=True):
        result, model = read_metrics(measured), read_json(described, **_MODEL)
        if any(result[name] != model[name] for name in ("model", "seed")):
            raise UserError(f"{described}: not the model of {measured}; give the same order")
        with replacing(card) as temporary:
            temporary.write_text(describe(result, model, levels), encoding="utf-8")
    write_versions(versions, "pandas", "pyyaml")
