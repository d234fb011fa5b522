"""Files that mean harm or are broken, each with the outcomes that are right for it.

An outcome is the reason of a Failure, or ``read``. CANARY must never be in what is read.
"""

from __future__ import annotations

import functools
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests import making
from tests.making import CONTAINER, Text, opf, zipped

WORDS = "The council met on Monday in the large hall and nobody left before midnight."
TEXT = Text("The council meets", [WORDS, WORDS], [("Country", "Seats"), ("Armenia", "107")])
CANARY = "CANARY7f3a"

REFUSED = frozenset(
    {"unreadable", "unsupported", "too_large", "encrypted", "no_text", "empty", "timed_out"}
)
ANY = REFUSED | {"read"}


class Hostile(NamedTuple):
    name: str  # of the file
    make: Callable[[], bytes]
    outcomes: frozenset[str]


def files() -> dict[str, Hostile]:
    """Every one by what is wrong with it."""
    found: dict[str, Hostile] = {}
    for maker in (bombs, entities, pdfs, broken, confused, deep, archives, mails, pages, sheets):
        for what, name, make, *outcomes in maker():
            assert what not in found, what
            found[what] = Hostile(name, make, frozenset(outcomes) or REFUSED)
    return found


Found = Iterator[tuple]  # type: ignore[type-arg]

DOCX, PPTX, XLSX, EPUB = making.docx, making.pptx, making.xlsx, making.epub
PACKAGES = {"docx": DOCX, "pptx": PPTX, "xlsx": XLSX, "epub": EPUB}
MAIN = {
    "docx": "word/document.xml",
    "pptx": "ppt/slides/slide1.xml",
    "xlsx": "xl/worksheets/sheet1.xml",
    "epub": "OEBPS/1.xhtml",
}


def changed(content: bytes, **parts: bytes | Callable[[bytes], bytes]) -> bytes:
    """The package with parts put in the place of others; ``/`` of a name is ``__`` here."""
    named = {name.replace("__", "/").replace("_dot_", "."): part for name, part in parts.items()}
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        whole: dict[str, bytes | str] = {name: old.read(name) for name in old.namelist()}
    for name, part in named.items():
        was = whole.get(name, b"")
        whole[name] = (
            part(was if isinstance(was, bytes) else was.encode()) if callable(part) else part
        )
    return zipped(whole)


def main_part(kind: str, change: Callable[[bytes], bytes]) -> bytes:
    return changed(
        PACKAGES[kind](TEXT), **{MAIN[kind].replace("/", "__").replace(".", "_dot_"): change}
    )


def bombs() -> Found:
    zeros = lambda: bytes(210 * 2**20)  # noqa: E731
    for kind in PACKAGES:
        make = PACKAGES[kind]
        yield (
            f"flat bomb in {kind}",
            f"a.{kind}",
            (lambda make=make: changed(make(TEXT), bomb=zeros())),
            "too_large",
        )
        yield (
            f"many parts in {kind}",
            f"a.{kind}",
            (lambda make=make: changed(make(TEXT), **{f"x{n}": b"" for n in range(2100)})),
            "too_large",
        )
        yield (
            f"overlapping parts in {kind}",
            f"a.{kind}",
            (lambda make=make: overlapping(make(TEXT))),
            "unreadable",
            "unsupported",
        )
        yield (
            f"lying size in {kind}",
            f"a.{kind}",
            (lambda make=make, kind=kind: lying(make(TEXT), MAIN[kind])),
            "unreadable",
        )
        yield (
            f"lzma part in {kind}",
            f"a.{kind}",
            (lambda make=make: repacked(make(TEXT), zipfile.ZIP_LZMA)),
            "unreadable",
        )
        yield (
            f"huge main part in {kind}",
            f"a.{kind}",
            (lambda kind=kind: main_part(kind, lambda part: part + b" " * 40 * 2**20)),
            *ANY,
        )
    yield "flat bomb in zip", "a.zip", lambda: zipped({"a.txt": zeros()}), "too_large"
    yield (
        "bomb of bzip2 in zip",
        "a.zip",
        (lambda: zipped({"a.txt": bytes(10 * 2**20)}, zipfile.ZIP_BZIP2)),
        "unreadable",
    )
    yield "nested bombs in zip", "a.zip", lambda: nested(6), "too_large"
    yield "a zip that holds itself, nearly", "a.zip", lambda: nested(3), "too_large"
    yield "one long line", "a.txt", lambda: b"x" * 20 * 2**20, *ANY
    yield "text of zeros", "a.txt", lambda: bytes(2**20), "unsupported"
    yield "a million line ends", "a.txt", lambda: b"\n" * 10**6, "empty"
    yield "combining marks", "a.txt", lambda: ("e" + "\u0301" * 10**6).encode(), "read"
    yield "a million headings", "a.md", lambda: b"# a\n" * 200_000, *ANY
    yield "unclosed brackets", "a.md", lambda: b"[" * 10**6, "read", "timed_out"
    yield "emphasis without end", "a.md", lambda: b"**a *b " * 200_000, "read", "timed_out"
    yield "quotes in quotes", "a.md", lambda: b">" * 10**6 + b" x", "read", "empty", "timed_out"
    yield "front matter of aliases", "a.md", laughing_yaml, "read", "unreadable"
    yield (
        "front matter that makes objects",
        "a.md",
        (
            lambda: (
                b"---\ntitle: !!python/object/apply:os.system ['touch pwned']\n---\n"
                + WORDS.encode()
            )
        ),
        "read",
    )


