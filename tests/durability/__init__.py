"""Durability: what was acknowledged outlives the process, the power and the disk's bad days."""
