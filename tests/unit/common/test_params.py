import pytest

from autotagging.common.params import read_exponents


@pytest.mark.parametrize(
    ("written", "read"),
    [("1e-05", 1e-5), ("2.5E3", 2500.0), ("-1e+2", -100.0), ("e5", "e5"), ("1e", "1e"), (3, 3)],
)
def test_numbers_with_exponents_are_numbers(written, read):
    assert read_exponents({"a": [written], "b": 1}) == {"a": [read], "b": 1}