def nested(depth: int) -> bytes:
    content = zipped({"a.txt": WORDS})
    for _ in range(depth):
        content = zipped({"a.zip": content, "b.zip": content})
    return content


def overlapping(content: bytes) -> bytes:
    """Every entry of the directory names the first part's place."""
    raw, at = bytearray(content), 0
    while (at := raw.find(b"PK\x01\x02", at)) >= 0:
        raw[at + 42 : at + 46] = struct.pack("<I", 0)
        at += 4
    return bytes(raw)


def lying(content: bytes, name: str) -> bytes:
    """The directory says the part is 10 bytes long."""
    raw, at = bytearray(content), 0
    while (at := raw.find(b"PK\x01\x02", at)) >= 0:
        length = struct.unpack("<H", raw[at + 28 : at + 30])[0]
        if bytes(raw[at + 46 : at + 46 + length]) == name.encode():
            raw[at + 24 : at + 28] = struct.pack("<I", 10)
        at += 4
    return bytes(raw)


def repacked(content: bytes, method: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return zipped({name: old.read(name) for name in old.namelist()}, method)


def laughing_yaml() -> bytes:
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    return "\n".join(["---", *lines, "title: x", "---", WORDS]).encode()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
DECLARED = {
    "laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>',
    "file entity": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "file:///etc/hostname">]>',
    "network entity": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "http://127.0.0.1:9/x">]>',
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    "external subset": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    "quadratic": f'<!DOCTYPE x [<!ENTITY l11 "{"A" * 100_000}">]>',
}


def declaring(part: bytes, doctype: str) -> bytes:
    """The part with a document type, and the entity used where its first words stand."""
    text = part.decode()
    _, _, body = text.rpartition("?>") if text.startswith("<?xml") else ("", "", text)
    body = body.replace("<!DOCTYPE html>", "").replace("council", "&l11;" * 100, 1)
    return ("<?xml version='1.0'?>" + doctype + body).encode()


def entities() -> Found:
    for kind in PACKAGES:
        for what, doctype in DECLARED.items():
            right = ("unreadable",) if kind != "epub" or "ENTITY" in doctype else ANY
            yield (
                f"{what} in {kind}",
                f"a.{kind}",
                (
                    lambda kind=kind, doctype=doctype: main_part(
                        kind, lambda part: declaring(part, doctype)
                    )
                ),
                *right,
            )
    for what, doctype in DECLARED.items():
        yield (
            f"{what} in html",
            "a.html",
            (lambda doctype=doctype: declaring(making.page(TEXT), doctype)),
            *ANY,
        )
    yield (
        "entities of the book's package",
        "a.epub",
        lambda: changed(
            EPUB(TEXT), OEBPS__book_dot_opf=lambda part: declaring(part, DECLARED["laughs"])
        ),
        "unreadable",
    )
    yield (
        "xinclude in docx",
        "a.docx",
        lambda: main_part(
            "docx",
            lambda part: part.replace(
                b"<w:body>",
                b'<w:body><xi:include xmlns:xi="http://www.w3.org/2001/XInclude"'
                b' href="file:///etc/hostname" parse="text"/>',
            ),
        ),
        "read",
    )
    yield (
        "remote template in docx",
        "a.docx",
        lambda: changed(
            DOCX(TEXT),
            word___rels__settings_dot_xml_dot_rels=(
                b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                b'<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
                b'relationships/attachedTemplate" Target="http://127.0.0.1:9/t.dotm"'
                b' TargetMode="External"/></Relationships>'
            ),
        ),
        *ANY,
    )


