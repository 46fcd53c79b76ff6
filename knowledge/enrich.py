"""What a chunk defines and what it refers to, told beside its text."""

from knowledge import references, terms
from knowledge.chunk import Chunk
from knowledge.document import Section
from knowledge.references import Titles

MOST = 20
"""Terms and references of one chunk that are told."""
_INSIDE = ("here", "comment")


def enriched(chunk: Chunk, titles: Titles) -> Chunk:
    """The chunk with the terms that it defines, and the documents and citations outside its own that it refers to."""
    defined = terms.defined(Section(path=chunk.section, text=chunk.text))
    found = (one.target for one in references.found(chunk.text, titles))
    outside = dict.fromkeys(one for one in found if one not in (*_INSIDE, chunk.document_id))
    named = dict.fromkeys(one.term for one in defined)
    return chunk.model_copy(update={"defines": tuple(named)[:MOST], "refers": tuple(outside)[:MOST]})
