"""What a disk may hold when the power goes: replays a trace of the shim up to any moment.

The model: what was written to a file before its last completed sync is there. Each later write may be there or not, in
any order, and of each any sectors of 512 bytes. Names appear and vanish in order; a completed sync of any file keeps
what names there were before it.
"""
import os
import struct

RECORD = struct.Struct("<cBHIQQ")
DATABASE, LOG, JOURNAL, ROLLBACK = 1, 2, 3, 4
NAMES = {DATABASE: "ledger.db", LOG: "ledger.db-wal", ROLLBACK: "ledger.db-journal"}
SECTOR = 512


class Event:
    __slots__ = ("what", "kind", "generation", "offset", "length", "data")

    def __init__(self, what, kind, generation, offset, length, data):
        self.what, self.kind, self.generation, self.offset = what, kind, generation, offset
        self.length, self.data = length, data


def read_trace(path):
    with open(path, "rb") as file:
        raw = file.read()
    events, place = [], 0
    while place < len(raw):
        what, kind, _, generation, offset, length = RECORD.unpack_from(raw, place)
        place += RECORD.size
        data = None
        if what == b"W":
            data, place = raw[place:place + length], place + length
        events.append(Event(what.decode(), kind, generation, offset, length, data))
    return events


class Image:
    """The bytes of one file; zeros at its end are only counted."""

    def __init__(self):
        self.data, self.size = bytearray(), 0

    def copy(self):
        other = Image()
        other.data, other.size = bytearray(self.data), self.size
        return other

    def write(self, offset, data):
        end = offset + len(data)
        if end > len(self.data) and any(data):
            self.data.extend(bytes(end - len(self.data)))
        self.data[offset:end] = data[:max(0, len(self.data) - offset)]
        self.size = max(self.size, end)

    def truncate(self, size):
        del self.data[size:]
        self.size = size

    def apply(self, event):
        if event.what == "W":
            self.write(event.offset, event.data)
        elif event.what == "T":
            self.truncate(event.offset)
        else:
            self.size = max(self.size, event.offset + event.length)

    def save(self, path):
        with open(path, "wb") as file:
            file.write(self.data)
            file.truncate(self.size)


class File:
    """What is safe of a file, and what has been done to it since."""

    def __init__(self):
        self.safe, self.since = Image(), []

    def sync(self):
        for event in self.since:
            self.safe.apply(event)
        self.since = []


class Disk:
    def __init__(self):
        self.files, self.names, self.names_before = {}, {}, []

    def apply(self, event):
        key = (event.kind, event.generation)
        if event.what == "C":
            if self.names.get(event.kind) != event.generation:
                self.names_before.append(dict(self.names))
                self.names[event.kind] = event.generation
                self.files[key] = File()
        elif event.what == "U":
            self.names_before.append(dict(self.names))
            self.names.pop(event.kind, None)
        elif event.what == "S":
            self.names_before = []
            self.files[key].sync()
        else:
            self.files[key].since.append(event)

    def unsynced(self):
        return sum(len(file.since) for file in self.files.values())

    def crash(self, dice, folder):
        """Writes into `folder` one of the states that a loss of power now may leave; returns which kind of choice."""
        names = dice.choice([self.names, *self.names_before])
        how = dice.choice(("nothing", "all", "prefix", "subset", "shuffled", "torn", "torn and shuffled"))
        for kind, name in NAMES.items():
            path = os.path.join(folder, name)
            if kind in names:
                self.survivor(self.files[kind, names[kind]], how, dice).save(path)
            elif os.path.exists(path):
                os.unlink(path)
        shared = os.path.join(folder, "ledger.db-shm")
        if os.path.exists(shared):
            os.unlink(shared)
        return how

    @staticmethod
    def survivor(file, how, dice):
        if how == "nothing" or not file.since:
            return file.safe.copy()
        kept = list(file.since)
        if how == "prefix":
            kept = kept[:dice.randrange(len(kept) + 1)]
        elif how not in ("all", "nothing"):
            part = dice.random()
            kept = [event for event in kept if dice.random() < part]
        if "shuffled" in how:
            dice.shuffle(kept)
        image = file.safe.copy()
        for event in kept:
            if "torn" in how and event.what == "W":
                for start in range(0, event.length, SECTOR):
                    if dice.random() < 0.7:
                        image.write(event.offset + start, event.data[start:start + SECTOR])
            else:
                image.apply(event)
        return image
