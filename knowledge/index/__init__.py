"""The stores in which a generation can be searched: one file per store."""
