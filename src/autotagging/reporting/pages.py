"""HTML pages from templates: single files that work offline and without scripts."""

import base64
import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autotagging.common.files import replacing
from autotagging.reporting.averaging import plus_minus
from autotagging.reporting.tables.counts import UNKNOWN, as_published

TEMPLATES = Path(__file__).with_name("templates")


def write_page(path: Path, template: str, **content: Any) -> None:
    """Fill a template: the same content gives the same bytes.

    Parameters
    ----------
    path
        File to write.
    template
        Name of a file in `TEMPLATES`; values are escaped. Its filters: `number`, three decimals
        or a dash; `signed`, the same with a sign; `percent`, one decimal; `plus_minus`, see
        `averaging`; `as_published`, all digits that a cited number has.
    content
        Variables of the template.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": _number, "percent": _percent, "signed": _signed}
    environment.filters |= {"plus_minus": plus_minus, "as_published": as_published}
    with replacing(path) as temporary:
        page = environment.get_template(template).render(**content)
        temporary.write_text(page, encoding="utf-8")


def data_uri(data: bytes, mime: str) -> str:
    """Encode a file's bytes as a data URI, to embed the file in a page."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.3f}"


def _signed(value: float) -> str:
    if math.isnan(value):
        return UNKNOWN
    return f"{value:+.3f}".replace("-", "−") if value else "0"  # noqa: RUF001


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
