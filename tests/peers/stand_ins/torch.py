"""Stands in for torch, which SDK 6.6 imports and SN1's text protocol never uses.

The SDK inherits from, annotates with and lists names of torch while it is imported. Here each of
them is an empty class. Put this folder on PYTHONPATH; the real torch is 6 GB.
"""


class _Name(type):
    """The names below a name: `torch.nn.Module` is a class as well."""

    def __getattr__(cls, name: str) -> "_Name":
        return _named(name)


def _named(name: str) -> _Name:
    if name.startswith("__"):
        # Python asks modules and classes for many of these, and means it when there are none.
        raise AttributeError(name)
    return _Name(name, (), {})


def __getattr__(name: str) -> _Name:
    return _named(name)
