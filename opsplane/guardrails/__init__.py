"""Checks on what goes in and what comes out, each finding with its code, span and threshold."""
