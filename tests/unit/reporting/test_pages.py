import base64

import pytest
from jinja2 import UndefinedError

from autotagging.reporting import pages


@pytest.fixture
def template(tmp_path, monkeypatch):
    """Function that makes the only template there is."""
    monkeypatch.setattr(pages, "TEMPLATES", tmp_path)
    return (tmp_path / "page.html").write_text


def test_content_is_escaped_and_numbers_are_for_readers(tmp_path, template):
    template(
        "{{ name }} {{ auc | number }} {{ none | number }} {{ share | percent }} "
        "{{ auc | signed }} {{ (0 - auc) | signed }} {{ (auc - auc) | signed }}\n"
    )
    out = tmp_path / "out.html"
    pages.write_page(out, "page.html", name="<drum & bass>", auc=2 / 3, none=None, share=0.957)
    assert out.read_text() == "&lt;drum &amp; bass&gt; 0.667 - 95.7 % +0.667 −0.667 0\n"  # noqa: RUF001
    first = out.read_bytes()
    pages.write_page(out, "page.html", name="<drum & bass>", auc=2 / 3, none=None, share=0.957)
    assert out.read_bytes() == first


def test_a_template_that_names_what_is_not_there_writes_nothing(tmp_path, template):
    template("{{ forgotten }}")
    with pytest.raises(UndefinedError, match="forgotten"):
        pages.write_page(tmp_path / "out.html", "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_data_uri_holds_the_bytes():
    uri = pages.data_uri(b"ID3\x00", "audio/mpeg")
    head, data = uri.split(",")
    assert head == "data:audio/mpeg;base64"
    assert base64.b64decode(data) == b"ID3\x00"
