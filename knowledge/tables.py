"""The tables of the catalogue: documents, chunks, indexes and their generations in SQLite."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

METADATA = MetaData()

INDEXES = Table(
    "indexes",
    METADATA,
    Column("id", String, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("made", Float, nullable=False),
    Column("retired", Float),
)
"""How documents are cut and embedded, once for each index that was ever built; times are seconds since 1970."""

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("fingerprint", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("body", Text, nullable=False),
)
"""Every version of a document that was ever indexed, whole, by the hash of all of it."""

CHUNKS = Table(
    "chunks",
    METADATA,
    Column("id", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("terms", Text, nullable=False),
)
"""Every chunk that was ever indexed, with the stems that the lexical index reads of it."""

CUTS = Table(
    "cuts",
    METADATA,
    Column("index", ForeignKey("indexes.id"), primary_key=True),
    Column("fingerprint", ForeignKey("documents.fingerprint"), primary_key=True),
    Column("chunks", Text, nullable=False),
)
"""What a document was cut into for an index: chunk ids in reading order, each with the hashes of its windows."""

GENERATIONS = Table(
    "generations",
    METADATA,
    Column("name", String, primary_key=True),
    Column("index", ForeignKey("indexes.id"), nullable=False),
    Column("number", Integer, nullable=False, unique=True),
    Column("fingerprint", String, nullable=False),
    Column("documents", Text, nullable=False),
    Column("base", String, nullable=False),
    Column("made", Float, nullable=False),
)
"""Immutable states of an index: which documents it holds, by name and fingerprint."""

SERVED = Table(
    "served",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("index", ForeignKey("indexes.id"), nullable=False),
    Column("generation", ForeignKey("generations.name"), nullable=False),
    Column("since", Float, nullable=False),
    Column("why", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Which generation an index served since when: the last row of an index is its pointer, the others its history."""

Index("served_by_index", SERVED.c.index, SERVED.c.number)

VECTORS = Table(
    "vectors",
    METADATA,
    Column("model", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("spans", LargeBinary),
)
"""Vectors of texts, each computed once, and of their sentences where the model tells them."""

HELD = Table(
    "held",
    METADATA,
    Column("origin", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
)
"""The document that a file held when it was last read, by where people find the file."""

STUDIED = Table(
    "studied",
    METADATA,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("body", Text, nullable=False),
)
"""What was learnt by comparing documents, by the hash of what it was learnt from."""

READ = Table(
    "read",
    METADATA,
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("notes", Text, nullable=False),
)
"""What became of a file: the hash of its name, bytes and parser, and the document that it holds."""
