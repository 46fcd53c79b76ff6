"""HTML pages: what a reader of the page would see, under its headings; nothing is followed and nothing runs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from knowledge import table
from knowledge.encoding import decode
from knowledge.outline import Outline
from knowledge.reading import Reading, counted
from knowledge.unseen import colour, conceals, declarations, hiding

_UNSEEN = frozenset(
    {"script", "style", "template", "noscript", "iframe", "frame", "object", "embed", "svg", "canvas", "audio"}
    | {"video", "head", "nav", "footer", "select", "textarea", "button", "input", "datalist", "dialog"}
)
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset"}
    | {"figcaption", "figure", "form", "header", "html", "legend", "li", "main", "ol", "p", "pre", "section"}
    | {"summary", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "ul", "hr"}
    | {"h1", "h2", "h3", "h4", "h5", "h6"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ADDRESS = re.compile(r"https?://[^\s<>\"']{1,280}")
_SAVED = re.compile(r"<!-- saved from url=\(\d+\)(https?://[^\s<>\"']{1,280}) -->")
_META = "opsplane:"
_WIDEST, _HIGHEST, _METAS = 60, 1_000, 40
_TITLE = 200
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}["']?([\w-]{1,40})""", re.IGNORECASE)


def charset(data: bytes) -> str:
    """The encoding that a page declares in its first two kilobytes; "" for none."""
    declared = _DECLARED.search(data[:2048])
    return declared[1].decode("ascii") if declared else ""


def page(data: bytes) -> Reading:
    """A page's bytes, in the encoding that it declares or that can be told. Raises `Unfit`."""
    text, notes = decode(data, charset(data))
    reading = html(text)
    return Reading(reading.sections, reading.fields, [*notes, *reading.notes])


def html(text: str) -> Reading:
    """The visible text, and as fields, unchecked, what `<meta name="opsplane:…">`, title and address tell."""
    tree = LexborHTMLParser(text)
    fields: dict[str, str | None] = {}
    for node in tree.css(f"meta[name^='{_META}']")[:_METAS]:
        fields[(node.attributes.get("name") or "").removeprefix(_META)] = node.attributes.get("content") or None
    title = tree.css_first("title")
    fields["title"] = fields.get("title") or (_joined([title.text(deep=True)])[:_TITLE] if title else "") or None
    fields["source"] = fields.get("source") or _address(tree, text) or None
    if tree.body is None:
        return Reading([], fields)
    sheet = "\n".join(node.text(deep=True) for node in tree.css("style"))
    page = _Page(hiding(sheet) if sheet else frozenset(), _layouts(tree.body))
    page.read(tree.body)
    notes = [f"{counted(page.hidden, 'piece')} of hidden text left out"] if page.hidden else []
    return Reading(page.outline.close(), fields, notes)


def _address(tree: LexborHTMLParser, text: str) -> str:
    """Where a saved page came from, as far as it says so; only web addresses count."""
    places = (("link[rel='canonical']", "href"), ("meta[property='og:url']", "content"), ("base", "href"))
    for selector, attribute in places:
        node = tree.css_first(selector)
        address = (node.attributes.get(attribute) or "").strip() if node else ""
        if _ADDRESS.fullmatch(address):
            return address
    saved = _SAVED.search(text[:2048])
    return saved[1] if saved else ""


def _layouts(top: LexborNode) -> frozenset[int]:
    """Tables that only place things on the page: those that hold headings or other tables."""
    found: set[int] = set()
    tables: list[int] = []

    def enter(node: LexborNode) -> bool:
        if tables and (node.tag == "table" or node.tag in _HEADINGS):
            found.add(tables[-1])
        if node.tag == "table":
            tables.append(node.mem_id)
        return True

    def leave(node: LexborNode) -> None:
        if node.tag == "table":
            tables.pop()

    _walk(top, enter, leave)
    return frozenset(found)


def _walk(top: LexborNode, enter: Callable[[LexborNode], bool], leave: Callable[[LexborNode], None]) -> None:
    """Every node from top to bottom, without recursion: pages may nest deeper than Python calls.

    What `enter` answers with False is neither walked through nor left.
    """
    node, depth = top, 0
    while True:
        entered = enter(node)
        child = node.first_child if entered else None
        if child is not None:
            node, depth = child, depth + 1
            continue
        if entered:
            leave(node)
        while depth and node.next is None:
            parent = node.parent
            if parent is None:
                return
            node, depth = parent, depth - 1
            leave(node)
        if not depth or node.next is None:
            return
        node = node.next


