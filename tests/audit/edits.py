"""Everything that somebody may do to a bundle: each a function of dice, with the reasons it earns.

In: `Ground`, a bundle of a real log with the keys that were used, and with keys of strangers. Out:
`Edited`, other bytes that nobody should take for true, and the reasons that are right for it. An
edit goes as far up as its author can: container, list of files and checkpoint are made again
wherever he has the keys for it.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmops import merkle
from llmops.audit import container, index
from llmops.audit.base import Seen
from llmops.audit.remembered import Remembered
from llmops.digest import canonical, of_bytes
from llmops.log import checkpoint
from llmops.log.base import EVAL_REPORT, LEDGER, RUN, TEST_RESULT, VSA
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, ROOT
from llmops.signing.keys import PemSigner
from tests.keyring import person

STRANGER = person("nobody that is known")
SEAL = index.CHECKPOINT


@dataclass(frozen=True)
class Ground:
    """A bundle that verifies, by files, and whoever signed it: `gate` may seal the log too.

    `earlier`: the same log as it was before its last verdict. `other`: a log that began as this one
    and went on otherwise, signed by the same key. `runner`, `ended`, `revoked`: keys that the trust
    root names, the last two not any more.
    """

    files: Mapping[str, bytes]
    gate: PemSigner
    runner: PemSigner
    ended: PemSigner
    revoked: PemSigner
    earlier: Mapping[str, bytes] = field(default_factory=dict)
    other: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def entries(self) -> list[bytes]:
        """The log."""
        return [self.files[index.entry(i)] for i in range(size(self.files))]

    def of(self, *kinds: str) -> list[int]:
        """The numbers of the entries of some kinds."""
        return [i for i, data in enumerate(self.entries) if kind_of(data) in kinds]

    def paths(self, start: str) -> list[str]:
        """Files below a folder."""
        return sorted(path for path in self.files if path.startswith(start))


@dataclass(frozen=True)
class Edited:
    """Other bytes, and what may be said of them. `before`: what the auditor remembers."""

    data: bytes
    reasons: frozenset[str]
    before: Remembered | None = None


Edit = Callable[[random.Random, Ground], Edited]
EDITS: dict[str, Edit] = {}
SHALLOW = frozenset({"tampered", "incomplete", "unreadable"})


def edit(made: Edit) -> Edit:
    """One more thing that may be done, by its name."""
    EDITS[made.__name__.replace("_", " ")] = made
    return made


def size(files: Mapping[str, bytes]) -> int:
    """How many entries the log of a bundle has."""
    return sum(path.startswith("log/entries/") for path in files)


def kind_of(data: bytes) -> str:
    """The predicate type of an entry."""
    envelope = dsse.decode(data)
    if envelope.payload_type == ROOT:
        return ROOT
    return str(json.loads(envelope.payload)["predicateType"])


def packed(files: Mapping[str, bytes]) -> bytes:
    """Files as a bundle whose list is that of these files."""
    kept = {path: data for path, data in files.items() if path != index.NAME}
    try:
        return container.encode({**kept, index.NAME: index.made(kept)})
    except ValueError:  # no checkpoint to make a list from: the old one stays
        return container.encode(dict(files))


def sealed(ground: Ground, entries: Sequence[bytes], signer: PemSigner) -> dict[str, bytes]:
    """The same bundle with other entries, sealed by somebody."""
    kept = {p: data for p, data in ground.files.items() if not p.startswith("log/entries/")}
    kept |= {index.entry(i): data for i, data in enumerate(entries)}
    origin = checkpoint.decode(ground.files[SEAL]).origin
    root = merkle.root(map(merkle.leaf, entries))
    kept[SEAL] = checkpoint.sign(origin, len(entries), root, signer)
    return kept


def remembered(ground: Ground, files: Mapping[str, bytes]) -> Remembered:
    """What an auditor remembers who saw a bundle."""
    said = checkpoint.decode(files[SEAL])
    roots = [dsse.decode(ground.entries[i]).payload for i in ground.of(ROOT)]
    return Remembered(of_bytes(roots[-1]), Seen(said.origin, said.size, said.root.hex()))


def resigned(data: bytes, change: Callable[[Any], None], *signers: PemSigner) -> bytes:
    """An entry that says something else, signed by somebody."""
    envelope = dsse.decode(data)
    said = json.loads(envelope.payload)
    change(said)
    return dsse.encode(dsse.sign(envelope.payload_type, canonical(said), signers))


def one_of(ground: Ground, *kinds: str) -> list[int]:
    """Entries of some kinds; the edit is not to be had where there are none."""
    found = ground.of(*kinds)
    if not found:
        raise LookupError(kinds)
    return found


# ---- the bytes of the file ---------------------------------------------------------------------


@edit
def a_bit_of_the_file_is_flipped(rng: random.Random, ground: Ground) -> Edited:
    data = bytearray(packed(ground.files))
    place = rng.randrange(len(data) * 8)
    data[place // 8] ^= 1 << place % 8
    return Edited(bytes(data), SHALLOW)


@edit
def the_file_is_cut(rng: random.Random, ground: Ground) -> Edited:
    data = packed(ground.files)
    return Edited(data[: rng.randrange(len(data))], SHALLOW)


@edit
def bytes_are_put_in(rng: random.Random, ground: Ground) -> Edited:
    data, some = packed(ground.files), rng.randbytes(rng.randint(1, 30))
    place = rng.choice((0, len(data), rng.randrange(len(data))))
    return Edited(data[:place] + some + data[place:], SHALLOW)


@edit
def bytes_are_taken_out(rng: random.Random, ground: Ground) -> Edited:
    data = packed(ground.files)
    place = rng.randrange(len(data) - 1)
    return Edited(data[:place] + data[place + rng.randint(1, 40) :], SHALLOW)


# ---- files, with container and list made again ---------------------------------------------------


def of_path(path: str) -> frozenset[str]:
    """What may be said when the bytes of a file are other ones, or it is gone."""
    if path.startswith("log/entries/"):
        return frozenset({"tampered", "incomplete", "key"})
    if path == SEAL:
        return frozenset({"tampered", "incomplete", "key"})
    if path.startswith("log/blobs/"):
        return frozenset({"tampered", "incomplete"})
    if path.startswith("objects/"):
        return frozenset({"git", "tampered", "incomplete"})
    if path.startswith("report/"):
        return frozenset({"report", "tampered", "incomplete"})
    return frozenset({"tampered", "incomplete", "unreadable"})


def some_path(rng: random.Random, ground: Ground) -> str:
    """Any file: each kind of them as often."""
    kinds = ("log/entries/", "log/blobs/", "objects/", "report/", SEAL, index.WITHHELD)
    kinds = (*kinds, index.OPENINGS)
    found = [paths for start in kinds if (paths := ground.paths(start))]
    return rng.choice(rng.choice(found))


@edit
def a_bit_of_a_file_is_flipped(rng: random.Random, ground: Ground) -> Edited:
    path = some_path(rng, ground)
    data = bytearray(ground.files[path])
    place = rng.randrange(len(data) * 8)
    data[place // 8] ^= 1 << place % 8
    return Edited(packed({**ground.files, path: bytes(data)}), of_path(path))


@edit
def a_byte_of_a_file_is_another(rng: random.Random, ground: Ground) -> Edited:
    path = some_path(rng, ground)
    data = bytearray(ground.files[path])
    place = rng.randrange(len(data))
    data[place] = rng.choice([b for b in b' 0123456789abz"}]\n/+=' if b != data[place]])
    return Edited(packed({**ground.files, path: bytes(data)}), of_path(path))


@edit
def a_file_is_gone(rng: random.Random, ground: Ground) -> Edited:
    path = some_path(rng, ground)
    if path.startswith("report/") and len(ground.paths("report/")) == 1:
        raise LookupError(path)
    kept = {name: data for name, data in ground.files.items() if name != path}
    return Edited(packed(kept), of_path(path))


@edit
def a_file_is_cut_short(rng: random.Random, ground: Ground) -> Edited:
    path = some_path(rng, ground)
    data = ground.files[path]
    return Edited(packed({**ground.files, path: data[: rng.randrange(len(data))]}), of_path(path))


@edit
def two_files_change_places(rng: random.Random, ground: Ground) -> Edited:
    start = rng.choice(("log/entries/", "log/blobs/", "objects/", "report/"))
    paths = ground.paths(start)
    if len(paths) < 2:
        raise LookupError(start)
    one, other = rng.sample(paths, 2)
    if ground.files[one] == ground.files[other]:
        raise LookupError(one)
    swapped = {**ground.files, one: ground.files[other], other: ground.files[one]}
    return Edited(packed(swapped), of_path(one))


@edit
def a_file_is_put_in(rng: random.Random, ground: Ground) -> Edited:
    data = rng.randbytes(rng.randint(1, 50))
    git = b"blob %d\0%b" % (len(data), data)
    digest = of_bytes(data)
    import hashlib

    oid = hashlib.sha1(git).hexdigest()
    name, said = rng.choice(
        (
            ("log/notes", data), (f"log/blobs/sha256/{digest[7:9]}/{digest[7:]}", data),
            (f"objects/{oid[:2]}/{oid[2:]}", git), ("report/report.fr.html", data),
            ("README", data), (index.entry(size(ground.files)), data),
        )
    )  # fmt: skip
    return Edited(packed({**ground.files, name: said}), SHALLOW | {"report", "git"})


@edit
def the_list_says_otherwise(rng: random.Random, ground: Ground) -> Edited:
    listed = json.loads(index.made({p: d for p, d in ground.files.items() if p != index.NAME}))
    path = rng.choice(sorted(listed["files"]))
    what = rng.randrange(4)
    if what == 0:
        del listed["files"][path]
    elif what == 1:
        listed["files"][path] = rng.randbytes(32).hex()
    elif what == 2:
        listed["size"] += 1
    else:
        listed["origin"] += "x"
    files = {**ground.files, index.NAME: canonical(listed)}
    return Edited(container.encode(files), SHALLOW)


@edit
def another_object_stands_under_a_name(rng: random.Random, ground: Ground) -> Edited:
    path = rng.choice(ground.paths("objects/"))
    head, _, body = ground.files[path].partition(b"\0")
    kind = head.split()[0]
    other = body + b"\n# looser" if kind == b"blob" else body[:-1] + bytes([body[-1] ^ 1])
    said = kind + b" %d\0" % len(other) + other
    return Edited(packed({**ground.files, path: said}), frozenset({"git", "tampered"}))


# ---- withheld files and shown lines --------------------------------------------------------------


@edit
def a_withheld_digest_is_another(rng: random.Random, ground: Ground) -> Edited:
    said = json.loads(ground.files[index.WITHHELD])
    if not said:
        raise LookupError("nothing is withheld")
    oid = rng.choice(sorted(said))
    if rng.random() < 0.5:
        said[oid]["sha256"] = rng.randbytes(32).hex()
    else:
        said[oid]["size"] += rng.choice((-1, 1, 1000))
    files = {**ground.files, index.WITHHELD: canonical(said)}
    return Edited(packed(files), frozenset({"tampered"}))


@edit
def a_line_that_is_shown_is_another(rng: random.Random, ground: Ground) -> Edited:
    said = json.loads(ground.files.get(index.OPENINGS, b'{"openings": []}'))
    shown = [one for one in said["openings"] if "text" in one]
    if len(shown) < 2:
        raise LookupError("no two lines are shown")
    one, other = rng.sample(shown, 2)
    what = rng.randrange(6)
    if what == 0:
        one["text"], other["text"] = other["text"], one["text"]
    elif what == 1:
        one["salt"] = rng.randbytes(32).hex()
    elif what == 2:
        one["path"] = [rng.randbytes(32).hex(), *one["path"][1:]]
    elif what == 3:
        said["openings"].remove(one)
    elif what == 4:
        said["seed"] += "!"
    else:
        one["text"] = one["text"].replace('"id"', '"id" ', 1)
    files = {**ground.files, index.OPENINGS: canonical(said)}
    return Edited(packed(files), frozenset({"tampered", "incomplete"}))


# ---- pages ---------------------------------------------------------------------------------------


@edit
def a_figure_of_a_page_is_another(rng: random.Random, ground: Ground) -> Edited:
    path = rng.choice(ground.paths("report/"))
    data = bytearray(ground.files[path])
    digits = [i for i, b in enumerate(data) if 48 <= b <= 57]
    place = rng.choice(digits)
    data[place] = rng.choice([d for d in b"0123456789" if d != data[place]])
    return Edited(packed({**ground.files, path: bytes(data)}), frozenset({"report"}))


@edit
def a_page_says_another_outcome(rng: random.Random, ground: Ground) -> Edited:
    path = rng.choice(ground.paths("report/"))
    words = [b"passed", b"failed", b"inconclusive", b"warned", "通过".encode()]
    there = [word for word in words if word in ground.files[path]]
    if not there:
        raise LookupError(path)
    old = rng.choice(there)
    new = rng.choice([word for word in words if word != old])
    made = ground.files[path].replace(old, new, rng.randint(1, 3))
    return Edited(packed({**ground.files, path: made}), frozenset({"report"}))


# ---- the log, by somebody who has no key ---------------------------------------------------------


def relaid(ground: Ground, entries: Sequence[bytes]) -> bytes:
    """Other entries below the old seal."""
    kept = {p: data for p, data in ground.files.items() if not p.startswith("log/entries/")}
    return packed({**kept, **{index.entry(i): data for i, data in enumerate(entries)}})


@edit
def an_entry_is_left_out(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    del entries[rng.randrange(len(entries))]
    return Edited(relaid(ground, entries), frozenset({"incomplete", "tampered", "key"}))


@edit
def two_entries_change_places(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    one, other = rng.sample(range(len(entries)), 2)
    entries[one], entries[other] = entries[other], entries[one]
    return Edited(relaid(ground, entries), frozenset({"tampered", "key"}))


@edit
def an_entry_comes_twice(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    entries.insert(rng.randrange(len(entries) + 1), rng.choice(entries))
    return Edited(relaid(ground, entries), frozenset({"tampered", "order", "key"}))


@edit
def the_end_of_the_log_is_gone(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries[: rng.randrange(size(ground.files))]
    return Edited(relaid(ground, entries), frozenset({"incomplete", "key"}))


@edit
def a_signature_is_moved_to_another_entry(rng: random.Random, ground: Ground) -> Edited:
    one, other = rng.sample(range(1, size(ground.files)), 2)
    entries = ground.entries
    mine, theirs = dsse.decode(entries[one]), dsse.decode(entries[other])
    entries[one] = dsse.encode(replace(mine, signatures=theirs.signatures))
    files = sealed(ground, entries, ground.gate)
    return Edited(packed(files), frozenset({"tampered"}))


@edit
def the_older_checkpoint_lies_over_the_newer_log(rng: random.Random, ground: Ground) -> Edited:
    if not ground.earlier:
        raise LookupError("nothing earlier")
    files = {**ground.files, SEAL: ground.earlier[SEAL]}
    return Edited(packed(files), frozenset({"tampered"}))


# ---- one form only -------------------------------------------------------------------------------


def loose_json(rng: random.Random, data: bytes) -> bytes:
    """The same JSON, written otherwise."""
    said = json.loads(data)
    text = data.decode()
    ways = (
        json.dumps(said), json.dumps(said, indent=1), text + "\n", " " + text,
        text.replace(":", ": ", 1), "\ufeff" + text, json.dumps(dict(reversed(said.items())),
        separators=(",", ":")), text[:-1] + "," + text[1:], text.replace("a", "\\u0061", 1),
        text.replace("/", "\\/", 1) if "/" in text else text + " ",
    )  # fmt: skip
    return rng.choice([way for way in ways if way != text]).encode()


def loose_base64(rng: random.Random, text: str) -> str:
    """The same bytes, written otherwise."""
    ways = [text + "\n", text[:4] + "\n" + text[4:], text + "====", text + "="]
    if text.endswith("=="):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        spare = alphabet.index(text[-3])
        ways += [text[:-3] + alphabet[spare + rng.randint(1, 15)] + "==", text[:-2], text[:-1]]
    if "+" in text or "/" in text:
        ways.append(text.replace("+", "-").replace("/", "_"))
    return rng.choice(ways)


@edit
def an_envelope_is_written_otherwise(rng: random.Random, ground: Ground) -> Edited:
    """Its payload and its signature hold; the log's own key sealed it so."""
    entries = ground.entries
    place = rng.randrange(len(entries))
    entries[place] = loose_json(rng, entries[place])
    return Edited(packed(sealed(ground, entries, ground.gate)), frozenset({"tampered"}))


