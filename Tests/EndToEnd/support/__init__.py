"""The clients that the end-to-end suite holds the program with; none of them knows its sources."""

import pkgutil

import pytest

# What fails here shows its values, as it does in a test.
pytest.register_assert_rewrite(
    *(f"{__name__}.{part.name}" for part in pkgutil.iter_modules(__path__))
)
