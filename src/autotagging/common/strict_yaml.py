"""Read YAML strictly: what two programs could read differently is an error that names the line.

PyYAML and Snakemake read YAML 1.1, DVC reads YAML 1.2: 010 is 8 for one and 10 for the other.
"""

import math
import re
from pathlib import Path
from typing import Any, ClassVar

import yaml
from yaml.constructor import ConstructorError

from autotagging.common.errors import UserError, reason

# Plain scalars of which YAML 1.1 and 1.2 agree, and numbers such as 1e-05.
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?(0|[1-9]\d*)")
_FLOAT = re.compile(r"[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_OCTAL = re.compile(r"0o[0-7]+")


class _Loader(yaml.SafeLoader):
    """SafeLoader without anchors, tags, repeated keys, and values that depend on the reader."""

    yaml_implicit_resolvers: ClassVar[dict] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise _refused("anchors and aliases (& and *) are not allowed", event.start_mark)
        if event.tag:
            raise _refused(f"the tag {event.tag} is not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        names = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key must be text", key.start_mark)
            if key.value in names:
                raise _refused(f"{key.value!r} appears twice", key.start_mark)
            names.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_str(self, node: yaml.ScalarNode) -> str:
        if node.style is None and _is_ambiguous(node.value):
            raise _refused(
                f"unclear value {node.value}; write a finite decimal number, true, false or null, "
                "or put text into quotes",
                node.start_mark,
            )
        if not node.value.isascii() and re.search("[\ud800-\udfff]", node.value):
            raise _refused(
                "half a character (a surrogate), which UTF-8 does not have", node.start_mark
            )
        return super().construct_yaml_str(node)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        try:
            return super().construct_yaml_int(node)
        except ValueError as error:
            raise _refused(f"a number of {len(node.value)} digits", node.start_mark) from error

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        value = super().construct_yaml_float(node)
        if not math.isfinite(value):
            raise _refused(f"{node.value} is not a finite number", node.start_mark)
        return value


for _tag, _pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT)):
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _whole, None)
_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.construct_yaml_str)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Returns
    -------
    content
        Dictionaries with text as keys, lists, text, finite numbers, true, false and None.

    Raises
    ------
    UserError
        The file can't be read, is not UTF-8, is not valid YAML, repeats a key, contains an anchor,
        an alias or a tag, half a character (a surrogate), or a value whose meaning depends
        on the program that reads it: 010, 1:30, yes, .nan, a date.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start + 1})") from error
    except OSError as error:
        raise UserError(f"{path}: {reason(error)}") from error
    return parse_yaml(text, name=str(path))


def parse_yaml(text: str, *, name: str) -> Any:
    """Read YAML from text; `name` is what an error calls it. See `read_yaml`."""
    try:
        loader = _Loader(text)
        node = compose(loader)
        return None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        if merge := re.search(r"^<{7} ", text, re.MULTILINE):
            line = text.count("\n", 0, merge.start()) + 1
            told = "marks of a merge that is not finished; keep one of the two versions"
            raise UserError(f"{name}, line {line}: {told}") from error
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{name}{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{name}: not valid YAML ({' '.join(str(error).split())})") from error


def compose(loader: yaml.SafeLoader) -> yaml.Node | None:
    """Parse a document to its nodes; what PyYAML does not foresee is an error with a line, too.

    Raises
    ------
    yaml.YAMLError
        The document is not valid YAML, has an escaped character that does not exist, or lists or
        mappings too deep inside each other.
    """
    try:
        return loader.get_single_node()
    except RecursionError as error:
        problem = "lists or mappings inside each other too deeply"
        raise _refused(problem, loader.get_mark()) from error
    except (ValueError, OverflowError) as error:
        raise _refused("a code after \\U that no character has", loader.get_mark()) from error


def _refused(problem: str, mark: yaml.Mark) -> ConstructorError:
    return ConstructorError(None, None, problem, mark)


def _is_ambiguous(value: str) -> bool:
    """Tell whether YAML 1.1 or 1.2 takes a plain scalar for something other than text."""
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers
    candidates = resolvers.get(value[:1], []) + resolvers.get(None, [])
    return _OCTAL.fullmatch(value) is not None or any(
        pattern.match(value) for _, pattern in candidates
    )