@dataclass
class _Page:
    """A page being read from top to bottom."""

    hiding: frozenset[str]
    layouts: frozenset[int]
    outline: Outline = field(default_factory=Outline)
    hidden: int = 0
    _loose: list[str] = field(default_factory=list)
    _lead: str = ""
    _heading: int = 0
    _rows: list[list[tuple[str, int, int]]] | None = None
    _colours: list[tuple[int, str, str]] = field(default_factory=list)

    def read(self, body: LexborNode) -> None:
        """Put the blocks of the page into the outline."""
        _walk(body, self._enter, self._leave)
        self._flush()

    def _enter(self, node: LexborNode) -> bool:
        tag = node.tag or ""
        if tag == "-text":
            self._loose.append(node.text_content or "")
            return False
        if tag.startswith(("-", "!")) or tag in _UNSEEN:
            return False
        if tag == "br":
            self._loose.append("\n")
            return False
        if self._unseen(node):
            self.hidden += bool(node.text(deep=True).strip())
            return False
        if tag in _BLOCKS:
            self._open(node, tag)
        return True

    def _open(self, node: LexborNode, tag: str) -> None:
        """Begin a block; inside a heading or a cell blocks are only spaces."""
        self._flush()
        if tag in _HEADINGS and self._rows is None:
            self._heading = self._heading or _HEADINGS[tag]
        elif tag == "li":
            self._lead = "- "
        elif tag == "table" and node.mem_id not in self.layouts:
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if self._colours and self._colours[-1][0] == node.mem_id:
            self._colours.pop()
        if tag not in _BLOCKS:
            return
        if tag in _HEADINGS and self._heading and self._rows is None:
            title, level, self._heading = self._taken(), self._heading, 0
            self.outline.heading(level, title)
        elif self._rows is not None:
            self._leave_table(node, tag, self._rows)
        else:
            self._flush()
            self._lead = "" if tag == "li" else self._lead

    def _leave_table(self, node: LexborNode, tag: str, rows: list[list[tuple[str, int, int]]]) -> None:
        if tag in ("td", "th") and rows:
            spans = (_span(node, "colspan", _WIDEST), _span(node, "rowspan", _HIGHEST))
            rows[-1].append((self._taken(), *spans))
        elif tag == "caption":
            self.outline.paragraph(self._taken())
        elif tag == "table":
            self._rows, self._loose = None, []
            self.outline.lines += ["", *table.markdown(_grid(rows)), ""]

    def _flush(self) -> None:
        """End a paragraph, or an item of a list."""
        if self._heading or self._rows is not None:
            self._loose.append(" ")
            return
        text = self._taken()
        if text and self._lead:
            self.outline.lines.append(f"{self._lead}{text}")
            self._lead = ""
        else:
            self.outline.paragraph(text)

    def _taken(self) -> str:
        text, self._loose = _joined(self._loose), []
        return text

    def _unseen(self, node: LexborNode) -> bool:
        """Whether attributes, styles or its colours hide an element."""
        attributes = node.attributes
        if not attributes:
            return False
        if "hidden" in attributes or (attributes.get("aria-hidden") or "").lower() == "true":
            return True
        if self.hiding and not self.hiding.isdisjoint(_selectors(attributes)):
            return True
        style = declarations(attributes.get("style") or "")
        return conceals(style) or self._same_colour(node, style, attributes)

    def _same_colour(self, node: LexborNode, style: dict[str, str], attributes: Mapping[str, str | None]) -> bool:
        """Whether letters have the colour of what they stand on, as far as the page itself says both."""
        front = style.get("color") or (attributes.get("color") or "").lower()
        back = style.get("background-color") or style.get("background") or (attributes.get("bgcolor") or "").lower()
        if not front and not back:
            return False
        _, above, behind = self._colours[-1] if self._colours else (0, "", "")
        state = (node.mem_id, colour(front) if front else above, colour(back) if back else behind)
        if state[1] and state[1] == state[2]:
            return True
        self._colours.append(state)
        return False


def _selectors(attributes: Mapping[str, str | None]) -> list[str]:
    """What simple rules of a style sheet may call an element."""
    classes = [f".{name}" for name in (attributes.get("class") or "").split()]
    return [*classes, f"#{attributes['id']}"] if attributes.get("id") else classes


def _span(node: LexborNode, name: str, most: int) -> int:
    text = (node.attributes.get(name) or "1").strip()
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _grid(rows: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """Cells in their columns: text that spans rows stands in each of them, text that spans columns once."""
    grid: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}
    cells = 0
    for row in rows:
        line: list[str] = []
        for text, wide, high in [*row, ("", 0, 0)]:
            while len(line) in hanging:
                left, held = hanging.pop(len(line))
                if left > 1:
                    hanging[len(line)] = (left - 1, held)
                line.append(held)
            for column in range(wide):
                if high > 1:
                    hanging[len(line)] = (high - 1, "" if column else text)
                line.append("" if column else text)
        cells += len(line)
        table.refuse_size(cells)
        grid.append(line)
    return grid


def _joined(loose: list[str]) -> str:
    return " ".join("".join(loose).split())
