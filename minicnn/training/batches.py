"""How an epoch is cut into batches."""


def cut(inputs: int, size: int) -> list[slice]:
    """The places of each batch among so many inputs.

    All batches are of `size`, but for the last, which may be smaller. A last input that would be
    alone joins the batch before it: the variance that batch norm takes of one row is 0. A batch is
    of one input only where `size` is 1 or there is one input.

    Parameters
    ----------
    inputs, size : int >= 1

    Returns
    -------
    list of slice

    Examples
    --------
    >>> cut(33, 16)
    [slice(0, 16, None), slice(16, 33, None)]
    """
    alone = 1 < size < inputs and inputs % size == 1
    starts = range(0, inputs - alone, size)
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], inputs], strict=True)]
