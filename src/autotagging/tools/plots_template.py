"""Template for pages of `dvc plots` that work offline: the command `autotagging plots_template`.

DVC's own pages download Vega. Snakemake includes a copy for its reports, which is used here.
"""

from pathlib import Path

from autotagging.common.files import replacing

_SCRIPTS = ("vega/vega.js", "vega-lite/vega-lite.js", "vega-embed/vega-embed.js")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Plots</title>
{refresh_tag}
%s
</head>
<body>
{plot_divs}
</body>
</html>
"""


def plots_template(*, out: Path) -> None:
    """Write a template with which the pages of `dvc plots show` and `diff` work offline.

    Parameters
    ----------
    out
        Output: template for their flag --html-template.
    """
    from snakemake.assets import Assets

    scripts = "\n".join(f"<script>{Assets.get_content(name)}</script>" for name in _SCRIPTS)
    with replacing(out) as temporary:
        temporary.write_text(_PAGE % scripts, encoding="utf-8")
