from tests.work.desk import desk

__all__ = ["desk"]
