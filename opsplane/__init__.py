"""The control plane: what runs, who allowed it, what it did, and how to undo it."""
