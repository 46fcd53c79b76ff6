"""The product for the range."""

from tests.assistant.conftest import app, settings

__all__ = ["app", "settings"]
