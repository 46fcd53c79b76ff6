"""Google Cloud on this machine: one server of our own that speaks the real protocols, with faults on demand."""
