"""What pydantic finds wrong with a file, in our words."""

from pydantic import BaseModel, ValidationError

_EXPECTED = {
    "missing": "a value",
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "letters, digits, spaces, dots, dashes and underscores",
    "value_error": "{error}",
}
"""What was expected, by pydantic's type of error."""


def first_problem(error: ValidationError, schema: type[BaseModel]) -> str:
    """The first mistake that pydantic found: its key, what was expected and what came."""
    first = error.errors()[0]
    # a value of several kinds adds the kind that was tried, as "list[float]", to its place
    place = [part for part in first["loc"] if isinstance(part, int) or part.isidentifier()]
    key = ".".join(f"item {part + 1}" if isinstance(part, int) else part for part in place)
    if first["type"] == "extra_forbidden":
        section = schema.model_fields
        for part in first["loc"][:-1]:
            section = section[str(part)].annotation.model_fields  # type: ignore[union-attr]
        return f"{key}: unknown key; expected some of {', '.join(section)}"
    got = "nothing" if first["type"] == "missing" else repr(first["input"])
    expected = _EXPECTED[first["type"]].format(**first.get("ctx", {}))
    return f"{key}: expected {expected}, got {got}"
