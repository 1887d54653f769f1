import pytest

from autotagging.common.errors import UserError
from autotagging.common.params import faults, read_options, read_params
from autotagging.common.strict_yaml import parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1e-05", 1e-5),
        ("2.5E3", 2500.0),
        ("-1e+2", -100.0),
        ("e5", "e5"),
        ("1e", "1e"),
        ("3", 3),
        ("-0.5", -0.5),
        ("null", None),
        ("~", None),
        ("true", True),
        ("'010'", "010"),
        ('"yes"', "yes"),
        ("no beat", "no beat"),
    ],
)
def test_values_are_read_as_yaml_1_1_and_1_2_both_do(written, read):
    (value,) = parse_yaml(f"[{written}]", name="x")
    assert value == read
    assert type(value) is type(read)


@pytest.mark.parametrize(
    "written",
    ["010", "0o17", "0x1F", "1:30", "1_000", "yes", "off", "NO", "2026-11-26", ".nan", "-.inf"],
)
def test_a_value_with_more_than_one_meaning_is_refused(written):
    with pytest.raises(UserError, match=r"^params, line 2: unclear value .*; write a finite"):
        parse_yaml(f"a: 1\nb: {written}", name="params")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: {c: 1, c: 2}", "params, line 2: 'c' appears twice"),
        (
            "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> 1\n",
            "params, line 2: marks of a merge",
        ),
        ("a: &x 1\nb: *x", "params, line 1: anchors and aliases"),
        ("a: 1\nb: *x", "params, line 2: anchors and aliases"),
        ("a: {<<: {b: 1}}", "params, line 1: unclear value <<"),
        ("a: !!python/name:os.system x", "params, line 1: the tag"),
        ("a: 1e999", "params, line 1: 1e999 is not a finite number"),
        ("? [1]\n: 2", "params, line 1: a key must be text"),
        ("a: [1", "params, line 1: expected ',' or ']'"),
        ("a: 1\nb: " + "[" * 5000, "params, line 2: lists or mappings inside each other too"),
        ("a: 1\nb: " + "{a: " * 5000, "params, line 2: lists or mappings inside each other too"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "params, line 2: a code after \\U that no character has"),
        ('a: 1\nb: "\\U00110000"\n', "params, line 2: a code after \\U that no character has"),
        ('a: 1\nb: "\\ud800"\n', "params, line 2: half a character"),
        ('a: 1\n"\\ud800": 1\n', "params, line 2: half a character"),
        (f"a: 1\nb: {'1' * 5000}\nc: 1\n", "params, line 2: a number of 5000 digits"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(text, message):
    with pytest.raises(UserError) as refused:
        parse_yaml(text, name="params")
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor():
    """Expanded, it would have a billion entries."""
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(UserError, match=r"^params, line 1: anchors"):
        parse_yaml("\n".join(["a0: &a0 lol", *levels]), name="params")


def test_a_file_that_is_not_utf_8_or_missing_is_named(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(UserError, match=r"params\.yaml: no such file or folder"):
        read_yaml(path)
    path.write_bytes("a: ü".encode("latin-1"))
    with pytest.raises(UserError, match=r"params\.yaml: not UTF-8 \(byte 4\)"):
        read_yaml(path)


def test_an_override_replaces_single_values_and_reads_text_as_yaml(tmp_path):
    """`snakemake --config train={"epochs":3}` gives the number as text."""
    path = tmp_path / "params.yaml"
    path.write_text(
        "corpus: demo\ntrain: {epochs: 100, seeds: [0], crnn: {dropout: 0.1, gru: true}}"
    )
    overrides = {"train": {"epochs": "3", "seeds": ["1", "2"], "crnn": {"dropout": "1e-1"}}}
    assert read_params(path, overrides) == {
        "corpus": "demo",
        "train": {"epochs": 3, "seeds": [1, 2], "crnn": {"dropout": 0.1, "gru": True}},
    }
    with pytest.raises(UserError, match=r"^--config train epochs, line 1: unclear value 010"):
        read_params(path, {"train": {"epochs": "010"}})


def test_a_configfile_replaces_single_values_and_its_quoted_text_stays_text(tmp_path):
    """A corpus may have a number as its name."""
    path, *others = (tmp_path / name for name in ("params.yaml", "one.yaml", "two.yaml"))
    path.write_text("corpus: demo\ntrain: {epochs: 100, seeds: [0]}")
    others[0].write_text("corpus: '2024'\ntrain: {epochs: 5}")
    others[1].write_text("train: {seeds: [1]}")
    expected = {"corpus": "2024", "train": {"epochs": 5, "seeds": [1]}}
    assert read_params(path, configfiles=others) == expected
    others[1].write_text("train: {epochs: 7, seeds: [1]}")  # the later file replaces the earlier
    assert read_params(path, configfiles=others)["train"] == {"epochs": 7, "seeds": [1]}
    others[1].write_text("- 1")
    with pytest.raises(UserError, match=r"two\.yaml: expected a mapping"):
        read_params(path, configfiles=others)


def test_params_must_be_a_mapping(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("- 1\n")
    with pytest.raises(UserError, match="expected a mapping"):
        read_params(path)


def test_options_are_read_like_params():
    assert read_options(["a=1e-3", "b=null", "c=text"]) == {"a": 0.001, "b": None, "c": "text"}
    with pytest.raises(UserError, match=r"^option a, line 1: unclear value \.nan"):
        read_options(["a=.nan"])
    with pytest.raises(UserError, match="expected name=value"):
        read_options(["a"])


SCHEMA = {"properties": {"n": {"type": "integer"}, "x": {"type": "number"}}}


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"n": 4.0}, "n"),
        ({"n": True}, "n"),
        ({"x": float("nan")}, "x"),
        ({"x": float("inf")}, "x"),
        ({"x": 10**400}, "x"),
        ({"x": -(10**400)}, "x"),
    ],
)
def test_a_float_is_no_integer_and_what_no_float_can_have_no_number(params, named):
    (fault,) = faults(params, SCHEMA, source="--config")
    assert fault.startswith(f"--config: {named}: ")
    assert "\n" not in fault
    assert faults({"n": 4, "x": 4}, SCHEMA) == []
