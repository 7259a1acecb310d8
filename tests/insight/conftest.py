"""The office for the tests of what is read across the rooms."""

from tests.fixtures.office import office

__all__ = ["office"]
