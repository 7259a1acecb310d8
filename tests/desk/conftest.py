"""The office for every test of the desk."""

from tests.fixtures.office import office

__all__ = ["office"]