def objects(*bodies: str, root: str = "1 0 R", rest: str = "") -> bytes:
    numbered = "".join(f"{i} 0 obj{body}endobj\n" for i, body in enumerate(bodies, start=1))
    return f"%PDF-1.4\n{numbered}trailer<</Root {root}{rest}>>\nstartxref\n9\n%%EOF".encode()


ROOT = "<</Type/Catalog/Pages 2 0 R>>"
PAGES = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = (
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
    "/Resources<</Font<</F1 5 0 R>>>>>>"
)
FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def stream(content: bytes, facts: str = "") -> str:
    return f"<</Length {len(content)}{facts}>>stream\n{content.decode('latin-1')}\nendstream "


def with_stream(content: bytes, facts: str = "", page: str = PAGE) -> bytes:
    body = objects(ROOT, PAGES, page, stream(b"@@", facts), FONT)
    return body.replace(b"/Length 2", b"/Length %d" % len(content)).replace(b"@@", content)


def pdfs() -> Found:
    import pypdf

    def secured(password: str, algorithm: str) -> bytes:
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(making.pdf(TEXT)))
        writer.encrypt(password, "owner", algorithm=algorithm)
        made = io.BytesIO()
        writer.write(made)
        return made.getvalue()

    show = b"BT /F1 12 Tf 50 700 Td (" + WORDS.encode() + b") Tj ET"
    cycles = {
        "a page tree that is its own child": objects(ROOT, "<</Type/Pages/Kids[2 0 R]/Count 1>>"),
        "two page trees in each other": objects(
            ROOT, "<</Type/Pages/Kids[3 0 R]/Count 2>>", "<</Type/Pages/Kids[2 0 R]/Count 2>>"
        ),
        "a count of pages that is absurd": objects(
            ROOT, "<</Type/Pages/Kids[3 0 R]/Count 99999999>>", "<</Type/Page/Parent 2 0 R>>"
        ),
        "a negative count": objects(
            ROOT, "<</Type/Pages/Kids[3 0 R]/Count -5>>", "<</Type/Page/Parent 2 0 R>>"
        ),
        "a catalog that is its pages": objects("<</Type/Catalog/Pages 1 0 R>>"),
        "no catalog": objects("<</Type/Nothing>>"),
        "cross references in a circle": objects(ROOT, PAGES, rest="/Prev 9"),
        "an object that is itself": objects("1 0 R"),
        "a length that is its stream": objects(
            ROOT, PAGES, PAGE, "<</Length 4 0 R>>stream\nendstream"
        ),
        "outlines in a circle": objects(
            "<</Type/Catalog/Pages 2 0 R/Outlines 3 0 R>>", "<</Type/Pages/Kids[]/Count 0>>",
            "<</First 4 0 R/Last 4 0 R>>", "<</Title(x)/Next 4 0 R/Parent 3 0 R>>",
        ),
    }  # fmt: skip
    for what, content in cycles.items():
        yield what, "a.pdf", lambda content=content: content, *REFUSED
    forms = {
        "a form that draws itself": PAGE.replace("/Font", "/XObject<</X 4 0 R>>/Font"),
        "absurd dimensions": PAGE.replace("600 800", "1e9 1e9"),
        "dimensions that are no numbers": PAGE.replace("600 800", "nan inf"),
        "dimensions backwards": PAGE.replace("0 0 600 800", "600 800 0 0"),
        "turned by an odd angle": PAGE.replace("/Contents", "/Rotate 45/Contents"),
    }
    for what, leaf in forms.items():
        facts = "/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<</X 4 0 R>>>>"
        use = facts if "itself" in what else ""
        yield (
            what,
            "a.pdf",
            (lambda leaf=leaf, use=use: with_stream(show + b" /X Do", use, leaf)),
            *ANY,
        )
    yield (
        "a bomb of deflate",
        "a.pdf",
        (lambda: with_stream(zlib.compress(bytes(300 * 2**20), 9), "/Filter/FlateDecode")),
        *ANY,
    )
    yield (
        "deflate five times",
        "a.pdf",
        lambda: with_stream(five_times(bytes(2**28)), f"/Filter[{'/FlateDecode' * 5}]"),
        *ANY,
    )
    yield (
        "hex in hex in hex",
        "a.pdf",
        (lambda: with_stream(show.hex().encode(), f"/Filter[{'/ASCIIHexDecode' * 500}]")),
        *ANY,
    )
    yield "a million operators", "a.pdf", lambda: with_stream(b"q " * 10**6 + show), *ANY
    yield "brackets without end", "a.pdf", lambda: with_stream(b"[" * 10**6), *ANY
    yield (
        "dictionaries without end",
        "a.pdf",
        (lambda: objects("<<" * 100_000 + "/Type/Catalog" + ">>" * 100_000)),
        *REFUSED,
    )
    yield (
        "ten thousand pages",
        "a.pdf",
        lambda: objects(
            ROOT, f"<</Type/Pages/Kids[{'3 0 R ' * 10_000}]/Count 10000>>", PAGE, stream(show), FONT
        ),
        "read",
        "no_text",
        "too_large",
        "unreadable",
    )
    yield "javascript when opened", "a.pdf", lambda: objects(
        f"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\('{CANARY}'\\))>>>>",
        PAGES, PAGE, stream(show), FONT,
    ), "read"  # fmt: skip
    yield "a program to launch", "a.pdf", lambda: objects(
        f"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/Launch/F({CANARY})>>>>",
        PAGES, PAGE, stream(show), FONT,
    ), "read"  # fmt: skip
    yield "an attachment", "a.pdf", lambda: objects(
        "<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a)6 0 R]>>>>>>",
        PAGES, PAGE, stream(show), FONT, "<</Type/Filespec/F(a)/EF<</F 7 0 R>>>>",
        stream(CANARY.encode(), "/Type/EmbeddedFile"),
    ), "read"  # fmt: skip
    for kind in ("RC4-40", "RC4-128", "AES-128", "AES-256"):
        locked_by = functools.partial(secured, "secret", kind)
        yield f"a password, {kind}", "a.pdf", locked_by, "encrypted"
        yield f"an owner's password, {kind}", "a.pdf", functools.partial(secured, "", kind), "read"
    for tenth in range(1, 10):
        yield (
            f"a PDF cut at {tenth}0 %",
            "a.pdf",
            (lambda tenth=tenth: cut(making.pdf(TEXT), tenth / 10)),
            *ANY,
        )
    yield "only a header", "a.pdf", lambda: b"%PDF-1.7\n", "unreadable"
    yield "a header and noise", "a.pdf", lambda: b"%PDF-1.7\n" + noise(5000), "unreadable"
    yield (
        "no page",
        "a.pdf",
        (lambda: objects(ROOT, "<</Type/Pages/Kids[]/Count 0>>")),
        "unreadable",
        "no_text",
    )


