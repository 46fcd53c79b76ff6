"""Sections while a text is read from top to bottom."""

from dataclasses import dataclass, field

from knowledge.document import Section


@dataclass
class Outline:
    """Lines gathered under the headings above them; `page` is the page that is being read, where there are pages."""

    page: int | None = None
    sections: list[Section] = field(default_factory=list)
    path: list[tuple[int, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def heading(self, level: int, title: str) -> None:
        """Close the section and open one under a new heading."""
        self.close()
        while self.path and self.path[-1][0] >= level:
            self.path.pop()
        if title:
            self.path.append((level, title))

    def turn(self, page: int) -> None:
        """Begin a page: its text is a section of its own, under the headings that still run."""
        if page != self.page:
            self.close()
            self.page = page

    def paragraph(self, text: str) -> None:
        """Add a paragraph, apart from what stands before and after it."""
        if text:
            self.lines += ["", text, ""]

    def close(self) -> list[Section]:
        """End the open section, if it holds text; all sections so far."""
        text = "\n".join(self.lines).strip()
        if text:
            path = tuple(title for _, title in self.path)
            self.sections.append(Section(path=path, text=text, page=self.page))
        self.lines = []
        return self.sections
