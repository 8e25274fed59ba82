"""
The part of JSON Schema 2020-12 that openapi.yaml uses, and openapi.yaml itself.

A keyword that is not known here is an error rather than ignored, so that the description cannot say more than is
checked.
"""

import datetime
import functools
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ANNOTATIONS = {"description", "example", "examples", "default", "title"}


@functools.lru_cache(maxsize=None)
def openapi():
    # CSafeLoader is the same reader in C, where it was built.
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        """A key that stands twice is an error: readers differ in which one they take."""

    def mapping(loader, node):
        keys = [loader.construct_object(key) for key, _ in node.value]
        repeated = {key for key in keys if keys.count(key) > 1}
        if repeated:
            raise ValueError(f"{repeated} stands twice in the mapping at line {node.start_mark.line + 1}")
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return yaml.load((ROOT / "openapi.yaml").read_text(encoding="utf-8"), Loader=Loader)


def resolve(node):
    """Follows $ref within the document."""
    while isinstance(node, dict) and "$ref" in node:
        target = openapi()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _is_type(value, name):
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}[name])


def _same(a, b):
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _is_format(value, name):
    try:
        if name == "date":
            datetime.date.fromisoformat(value)
        elif name == "date-time":
            datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
        elif name == "uri":
            return re.match(r"^[a-z]+:", value) is not None
        else:
            raise KeyError(name)
    except ValueError:
        return False
    return True


def _check_object(schema, value, where):
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}: {name} is missing"
    if len(value) < schema.get("minProperties", 0):
        yield f"{where}: fewer than {schema['minProperties']} members"
    rest = schema.get("additionalProperties", schema.get("unevaluatedProperties", True))
    for name, member in value.items():
        if "propertyNames" in schema:
            yield from errors(schema["propertyNames"], name, f"{where} name {name!r}")
        if name in properties:
            yield from errors(properties[name], member, f"{where}/{name}")
        elif rest is False:
            yield f"{where}: {name} is not described"
        elif rest is not True:
            yield from errors(rest, member, f"{where}/{name}")


def _check_array(schema, value, where):
    if len(value) < schema.get("minItems", 0):
        yield f"{where}: fewer than {schema['minItems']} items"
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{where}: more than {schema['maxItems']} items"
    for i, item in enumerate(value if "items" in schema else ()):
        yield from errors(schema["items"], item, f"{where}/{i}")


def _check_string(schema, value, where):
    if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
        yield f"{where}: length {len(value)}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if "format" in schema and not _is_format(value, schema["format"]):
        yield f"{where}: {value!r} is no {schema['format']}"


def _check_number(schema, value, where):
    if value < schema.get("minimum", value) or value > schema.get("maximum", value):
        yield f"{where}: {value} is out of range"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{where}: {value} is not above {schema['exclusiveMinimum']}"


def _check_combined(schema, value, where):
    for part in schema.get("allOf", ()):
        yield from errors(part, value, where)
    if "anyOf" in schema and all(any(True for _ in errors(part, value, where)) for part in schema["anyOf"]):
        yield f"{where}: matches none of anyOf"
    if "if" in schema and not any(True for _ in errors(schema["if"], value, where)):
        yield from errors(schema.get("then", {}), value, where)


KNOWN = ANNOTATIONS | {
    "$ref", "type", "enum", "const", "properties", "required", "additionalProperties", "unevaluatedProperties",
    "propertyNames", "minProperties", "items", "minItems", "maxItems", "minLength", "maxLength", "pattern", "format",
    "minimum", "maximum", "exclusiveMinimum", "allOf", "anyOf", "if", "then"}


def errors(schema, value, where=""):
    """Every way in which value breaks schema, as sentences."""
    schema = resolve(schema)
    if unknown := set(schema) - KNOWN:
        raise AssertionError(f"{where}: keywords that this reader does not know: {unknown}")
    names = schema.get("type", ())
    names = [names] if isinstance(names, str) else names
    if names and not any(_is_type(value, name) for name in names):
        yield f"{where}: {value!r:.100} is not of type {names}"
        return
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        yield f"{where}: {value!r:.100} is not in the enumeration"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{where}: {value!r:.100} is not {schema['const']!r}"
    yield from _check_combined(schema, value, where)
    if isinstance(value, dict):
        yield from _check_object(schema, value, where)
    elif isinstance(value, list):
        yield from _check_array(schema, value, where)
    elif isinstance(value, str):
        yield from _check_string(schema, value, where)
    elif _is_type(value, "number"):
        yield from _check_number(schema, value, where)


def operation(method, path):
    return openapi()["paths"][path][method.lower()]


def answer_errors(method, path, answer):
    """How an answer differs from what the operation describes: status, media type, headers, body."""
    described = operation(method, path)["responses"].get(str(answer.status))
    if described is None:
        return [f"{method} {path}: status {answer.status} is not described"]
    described = resolve(described)
    found = []
    for name, header in described.get("headers", {}).items():
        value = answer.header(name)
        if value is not None:
            schema = resolve(header)["schema"]
            typed = int(value) if schema.get("type") == "integer" and value.isdigit() else value
            found += errors(schema, typed, f"header {name}")
    content = described.get("content")
    if content is None:
        return found + ([f"{answer.status} should have no body"] if answer.body else [])
    if answer.media_type not in content:
        return found + [f"{method} {path}: media type {answer.media_type!r} is not described for {answer.status}"]
    if answer.media_type.endswith(("/json", "+json")):
        found += errors(content[answer.media_type]["schema"], answer.json)
    return found