def five_times(content: bytes) -> bytes:
    for _ in range(5):
        content = zlib.compress(content, 9)
    return content


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def flipped(content: bytes, seed: int) -> bytes:
    raw, chance = bytearray(content), random.Random(seed)
    for _ in range(20):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


def broken() -> Found:
    for kind, make in PACKAGES.items():
        for share in (0.05, 0.5, 0.95):
            yield (
                f"{kind} cut at {share:.0%}",
                f"a.{kind}",
                (lambda make=make, share=share: cut(make(TEXT), share)),
                *REFUSED,
            )
        for seed in range(3):
            yield (
                f"{kind} with flipped bytes, {seed}",
                f"a.{kind}",
                (lambda make=make, seed=seed: flipped(make(TEXT), seed)),
                *ANY,
            )
        yield (
            f"{kind} without its main part",
            f"a.{kind}",
            (lambda make=make, kind=kind: without(make(TEXT), MAIN[kind])),
            "unreadable",
            "unsupported",
        )
        yield (
            f"{kind} with noise for its main part",
            f"a.{kind}",
            (lambda kind=kind: main_part(kind, lambda _: noise(2000))),
            *ANY,
        )
        yield (
            f"{kind} with nothing for its main part",
            f"a.{kind}",
            (lambda kind=kind: main_part(kind, lambda _: b"")),
            "unreadable",
            "no_text",
            "empty",
            "read",
        )
        yield f"{kind} in a locked package", f"a.{kind}", lambda: encrypted_office(), ("encrypted")
        yield (
            f"{kind} with locked parts",
            f"a.{kind}",
            (lambda make=make: locked(make(TEXT))),
            "encrypted",
        )
    yield (
        "a book under digital rights management",
        "a.epub",
        lambda: changed(
            EPUB(TEXT),
            **{
                "META-INF__encryption_dot_xml": (
                    b'<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
                    b'<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod'
                    b' Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></EncryptedData>'
                    b"</encryption>"
                )
            },
        ),
        "encrypted",
    )
    yield (
        "a book whose spine names nothing",
        "a.epub",
        lambda: changed(EPUB(TEXT), OEBPS__book_dot_opf=opf(TEXT, ["gone.xhtml"]).encode()),
        "unreadable",
    )
    yield (
        "a book whose page is elsewhere",
        "a.epub",
        lambda: changed(
            EPUB(TEXT), OEBPS__book_dot_opf=opf(TEXT, ["../../../etc/passwd"]).encode()
        ),
        "unreadable",
    )
    yield (
        "a book in a circle",
        "a.epub",
        lambda: changed(EPUB(TEXT), OEBPS__book_dot_opf=opf(TEXT, ["1.xhtml"] * 5000).encode()),
        "read",
    )
    yield (
        "a book without a package",
        "a.epub",
        lambda: zipped({"META-INF/container.xml": CONTAINER}),
        "unreadable",
    )
    for name in ("a.txt", "a.csv", "a.json", "a.html", "a.eml", "a.mbox", "a.zip", "a.pdf"):
        yield f"nothing in {name}", name, lambda: b"", "empty"
        yield f"one NUL in {name}", name, lambda: b"\0", *REFUSED
        yield f"noise in {name}", name, lambda: noise(3000), "unsupported", "unreadable"


