"""Attacks through the real turn, against a model that obeys them all."""
