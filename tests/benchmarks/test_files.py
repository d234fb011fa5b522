"""Files of every kind, hostile and ordinary, and what parsing in other processes costs.

`make bench`, or -k with hostile, ordinary, cost or memory.
"""

from __future__ import annotations

import itertools
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from assistant.errors import LoadingError
from assistant.loading import find, load_all, read
from assistant.pool import Pool
from assistant.types import Document, Failure
from tests import making
from tests.hostile import files
from tests.making import MAKERS, Text
from tests.unit.test_hostile import check

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")

ROUNDS = 20
LANGUAGES = {
    "en": (
        "The talks",
        "The council met on Monday and nobody left before midnight.",
        "It said: “No.”",
    ),
    "de": (
        "Die Gespräche",
        "Der Rat trat am Montag zusammen, und niemand ging früh.",
        "Größe: 3,5 km².",
    ),
    "fr": (
        "Les pourparlers",
        "Le conseil s’est réuni lundi et personne n’est parti.",
        "Où était-il ?",
    ),
    "es": (
        "Las conversaciones",
        "El consejo se reunió el lunes y nadie se marchó.",
        "¿Qué dijo el señor?",
    ),
    "it": (
        "I colloqui",
        "Il consiglio si è riunito lunedì e nessuno è andato via.",
        "Perché? È così.",
    ),
    "pt": (
        "As negociações",
        "O conselho reuniu-se na segunda-feira e ninguém saiu.",
        "Não há decisão.",
    ),
    "nl": (
        "De gesprekken",
        "De raad kwam maandag bijeen en niemand ging weg.",
        "Geëindigd om één uur.",
    ),
    "pl": (
        "Rozmowy",
        "Rada zebrała się w poniedziałek i nikt nie wyszedł.",
        "Żółć, gęś, jaźń.",
    ),
    "cs": (
        "Rozhovory",
        "Rada se sešla v pondělí a nikdo neodešel.",
        "Příliš žluťoučký kůň.",
    ),
    "sv": (
        "Samtalen",
        "Rådet sammanträdde på måndagen och ingen gick.",
        "Åtta är färre än nio.",
    ),
    "fi": (
        "Neuvottelut",
        "Neuvosto kokoontui maanantaina eikä kukaan lähtenyt.",
        "Yö oli pitkä.",
    ),
    "hu": (
        "A tárgyalások",
        "A tanács hétfőn ült össze, és senki sem ment el.",
        "Árvíztűrő tükörfúrógép.",
    ),
    "ro": (
        "Discuțiile",
        "Consiliul s-a întrunit luni și nimeni nu a plecat.",
        "Știința și țara.",
    ),
    "tr": (
        "Görüşmeler",
        "Konsey pazartesi günü toplandı ve kimse ayrılmadı.",
        "Iğdır’da kış, İzmir’de yaz.",
    ),
    "az": (
        "Danışıqlar",
        "Şura bazar ertəsi toplandı və heç kim getmədi.",
        "Bakı, Gəncə, Şəki.",
    ),
    "ru": (
        "Переговоры",
        "Совет собрался в понедельник, и никто не ушёл.",
        "Объём: 3,5 км.",
    ),
    "uk": (
        "Переговори",
        "Рада зібралася в понеділок, і ніхто не пішов.",
        "Їжак і ґанок.",
    ),
    "bg": (
        "Преговорите",
        "Съветът се събра в понеделник и никой не си тръгна.",
        "Ъгъл и щит.",
    ),
    "el": (
        "Οι συνομιλίες",
        "Το συμβούλιο συνήλθε τη Δευτέρα και κανείς δεν έφυγε.",
        "Τι είπε;",
    ),
    "hy": (
        "Բանակցությունները",
        "Խորհուրդը հավաքվեց երկուշաբթի օրը։",
        "Ոչ ոք չհեռացավ։",
    ),
    "ka": (
        "მოლაპარაკებები",
        "საბჭო ორშაბათს შეიკრიბა.",
        "არავინ წასულა.",
    ),
    "ar": (
        "المحادثات",
        "اجتمع المجلس يوم الاثنين ولم يغادر أحد.",
        "ماذا قال؟",
    ),
    "fa": (
        "گفت‌وگوها",
        "شورا روز دوشنبه تشکیل جلسه داد و کسی نرفت.",
        "می‌گوید: نه.",
    ),
    "he": (
        "השיחות",
        "המועצה התכנסה ביום שני ואיש לא עזב.",
        "מה הוא אמר?",
    ),
    "hi": (
        "वार्ता",
        "परिषद की बैठक सोमवार को हुई और कोई नहीं गया।",
        "क्षेत्र और ज्ञान।",
    ),
    "th": (
        "การเจรจา",
        "สภาประชุมเมื่อวันจันทร์และไม่มีใครออกไป",
        "เขาพูดว่าอะไร",
    ),
    "vi": (
        "Cuộc đàm phán",
        "Hội đồng họp vào thứ Hai và không ai rời đi.",
        "Ông ấy nói gì?",
    ),
    "zh": (
        "会谈",
        "理事会星期一召开会议，午夜前无人离开。",
        "他说：“不。”",
    ),
    "ja": (
        "会談",
        "評議会は月曜日に開かれ、誰も帰らなかった。",
        "彼は何と言ったか。",
    ),
    "ko": (
        "회담",
        "위원회는 월요일에 열렸고 아무도 떠나지 않았다.",
        "그는 뭐라고 했나?",
    ),
}
ENCODINGS = {
    "en": "cp1252", "de": "iso-8859-1", "fr": "cp1252", "pl": "cp1250", "cs": "cp1250",
    "tr": "cp1254", "ru": "cp1251", "uk": "cp1251", "el": "cp1253", "he": "cp1255", "ar": "cp1256",
    "ja": "cp932", "zh": "gb18030", "ko": "cp949",
}  # fmt: skip
FONTS = {"zh": "STSong-Light", "ja": "HeiseiMin-W3", "ko": "HYSMyeongJo-Medium"}
UNSHAPED = {"ar", "fa", "he", "hi", "th", "hy"}  # the tool that makes our PDFs cannot set them