def without(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return zipped({part: old.read(part) for part in old.namelist() if part != name})


def locked(content: bytes) -> bytes:
    raw = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := raw.find(magic, at)) >= 0:
            raw[at + offset] |= 1
            at += 4
    return bytes(raw)


def encrypted_office() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")


def confused() -> Found:
    contents = {
        "docx": lambda: DOCX(TEXT),
        "pdf": lambda: making.pdf(TEXT),
        "png": lambda: b"\x89PNG\r\n\x1a\n" + noise(500),
        "gzip": lambda: b"\x1f\x8b\x08" + noise(500),
        "program": lambda: b"\x7fELF" + noise(500),
        "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    }
    for what, make in contents.items():
        for name in ("a.txt", "a.xlsx", "a.csv", "a.json"):
            yield f"{what} named {name}", name, make, "unsupported", "unreadable"
    yield (
        "a page that is a PDF too",
        "a.html",
        lambda: b"<!DOCTYPE html><!--\n%PDF-1.4\n-->" + making.page(TEXT),
        *ANY,
    )
    yield (
        "a PDF that is a page too",
        "a.pdf",
        lambda: making.pdf(TEXT) + b"<html><script>alert(1)</script>",
        *ANY,
    )


def deep() -> Found:
    n = 100_000
    yield "lists in lists in json", "a.json", lambda: b"[" * n + b"]" * n, "unreadable"
    yield (
        "objects in objects in json",
        "a.json",
        lambda: b'{"a":' * n + b"1" + b"}" * n,
        "unreadable",
    )
    yield "a deep record", "a.jsonl", lambda: b'{"a":' * n + b"1" + b"}" * n, "unreadable"
    yield "records of noise", "a.jsonl", lambda: b"{\n" * 100, "unreadable"
    yield "a number without end", "a.json", lambda: b'{"a": ' + b"9" * 10**6 + b"}", "unreadable"
    yield "not a number", "a.json", lambda: b'{"a": NaN, "b": Infinity, "b": 1}', "read"
    yield "a string of surrogates", "a.json", lambda: b'{"text": "\\ud800 council \\udfff"}', "read"
    yield "elements in elements", "a.html", lambda: b"<div>" * n + WORDS.encode(), *ANY
    yield "tables in tables", "a.html", lambda: b"<table><tr><td>" * 20_000 + b"x", *ANY
    yield (
        "attributes without end",
        "a.html",
        (lambda: b"<p " + b"a=b " * n + b">" + WORDS.encode()),
        *ANY,
    )
    for kind, tag in (("docx", b"w:sdt"), ("pptx", b"p:grpSp"), ("xlsx", b"row")):
        yield (
            f"elements in elements in {kind}",
            f"a.{kind}",
            (lambda kind=kind, tag=tag: main_part(kind, lambda part: nest(part, tag, 10_000))),
            *ANY,
        )
    yield (
        "elements in elements in epub",
        "a.epub",
        (lambda: main_part("epub", lambda part: nest(part, b"div", 10_000))),
        *ANY,
    )


def nest(part: bytes, tag: bytes, depth: int) -> bytes:
    """The part with elements opened and closed ``depth`` times before its last closing tag."""
    at = part.rindex(b"</", 0, part.rindex(b"</"))
    return part[:at] + b"<%b>" % tag * depth + b"</%b>" % tag * depth + part[at:]


def archives() -> Found:
    yield (
        "names that climb",
        "a.zip",
        (lambda: zipped({f"{'../' * n}{CANARY}.txt": WORDS for n in range(1, 5)})),
        "read",
    )
    yield "names from the root", "a.zip", lambda: zipped({"/etc/cron.d/x.txt": WORDS}), "read"
    yield (
        "names of another system",
        "a.zip",
        (lambda: zipped({"..\\..\\x.txt": WORDS, "C:\\x.txt": WORDS})),
        "read",
    )
    yield (
        "names with controls",
        "a.zip",
        (lambda: zipped({"a\x1b[31m\n.txt": WORDS, "\u202etxt.exe.txt": WORDS})),
        "read",
    )
    yield "one name many times", "a.zip", same_names, "read"
    yield "a link in a zip", "a.zip", linked, "unsupported"
    yield "a locked member", "a.zip", lambda: locked(zipped({"a.txt": WORDS})), "encrypted"
    yield "a zip of nothing", "a.zip", lambda: zipped({}), "empty"
    yield "a zip of hidden files", "a.zip", lambda: zipped({".git/config.txt": WORDS}), "empty"
    yield (
        "too many members",
        "a.zip",
        (lambda: zipped({f"{n}.txt": b"" for n in range(20_001)}, zipfile.ZIP_STORED)),
        "too_large",
    )
    yield (
        "a zip cut in half",
        "a.zip",
        (lambda: cut(zipped({"a.txt": WORDS * 100}), 0.5)),
        "unreadable",
    )
    yield "a zip with flipped bytes", "a.zip", lambda: flipped(making.archive(TEXT), 3), *ANY
    yield (
        "a directory that lies",
        "a.zip",
        (lambda: zipped({"a.txt": WORDS})[:-12] + b"\xff" * 12),
        "unreadable",
    )
    yield (
        "a bomb behind a good member",
        "a.zip",
        (lambda: zipped({"a.txt": WORDS, "b.docx": changed(DOCX(TEXT), bomb=bytes(2**24))})),
        "read",
        "too_large",
    )


def same_names() -> bytes:
    return zipped({f"a{n}.txt": WORDS for n in range(10)}).replace(b"a1.txt", b"a0.txt")


def linked() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return packed.getvalue()


def mails() -> Found:
    yield "parts in parts", "a.eml", lambda: nested_mail(200), *ANY
    yield (
        "a part that is its own end",
        "a.eml",
        lambda: b"From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n--x\n--x--\n--x\n" * 50,
        *ANY,
    )
    yield (
        "a header without end",
        "a.eml",
        (lambda: b"Subject: " + b"=?utf-8?B?" + b"QUFB" * 200_000 + b"?=\n\n" + WORDS.encode()),
        "read",
        "timed_out",
    )
    yield (
        "a million headers",
        "a.eml",
        (lambda: b"X: y\n" * 300_000 + b"From: a@b\n\n" + WORDS.encode()),
        *ANY,
    )
    yield (
        "an encoding nobody knows",
        "a.eml",
        lambda: b"From: a@b\nContent-Type: text/plain; charset=nonsense\n\n" + WORDS.encode(),
        "read",
    )
    yield (
        "a broken transfer encoding",
        "a.eml",
        lambda: b"From: a@b\nContent-Transfer-Encoding: base64\n\n!!!!",
        *ANY,
    )
    yield "no headers at all", "a.eml", lambda: b"\n\n" + WORDS.encode(), "unreadable"
    yield (
        "an address without end",
        "a.eml",
        (lambda: b"From: " + b"(" * 100_000 + b"\n\n" + WORDS.encode()),
        *ANY,
    )
    yield (
        "an address of commas",
        "a.eml",
        (lambda: b"From: " + b"<a@b>," * 50_000 + b"\nDate: x\n\n" + WORDS.encode()),
        *ANY,
    )
    yield "a mbox without a mail", "a.mbox", lambda: WORDS.encode(), "unreadable"
    yield "a mbox of starts", "a.mbox", lambda: b"From a\n\n" * 2000, *ANY
    yield (
        "an attached program",
        "a.eml",
        lambda: attached("x.exe", CANARY.encode()),
        "read",
        "unsupported",
    )
    yield "an attachment that climbs", "a.eml", lambda: attached("../../x", b"x"), "read"


def nested_mail(depth: int) -> bytes:
    opened = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth)
    )
    return f"From: a@b\nSubject: x\n{opened}Content-Type: text/plain\n\n{WORDS}\n".encode()


