"""A candidate beside stable: what the evidence says while it comes in, valid at every look."""
