"""The bank's documents: parsed, cut into chunks, indexed in immutable generations and searched."""