def texts() -> Iterator[Text]:
    for language, (title, *paragraphs) in LANGUAGES.items():
        words = [*paragraphs] * 3
        table = [("Country", "Value"), (title, "1,204"), (paragraphs[-1], "3.5")]
        yield Text(title, words, table, language)


def ordinary() -> Iterator[tuple[str, Text, bytes]]:
    """Name, what it says, and the file."""
    for text in texts():
        for name, make in MAKERS.items():
            yield name, text, make(text)
        for encoding in ("utf-16", "utf-8-sig", ENCODINGS.get(text.language)):
            if encoding:
                yield "a.txt", text, making.txt(text).decode().encode(encoding)
        if text.language not in UNSHAPED and FONT.exists():
            yield "a.pdf", text, making.pdf(text, font(text.language))


def font(language: str) -> str:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    if language in FONTS:
        pdfmetrics.registerFont(UnicodeCIDFont(FONTS[language]))
        return FONTS[language]
    pdfmetrics.registerFont(TTFont("DejaVu", str(FONT)))
    return "DejaVu"


def missing(text: Text, found: str, name: str) -> list[str]:
    """What is said in the text and not in what was read of its file."""
    tight = name.endswith(".pdf")  # which has lines, and no spaces between some letters
    pieces = [text.title, *text.paragraphs, *itertools.chain(*text.table)]

    def plain(words: str) -> str:
        return "".join(words.split()) if tight else " ".join(words.split())

    return [piece for piece in pieces if plain(piece) not in plain(found)]


@pytest.mark.timeout(1800)
def test_ordinary_files_are_read_whole() -> None:
    pool = Pool(60, 2048)
    counts: Counter[str] = Counter()
    failed, lost = [], []
    for name, text, content in ordinary():
        counts[name.split(".")[1]] += 1
        loaded = list(pool.load(Path(name), content=content, uri=f"/papers/{name}"))
        if not loaded or any(isinstance(one, Failure) for one in loaded):
            failed.append((name, text.language, loaded))
            continue
        for one in loaded:
            assert isinstance(one, Document)
            if gone := missing(text, one.text, name):
                lost.append((name, text.language, gone))
    pool.close()
    total = counts.total()
    print(f"\n{total} ordinary files in {len(LANGUAGES)} languages: {dict(counts)}")
    print(f"accepted {100 * (1 - len(failed) / total):.2f} %, text incomplete in {len(lost)}")
    for one in [*failed, *lost]:
        print("  ", one)
    assert total >= 200
    assert len(failed) <= 0.005 * total
    assert len(lost) <= 0.005 * total