def attached(name: str, content: bytes) -> bytes:
    message = making.letter(TEXT)
    message.add_attachment(content, maintype="application", subtype="x", filename=name)
    return message.as_bytes()


def pages() -> Found:
    hidden = {
        "words in a script": f"<script>{CANARY}</script>",
        "words not shown": f'<p style="display:none">{CANARY}</p>',
        "words in a comment": f"<!-- {CANARY} -->",
        "words in a frame": f'<iframe srcdoc="{CANARY}"></iframe>',
        "words off the page": f'<p style="position:absolute;left:-9999px">{CANARY}</p>',
    }
    for what, markup in hidden.items():
        yield (
            what,
            "a.html",
            (
                lambda markup=markup: making.page(TEXT).replace(
                    b"</article>", markup.encode() + b"</article>"
                )
            ),
            "read",
        )
        yield (
            f"{what} of a book",
            "a.epub",
            lambda markup=markup: main_part(
                "epub", lambda part: part.replace(b"</body>", markup.encode() + b"</body>")
            ),
            "read",
        )
    yield (
        "a page of frames",
        "a.html",
        (lambda: b"<html><frameset><frame src='file:///etc/passwd'></frameset></html>"),
        "no_text",
        "empty",
        "unreadable",
    )
    yield (
        "a charset nobody knows",
        "a.html",
        lambda: making.page(TEXT).replace(b'charset="utf-8"', b'charset="nonsense"'),
        "read",
    )
    yield (
        "a charset that lies",
        "a.html",
        lambda: making.page(TEXT).replace(b'charset="utf-8"', b'charset="utf-7"'),
        "read",
    )
    yield (
        "JSON-LD without end",
        "a.html",
        lambda: making.page(TEXT).replace(
            b"</head>",
            b'<script type="application/ld+json">' + b"[" * 100_000 + b"</script></head>",
        ),
        *ANY,
    )


