"""Writing a file of stamped pages while they come: fonts once, a page at a time, no page kept.

PDF 1.7 with object streams and a cross-reference stream (ISO 32000-1, 7.5.7 and 7.5.8), marked as
PDF/A-2u (ISO 19005-2): fonts embedded with their letters, sRGB as output intent, metadata, an
identifier. Nothing here checks that a page keeps to PDF/A; WeasyPrint's pages and ours do.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import IO, Final

from app.core.stamp.letters import Letters
from app.core.stamp.objects import REFERENCE, Drawn, Family, packed, untagged
from app.core.stamp.structure import Structure, remarked

#: numbers given out before the first page
_CATALOGUE, _PAGES, _INFO, _TREE, _DOCUMENT, _PARENTS = 1, 2, 3, 4, 5, 6
_METADATA, _PROFILE, _RESOURCES = 7, 8, 9
_FIRST_FREE: Final = 10
DOCUMENT: Final = b"%07d" % _DOCUMENT
#: pages below one node of the tree of pages
_BRANCH: Final = 100
_LEVEL: Final = 6
#: pages whose objects share an object stream
_TOGETHER: Final = 16
_IN_FILE, _IN_STREAM = b"\x01", b"\x02"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page to be written: its box, its content in parts, and its structure where it is tagged."""

    media: bytes
    #: the part every page of a form shares, stored once; then the page's own
    shared: bytes
    own: bytes
    structure: Structure | None