@pytest.mark.timeout(3600)
def test_hostile_files_end_in_a_named_outcome() -> None:
    pool = Pool(20, 1024)
    table: dict[str, Counter[str]] = {}
    slowest = (0.0, "")
    for what, file in files().items():
        began = time.monotonic()
        kind = file.name.split(".")[1]
        table.setdefault(kind, Counter()).update(check(file, pool))
        slowest = max(slowest, (time.monotonic() - began, what))
    pool.close()
    print(f"\n{len(files())} hostile files, slowest {slowest[0]:.1f} s ({slowest[1]})")
    for kind, outcomes in sorted(table.items()):
        print(f"  {kind:6}", ", ".join(f"{n} {name}" for name, n in outcomes.most_common()))
    assert len(files()) >= 150
    assert not any("crashed" in outcomes for outcomes in table.values())


def test_hostile_folder(tmp_path: Path) -> None:
    """Links, pipes, sockets, devices and loops beside one good file."""
    secret = tmp_path / "secret.txt"
    secret.write_text("CANARY")
    root = tmp_path / "root"
    root.mkdir()
    (root / "good.txt").write_text("The council met.")
    for name, target in (("l.txt", secret), ("loop", root), ("up", ".."), ("gone.txt", "nowhere")):
        (root / name).symlink_to(target)
    for name in ("pipe.txt", "pipe.pdf"):
        os.mkfifo(root / name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "socket.txt"))
    if os.geteuid() == 0:
        os.mknod(root / "zero.txt", 0o020666, os.makedev(1, 5))
    outcomes = Counter()
    for path in [*find([root]), Path("/dev/zero")]:
        try:
            outcomes[read(path, 2**20).decode()] += 1
        except LoadingError as error:
            outcomes[error.reason] += 1
    listener.close()
    print(f"\na hostile folder: {dict(outcomes)}")
    assert outcomes.pop("The council met.") == 1
    assert set(outcomes) == {"unsupported"}


def processor_time(pids: Sequence[int]) -> float:
    """Of this process and of others, in seconds; to the nanosecond, where /proc counts ticks."""
    time.sleep(0.01)  # one with a limit of its time is counted when it waits, or at the next tick
    clocks = [~pid << 3 | 2 for pid in pids]  # CPUCLOCK_SCHED of linux/posix-timers.h
    return time.process_time() + sum(map(time.clock_gettime, clocks))


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the clock of another process")
@pytest.mark.timeout(1800)
def test_cost_of_other_processes() -> None:
    """Ordinary files read here and in a warm process, round by round: processor time of both.

    Both collect garbage when it is time to; who goes first changes from round to round.
    """
    sample = [
        (name, content) for name, text, content in ordinary() if text.language in "en ru tr zh"
    ]
    pool = Pool(60, 2048)

    def here(name: str, content: bytes) -> None:
        list(load_all(Path(name), content=content, uri=f"/papers/{name}"))

    def there(name: str, content: bytes) -> None:
        list(pool.load(Path(name), content=content, uri=f"/papers/{name}"))

    for name, content in 3 * sample:
        here(name, content)
        there(name, content)
    pids = [process._popen.pid for process in pool._idle]
    rounds: list[dict[str, float]] = [{} for _ in range(ROUNDS)]  # milliseconds of a file
    for number, one in enumerate(rounds):
        for run in (here, there) if number % 2 else (there, here):
            spent = processor_time(pids)
            for name, content in sample:
                run(name, content)
            one[run.__name__] = 1000 * (processor_time(pids) - spent) / len(sample)
    pool.close()
    each = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    more = statistics.median(one["there"] / one["here"] - 1 for one in rounds)
    print(
        f"\n{len(sample)} files: {each['here']:.2f} ms of processor time each here,"
        f" {each['there']:.2f} in a warm process: {more:+.1%}"
    )
    assert more < 0.1


@pytest.mark.timeout(600)
def test_memory_of_a_hundred_megabytes_of_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("w") as file:
        for n in range(100 * 2**20 // 74):
            file.write(f"The council met on day {n:7} and nobody left before midnight came.\n\n")
    code = (
        "import resource, sys, time; from pathlib import Path; from assistant.pool import Pool\n"
        "from assistant.loading import read\n"
        "p = Path(sys.argv[1]); pool = Pool(120, 2048)\n"
        "for d in pool.load(p, content=read(p, 2**28), uri=str(p)): print(type(d).__name__)\n"
        "pool.close()\n"
        "for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):\n"
        "    print(resource.getrusage(who).ru_maxrss // 1024)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    kind, ours, theirs = ran.stdout.split()
    print(f"\n{path.stat().st_size / 2**20:.0f} MB of text: {ours} MB here, {theirs} MB there")
    assert kind == "Document"
    assert int(ours) + int(theirs) < 1200
