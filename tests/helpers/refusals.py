"""Calls that must be refused."""

from collections.abc import Callable

import pytest


def assert_refused(call: Callable[[], object], kind: type[Exception], message: str) -> None:
    """The call raises an error of this kind whose message begins so."""
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(message)