@edit
def base64_is_written_otherwise(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    place = rng.randrange(len(entries))
    said = json.loads(entries[place])
    if rng.random() < 0.5:
        said["payload"] = loose_base64(rng, said["payload"])
    else:
        said["signatures"][0]["sig"] = loose_base64(rng, said["signatures"][0]["sig"])
    entries[place] = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return Edited(packed(sealed(ground, entries, ground.gate)), frozenset({"tampered"}))


@edit
def a_payload_is_written_otherwise(rng: random.Random, ground: Ground) -> Edited:
    """By the gate's own key: a statement has one text too."""
    entries = ground.entries
    place = rng.choice(one_of(ground, RUN, EVAL_REPORT, TEST_RESULT, VSA, LEDGER))
    loose = loose_json(rng, dsse.decode(entries[place]).payload)
    entries[place] = dsse.encode(dsse.sign(IN_TOTO, loose, [ground.gate]))
    return Edited(packed(sealed(ground, entries, ground.gate)), frozenset({"tampered"}))


@edit
def the_checkpoint_is_written_otherwise(rng: random.Random, ground: Ground) -> Edited:
    text = ground.files[SEAL].decode()
    lines = text.split("\n")
    ways = [
        text + "\n", text.replace("\n\n", "\n\n\n"), text.replace("— ", "- "), text[:-1],
        text.replace("\n", "\r\n"), "\n".join([lines[0], "0" + lines[1], *lines[2:]]),
        "\n".join([*lines[:2], lines[2] + "=", *lines[3:]]), text + lines[4] + "\n",
    ]  # fmt: skip
    files = {**ground.files, SEAL: rng.choice(ways).encode()}
    return Edited(packed(files), frozenset({"tampered", "key"}))


# ---- other people's keys -------------------------------------------------------------------------


@edit
def a_stranger_seals_the_log(rng: random.Random, ground: Ground) -> Edited:
    signer = rng.choice((STRANGER, ground.runner, ground.ended, ground.revoked))
    return Edited(packed(sealed(ground, ground.entries, signer)), frozenset({"key"}))


@edit
def a_stranger_signs_an_entry(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    place = rng.randrange(1, len(entries))
    envelope = dsse.decode(entries[place])
    signer = rng.choice((STRANGER, ground.ended, ground.revoked))
    both = [ground.gate, signer] if rng.random() < 0.3 else [signer]
    entries[place] = dsse.encode(dsse.sign(envelope.payload_type, envelope.payload, both))
    return Edited(packed(sealed(ground, entries, ground.gate)), frozenset({"key"}))


@edit
def a_runner_signs_what_a_gate_says(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    place = rng.choice(one_of(ground, EVAL_REPORT, TEST_RESULT, VSA, LEDGER))
    entries[place] = resigned(entries[place], lambda said: None, ground.runner)
    return Edited(packed(sealed(ground, entries, ground.gate)), frozenset({"key"}))


@edit
def a_verdict_is_edited_and_signed_by_a_runner(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    place = rng.choice(one_of(ground, EVAL_REPORT))

    def better(said: Any) -> None:
        said["predicate"]["outcome"] = "warned" if rng.random() < 0.5 else "passed"
        for found in said["predicate"]["findings"]:
            found["outcome"] = "passed"
            found["value"] = "0.999"

    entries[place] = resigned(entries[place], better, ground.runner)
    signer = rng.choice((ground.gate, ground.runner, STRANGER))
    return Edited(packed(sealed(ground, entries, signer)), frozenset({"key"}))


@edit
def all_of_it_is_signed_by_a_stranger(rng: random.Random, ground: Ground) -> Edited:
    """His own trust root and his own log, everything consistent; and a row is a better one."""
    entries = ground.entries
    for i, data in enumerate(entries):
        envelope = dsse.decode(data)
        payload = envelope.payload
        if envelope.payload_type == ROOT:
            payload = payload.replace(ground.gate.key.encode(), STRANGER.key.encode()).replace(
                base64.b64encode(ground.gate.public), base64.b64encode(STRANGER.public)
            )
        entries[i] = dsse.encode(dsse.sign(envelope.payload_type, payload, [STRANGER]))
    return Edited(packed(sealed(ground, entries, STRANGER)), frozenset({"key"}))


@edit
def a_stranger_is_put_into_the_trust_root(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    place = rng.choice(one_of(ground, ROOT))

    def grown(said: Any) -> None:
        said["keys"][STRANGER.key] = {
            "public": base64.b64encode(STRANGER.public).decode(), "owner": "x",
            "from": "2026-01-01T00:00:00Z", "until": None,
        }  # fmt: skip
        for role in said["roles"].values():
            role["keys"] = sorted([*role["keys"], STRANGER.key])

    entries[place] = resigned(entries[place], grown, STRANGER)
    return Edited(packed(sealed(ground, entries, ground.gate)), frozenset({"key", "fork"}))


@edit
def a_row_is_edited_and_all_above_it_made_again(rng: random.Random, ground: Ground) -> Edited:
    """Blob, run, verdict's input and seal follow from the better row; a stranger signs them."""
    path = rng.choice(ground.paths("log/blobs/") or [""])
    if not path:
        raise LookupError("no blob")
    old, data = ground.files[path], ground.files[path]
    data = data.replace(b'"value":0', b'"value":1', rng.randint(1, 3))
    if data == old:
        raise LookupError("no row to edit")
    before, after = of_bytes(old)[7:], of_bytes(data)[7:]
    signer = rng.choice((STRANGER, ground.ended, ground.revoked))
    entries = ground.entries
    for i, entry in enumerate(entries):
        envelope = dsse.decode(entry)
        if before.encode() in envelope.payload:
            payload = envelope.payload.replace(before.encode(), after.encode())
            entries[i] = dsse.encode(dsse.sign(envelope.payload_type, payload, [signer]))
    whose = rng.choice((signer, ground.gate))
    files = sealed(ground, entries, whose)
    del files[path]
    files[f"log/blobs/sha256/{after[:2]}/{after}"] = data
    return Edited(packed(files), frozenset({"key"}))


@edit
def a_row_is_edited_under_its_own_name(rng: random.Random, ground: Ground) -> Edited:
    """The blob is named by its new digest, and nobody signed for that."""
    path = rng.choice(ground.paths("log/blobs/") or [""])
    if not path:
        raise LookupError("no blob")
    lines = ground.files[path].split(b"\n")
    place = rng.randrange(len(lines) - 1)
    lines[place] = lines[place].replace(b"1", b"0") if rng.random() < 0.7 else b""
    data = b"\n".join(lines)
    if data == ground.files[path]:
        raise LookupError("nothing to edit")
    name = of_bytes(data)[7:]
    kept = {p: d for p, d in ground.files.items() if p != path}
    kept[f"log/blobs/sha256/{name[:2]}/{name}"] = data
    return Edited(packed(kept), frozenset({"incomplete", "tampered"}))


# ---- by the gate's own key -----------------------------------------------------------------------


def numbers(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all figures in a statement."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, (*at, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from numbers(inner, (*at, i))
    elif isinstance(value, str) and value.replace(".", "").replace("-", "").isdigit():
        yield at


def put(value: Any, at: tuple[Any, ...], new: Any) -> None:
    """Put something at a place."""
    for step in at[:-1]:
        value = value[step]
    value[at[-1]] = new


def got(value: Any, at: tuple[Any, ...]) -> Any:
    """What stands at a place."""
    for step in at:
        value = value[step]
    return value


@edit
def the_gate_signs_another_figure(rng: random.Random, ground: Ground) -> Edited:
    """Whoever has the gate's key and the log's still cannot make a figure follow from rows."""
    entries = ground.entries
    place = rng.choice(one_of(ground, EVAL_REPORT))

    def other(said: Any) -> None:
        predicate = said["predicate"]
        at = rng.choice([one for one in numbers(predicate) if one[0] != "given"])
        old = got(predicate, at)
        put(predicate, at, rng.choice([n for n in ("0.97", "1", "480", "0.5") if n != old]))

    entries[place] = resigned(entries[place], other, ground.gate)
    reasons = frozenset({"verdict", "fork"})  # a later verdict names the log as it was
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons)


@edit
def the_gate_signs_another_outcome(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    place = rng.choice(one_of(ground, EVAL_REPORT, TEST_RESULT, VSA))
    text = dsse.decode(entries[place]).payload
    words = [b'"passed"', b'"failed"', b'"inconclusive"', b'"PASSED"', b'"FAILED"']
    there = [word for word in words if word in text]
    if not there:
        raise LookupError(place)
    old = rng.choice(there)
    fitting = words[3:] if old.isupper() else words[:3]
    new = rng.choice([word for word in fitting if word != old])
    made = text.replace(old, new, rng.randint(1, 2))
    entries[place] = dsse.encode(dsse.sign(IN_TOTO, made, [ground.gate]))
    reasons = frozenset({"verdict", "attempts", "fork"})
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons)


@edit
def the_gate_leaves_an_attempt_out(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    del entries[rng.choice(one_of(ground, LEDGER))]
    # of the last entry, which repeats the verdict's outcome, only the pages' seal knows
    reasons = frozenset({"attempts", "verdict", "order", "fork", "report"})
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons)


@edit
def the_gate_leaves_a_run_out(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    del entries[rng.choice(one_of(ground, RUN))]
    reasons = frozenset({"attempts", "verdict", "order", "fork", "tampered"})  # its blob is there
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons)


@edit
def the_gate_moves_a_run_behind_its_verdict(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    entries.append(entries.pop(rng.choice(one_of(ground, RUN))))
    reasons = frozenset({"order", "verdict", "fork"})
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons)


@edit
def the_gate_leaves_a_statement_of_a_verdict_out(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    del entries[rng.choice(one_of(ground, EVAL_REPORT, TEST_RESULT, VSA))]
    reasons = frozenset({"incomplete", "fork"})
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons)


@edit
def a_log_from_tomorrow(rng: random.Random, ground: Ground) -> Edited:
    entries = ground.entries
    place = rng.choice(one_of(ground, EVAL_REPORT))

    def later(said: Any) -> None:
        said["predicate"]["given"]["judged_at"] = "2999-01-01T00:00:00Z"

    entries[place] = resigned(entries[place], later, ground.gate)
    reasons = frozenset({"order", "incomplete"})  # the verdict that says so is not taken
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons)


# ---- what only a memory shows --------------------------------------------------------------------


@edit
def the_log_is_rolled_back(rng: random.Random, ground: Ground) -> Edited:
    if not ground.earlier:
        raise LookupError("nothing earlier")
    before = remembered(ground, ground.files)
    return Edited(packed(ground.earlier), frozenset({"fork"}), before)


@edit
def the_log_went_on_otherwise(rng: random.Random, ground: Ground) -> Edited:
    if not ground.other:
        raise LookupError("no other")
    before = remembered(ground, ground.files)
    return Edited(packed(ground.other), frozenset({"fork"}), before)


@edit
def the_log_is_written_again_by_its_own_key(rng: random.Random, ground: Ground) -> Edited:
    """Any entry signed once more, so that another root is sealed; the auditor remembers."""
    before = remembered(ground, ground.files)
    entries = ground.entries
    del entries[rng.randrange(1, len(entries)) :]
    if len(entries) < 2:
        raise LookupError("too short")
    entries += ground.entries[len(entries) + 1 :]
    reasons = frozenset({"fork", "tampered"})  # the blob of a run that was left out stays
    return Edited(packed(sealed(ground, entries, ground.gate)), reasons, before)
