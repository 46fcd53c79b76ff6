"""What an index is: how documents are cut, by which model they are embedded, which edition of the corpus it holds."""

import hashlib

from pydantic import BaseModel, ConfigDict, Field

from knowledge.chunk import Chunking


class IndexSpec(BaseModel):
    """Equal specs make equal indexes of equal documents. `edition` counts corpora too different for one index."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedding: str
    chunking: Chunking = Chunking()
    edition: int = Field(default=1, ge=1)

    @property
    def id(self) -> str:
        """Model, size of chunk and eight digits of the digest of everything, as releases name the index."""
        digest = hashlib.sha256(self.model_dump_json(exclude={"edition"}).encode()).hexdigest()[:8]
        edition = f".{self.edition}" if self.edition > 1 else ""
        return f"{self.embedding}-{self.chunking.max_tokens}-{digest}{edition}"

    def beside(self, edition: int) -> "IndexSpec":
        """The same way of indexing for another edition of the corpus."""
        return self.model_copy(update={"edition": edition})
