"""The office, for what people do needs a desk around it."""

from tests.fixtures.office import office

__all__ = ["office"]
