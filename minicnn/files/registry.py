"""From a name and settings, as they stand in a file, to the object that they describe."""

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from minicnn.errors import InputError

T = TypeVar("T")


def complete(kind: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """`settings` and, for those that are not given, the defaults of `kind`'s constructor.

    A default of None, which no file can hold, is left out.
    """
    defaults = {
        key: parameter.default for key, parameter in inspect.signature(kind).parameters.items()
        if parameter.default not in (parameter.empty, None)
    }
    return {**defaults, **settings}


def build(
    table: Mapping[str, type[T]], name: Any, settings: Mapping[str, Any], where: str, *first: Any
) -> T:
    """The object of the class that `table` has under `name`, made with `settings`.

    Parameters
    ----------
    table : mapping of str to class
        The names that may be used.
    name : str
        Which class.
    settings : mapping of str to value
        Keyword arguments of its constructor.
    where : str
        The place that the settings come from, for the error messages.
    *first
        The constructor's first arguments, which are not settings.

    Raises
    ------
    InputError
        For an unknown name or setting, a missing one, or a value that the constructor refuses.
    """
    if not isinstance(name, str) or name not in table:
        got = "nothing" if name is None else repr(name)
        raise InputError(f"{where}: expected one of {', '.join(table)}, got {got}")
    known = dict(list(inspect.signature(table[name]).parameters.items())[len(first) :])
    for key in settings:
        if key not in known:
            raise InputError(
                f"{where}: {name} has no setting {key!r}; expected some of "
                f"{', '.join(known) or 'none at all'}"
            )
    for key, parameter in known.items():
        if parameter.default is parameter.empty and key not in settings:
            raise InputError(f"{where}: {name} needs the setting {key!r}")
    try:
        return table[name](*first, **settings)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}") from error