def sheets() -> Found:
    cell = '<c r="{}" t="inlineStr"><is><t>{}</t></is></c>'

    def sheet(rows: str, before: str = "") -> bytes:
        xml = (
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            f"{before}<sheetData>{rows}</sheetData></worksheet>"
        )
        return main_part("xlsx", lambda _: xml.encode())

    yield (
        "absurd dimensions of a sheet",
        "a.xlsx",
        lambda: sheet(
            f'<row r="1">{cell.format("A1", WORDS)}</row>', '<dimension ref="A1:XFD1048576"/>'
        ),
        "read",
    )
    yield (
        "the last cell of all",
        "a.xlsx",
        lambda: sheet(f'<row r="1048576">{cell.format("XFD1048576", WORDS)}</row>'),
        "read",
    )
    yield (
        "a cell that cannot be",
        "a.xlsx",
        lambda: sheet(f'<row r="99999999999">{cell.format("ZZZZZZ99999999999", WORDS)}</row>'),
        *ANY,
    )
    yield (
        "a million rows",
        "a.xlsx",
        lambda: sheet(
            "".join(f'<row r="{n}">{cell.format(f"XFD{n}", "x")}</row>' for n in range(1, 5000))
        ),
        "too_large",
        "read",
    )
    yield (
        "a string that is not there",
        "a.xlsx",
        lambda: sheet('<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>'),
        *ANY,
    )
    yield (
        "a hidden row",
        "a.xlsx",
        lambda: sheet(
            f'<row r="1">{cell.format("A1", WORDS)}</row>'
            f'<row r="2" hidden="1">{cell.format("A2", CANARY)}</row>'
        ),
        "read",
    )
    yield (
        "a hidden column",
        "a.xlsx",
        lambda: sheet(
            f'<row r="1">{cell.format("A1", WORDS)}{cell.format("B1", CANARY)}</row>',
            '<cols><col min="2" max="2" hidden="1"/></cols>',
        ),
        "read",
    )
    yield (
        "a date of another world",
        "a.xlsx",
        lambda: sheet('<row r="1"><c r="A1" t="d"><v>99999-99-99</v></c></row>'),
        *ANY,
    )
    yield (
        "a number of another world",
        "a.xlsx",
        lambda: sheet('<row r="1"><c r="A1"><v>1e999</v></c><c r="B1"><v>nan</v></c></row>'),
        *ANY,
    )
    yield "one quote in csv", "a.csv", lambda: b'"' + b"a,b\n" * 500_000, *ANY
    yield "a field past all limits", "a.csv", lambda: b'"' + b"x" * 11_000_000 + b'"', "unreadable"
    yield "a row of a million cells", "a.csv", lambda: b"a," * 10**6, "read"
    yield "formulas in csv", "a.csv", lambda: b"a,b\n=cmd|' /C calc'!A0,@SUM(1)\n", "read"
    yield "ragged rows", "a.csv", lambda: b"a,b\n1\n1,2,3,4,5\n,,,,\n", "read"


