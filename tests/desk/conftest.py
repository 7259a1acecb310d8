"""The office and the hall for every test of the desk."""

from tests.fixtures.office import office
from tests.fixtures.visits import hall

__all__ = ["hall", "office"]