class Book:
    """A file being written. `close` must be called; what it returns is the number of pages."""

    def __init__(self, file: IO[bytes], letters: Letters, *, title: str, tagged: bool) -> None:
        self._file = file
        self._letters = letters
        self._title = title
        self._tagged = tagged
        self._place = 0
        #: rows of seven bytes of the cross-reference stream
        self._rows = bytearray(7 * _FIRST_FREE)
        self._next = _FIRST_FREE
        self._digest = hashlib.sha256()
        self._branches: list[int] = []
        self._branch: list[int] = []
        self._branch_number = 0
        self._count = 0
        self._shared: dict[bytes, int] = {}
        self._roots = array("I")
        self._parents = array("I")
        self._states: dict[bytes, bytes] = {}
        #: objects that wait for an object stream: their bytes, first numbers and counts, places
        self._waiting: list[bytes] = []
        self._waiting_rows: list[tuple[int, int]] = []
        self._waiting_length = 0
        self._index: list[bytes] = []
        self._write(b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n")

    # Pages

    def add(self, sheets: Sequence[Sheet]) -> None:
        """Write a stamped page of one view, or of several drawn one after the other."""
        contents = []
        for sheet in sheets:
            # Each view begins as if the page were empty: its own state, put back at its end.
            if len(sheets) > 1:
                contents.append(self._common(b"q"))
            if sheet.shared:
                contents.append(self._common(sheet.shared))
            contents.append(self._stream(b"", sheet.own))
            if len(sheets) > 1:
                contents.append(self._common(b"Q"))
        structure = sheets[0].structure if self._tagged else None
        self._page(sheets[0].media, contents, b"%d 0 R" % _RESOURCES, structure)

    def _common(self, content: bytes) -> int:
        if content not in self._shared:
            self._shared[content] = self._stream(b"", content)
        return self._shared[content]

    def learn_states(self, states: bytes) -> None:
        """Add the graphic states a form's pages name."""
        for part in states.strip(b"<>").split(b">>"):
            name, _, value = part.partition(b" <<")
            if name.startswith(b"/"):
                self._states[name] = value

    def add_drawn(self, drawn: Drawn, structures: Sequence[Structure | None]) -> None:
        """Write all pages of a document of WeasyPrint with what they need."""
        known: dict[int, int] = {}
        for page, structure in zip(drawn.pages, structures, strict=True):
            resources = int(_after(drawn.objects[page.number][0], b"/Resources"))
            self._copy(drawn, resources, known)
            marks = structure.marks if self._tagged and structure else None
            content = untagged(page.content) if marks is None else remarked(page.content, marks)
            content_number = self._stream(b"", content)
            self._page(
                page.media,
                [content_number],
                b"%d 0 R" % known[resources],
                structure if self._tagged else None,
            )

    def _copy(self, drawn: Drawn, number: int, known: dict[int, int]) -> None:
        """Copy an object and all it refers to."""
        order, queue = [], [number]
        while queue:
            one = queue.pop()
            if one in known:
                continue
            known[one] = self._take()
            order.append(one)
            queue += [int(hit[1]) for hit in REFERENCE.finditer(drawn.objects[one][0])]
        for one in order:
            head, stream = packed(*drawn.objects[one])
            moved = REFERENCE.sub(lambda hit: b"%d 0 R" % known[int(hit[1])], head)
            self._object(known[one], moved, stream)

    def _page(
        self, media: bytes, contents: list[int], resources: bytes, structure: Structure | None
    ) -> None:
        if not self._branch:
            self._branch_number = self._take()
            self._branches.append(self._branch_number)
        count = structure.count if structure else 0
        page = self._take(2 + count) if structure else self._take()
        head = b"<</Type/Page/Parent %d 0 R/MediaBox%s/Contents[%s]/Resources %s" % (
            self._branch_number,
            media,
            b" ".join([b"%d 0 R" % content for content in contents]),
            resources,
        )
        if structure is None:
            self._packed(page, [head + b">>"])
        else:
            self._tagged_page(page, head, structure)
        self._branch.append(page)
        self._count += 1
        if len(self._branch) == _BRANCH:
            self._end_branch()

    def _tagged_page(self, page: int, head: bytes, structure: Structure) -> None:
        first = page + 2
        text = structure.text % tuple([first + number for number in structure.numbers])
        marked = b"[" + b" ".join([b"%d 0 R" % (first + one) for one in structure.marked]) + b"]"
        head += b"/Tabs/S/StructParents %d>>" % self._count
        self._packed(page, [head, marked], text, structure.starts)
        self._roots.extend([first + root for root in structure.roots])
        self._parents.append(page + 1)

    def _end_branch(self) -> None:
        kids = b" ".join([b"%d 0 R" % page for page in self._branch])
        self._object(
            self._branch_number,
            b"<</Type/Pages/Parent %d 0 R/Kids[%s]/Count %d>>" % (_PAGES, kids, len(self._branch)),
        )
        self._branch = []

    # The end

    def close(self) -> int:
        """Write what all pages share, and the table of all objects."""
        self._pack()
        if self._branch:
            self._end_branch()
        kids = b" ".join([b"%d 0 R" % branch for branch in self._branches])
        self._object(_PAGES, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, self._count))
        fonts = b"".join(
            [
                b"/%s %d 0 R" % (name.encode(), self._family(family))
                for name, family in self._letters.families.items()
            ]
        )
        states = b"".join([b"%s <<%s>>" % state for state in sorted(self._states.items())])
        self._object(_RESOURCES, b"<</Font<<%s>>/ExtGState<<%s>>>>" % (fonts, states))
        title = b"\xfe\xff" + self._title.encode("utf-16-be")
        self._object(_INFO, b"<</Title<%s>/Producer(So Thu)>>" % title.hex().encode())
        self._object(_METADATA, b"<</Type/Metadata/Subtype/XML>>", _metadata(self._title))
        self._stream(b"/N 3", _profile(), level=9, number=_PROFILE)
        tags = b""
        if self._tagged:
            self._end_tree()
            tags = b"/StructTreeRoot %d 0 R/MarkInfo<</Marked true>>" % _TREE
        else:
            for number in (_TREE, _DOCUMENT, _PARENTS):
                self._object(number, b"null")
        name = b"sRGB IEC61966-2.1"
        self._object(
            _CATALOGUE,
            b"<</Type/Catalog/Pages %d 0 R/Lang(vi)/ViewerPreferences<</DisplayDocTitle true>>"
            b"/Metadata %d 0 R/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1"
            b"/OutputConditionIdentifier(%s)/Info(%s)/DestOutputProfile %d 0 R>>]%s>>"
            % (_PAGES, _METADATA, name, name, _PROFILE, tags),
        )
        self._end_table()
        return self._count

    def _end_tree(self) -> None:
        self._object(
            _TREE,
            b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree %d 0 R/ParentTreeNextKey %d>>"
            % (_DOCUMENT, _PARENTS, self._count),
        )
        roots = b" ".join([b"%d 0 R" % root for root in self._roots])
        self._object(_DOCUMENT, b"<</Type/StructElem/S/Document/P %d 0 R/K[%s]>>" % (_TREE, roots))
        rows = b" ".join([b"%d %d 0 R" % row for row in enumerate(self._parents)])
        self._object(_PARENTS, b"<</Nums[%s]>>" % rows)

    def _end_table(self) -> None:
        number = self._take()
        self._row(number, _IN_FILE, self._place, 0)
        self._rows[:7] = b"\x00\x00\x00\x00\x00\xff\xff"
        mark = self._digest.hexdigest()[:32].encode()
        packed = zlib.compress(bytes(self._rows), 6)
        start = self._place
        self._write(
            b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]"
            b"/Filter/FlateDecode/Length %d>>stream\n"
            % (number, self._next, _CATALOGUE, _INFO, mark, mark, len(packed))
        )
        self._write(packed)
        self._write(b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start)

    # Objects

    def _take(self, count: int = 1) -> int:
        number = self._next
        self._next += count
        self._rows += bytes(7 * count)
        return number

    def _row(self, number: int, kind: bytes, place: int, index: int) -> None:
        row = kind + place.to_bytes(4, "big") + index.to_bytes(2, "big")
        self._rows[7 * number : 7 * number + 7] = row

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._place += len(data)

    def _object(self, number: int, head: bytes, stream: bytes | None = None) -> None:
        self._row(number, _IN_FILE, self._place, 0)
        if stream is None:
            self._write(b"%d 0 obj\n%s\nendobj\n" % (number, head))
            return
        head = head.removesuffix(b">>").split(b"/Length ")[0]
        self._write(
            b"%d 0 obj\n%s/Length %d>>stream\n%s\nendstream\nendobj\n"
            % (number, head, len(stream), stream)
        )

    def _stream(self, extra: bytes, data: bytes, *, level: int = _LEVEL, number: int = 0) -> int:
        number = number or self._take()
        packed = zlib.compress(data, level)
        self._digest.update(packed)
        self._row(number, _IN_FILE, self._place, 0)
        self._write(
            b"%d 0 obj\n<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream\nendobj\n"
            % (number, extra, len(packed), packed)
        )
        return number

    def _packed(
        self, first: int, heads: list[bytes], more: bytes = b"", starts: tuple[int, ...] = ()
    ) -> None:
        """Keep objects numbered on from `first` for the next object stream.

        `more` holds many of them, at `starts`. Those of some pages together are deflated to half
        of what they take one by one.
        """
        at = self._waiting_length
        places = []
        for head in heads:
            places.append(at)
            at += len(head) + 1
        places += [at + start for start in starts]
        self._index.append(b" ".join([b"%d %d" % row for row in enumerate(places, first)]))
        body = b"\n".join(heads) + b"\n" + more + b"\n"
        self._waiting.append(body)
        self._waiting_length += len(body)
        self._waiting_rows.append((first, len(places)))
        if len(self._waiting) == _TOGETHER:
            self._pack()

    def _pack(self) -> None:
        """Write the object stream that waits."""
        if not self._waiting:
            return
        holder = self._take()
        kind = _IN_STREAM + holder.to_bytes(4, "big")
        count = 0
        for first, length in self._waiting_rows:
            start = 7 * first
            self._rows[start : start + 7 * length] = kind + kind.join(
                [place.to_bytes(2, "big") for place in range(count, count + length)]
            )
            count += length
        index = b" ".join(self._index) + b"\n"
        packed_ = zlib.compress(index + b"".join(self._waiting), _LEVEL)
        self._row(holder, _IN_FILE, self._place, 0)
        self._write(
            b"%d 0 obj\n<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>stream\n"
            % (holder, count, len(index), len(packed_))
        )
        self._write(packed_)
        self._write(b"\nendstream\nendobj\n")
        self._waiting, self._waiting_rows, self._index = [], [], []
        self._waiting_length = 0

    def _family(self, family: Family) -> int:
        first = self._take(len(family.objects))
        for place, (head, stream) in enumerate(family.objects):
            moved = REFERENCE.sub(lambda hit: b"%d 0 R" % (first + int(hit[1])), head)
            self._object(first + place, moved, stream)
        return first


def _after(head: bytes, key: bytes) -> bytes:
    return head.partition(key)[2].split()[0]


def _metadata(title: str) -> bytes:
    return (
        '<?xpacket begin="\N{ZERO WIDTH NO-BREAK SPACE}" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
        ' xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="U"'
        f' pdf:Producer="So Thu"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}'
        "</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="r"?>'
    ).encode()


def _profile() -> bytes:
    """The sRGB profile WeasyPrint brings along."""
    from importlib.resources import files

    return (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()


__all__ = ["DOCUMENT", "Book", "Sheet"]