def describe(loaded: object) -> str:
    """The outcome of one loaded document or failure."""
    return str(getattr(loaded, "reason", "read"))


FAST = (
    "overlapping parts in docx", "lying size in xlsx", "lzma part in pptx", "many parts in epub",
    "laughs in docx", "file entity in xlsx", "network entity in pptx", "laughs in epub",
    "laughs in html", "file entity in html", "entities of the book's package", "xinclude in docx",
    "remote template in docx", "front matter of aliases", "front matter that makes objects",
    "a page tree that is its own child", "cross references in a circle",
    "a form that draws itself", "absurd dimensions", "javascript when opened",
    "a program to launch", "an attachment", "a password, AES-256", "an owner's password, RC4-40",
    "a PDF cut at 50 %", "only a header", "docx with flipped bytes, 0", "xlsx in a locked package",
    "epub with locked parts", "a book under digital rights management",
    "a book whose page is elsewhere", "docx named a.txt", "lists in lists in json",
    "elements in elements", "elements in elements in docx", "names that climb",
    "names with controls", "a link in a zip", "a locked member", "a zip that holds itself, nearly",
    "parts in parts", "an encoding nobody knows", "an attached program", "words in a script",
    "words not shown of a book", "absurd dimensions of a sheet", "a hidden row",
    "a hidden column", "one name many times",
)  # fmt: skip
