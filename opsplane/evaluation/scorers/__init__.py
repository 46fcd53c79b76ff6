"""Scorers: one idea a file; `roster` knows them all by name."""
