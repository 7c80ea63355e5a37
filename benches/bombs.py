#!/usr/bin/env python3
"""Makes archives that are small and unpack to much, and has each of them scanned.

    benches/bombs.py [DOUSE]    the program; target/release/douse by default

Prints seconds, the peak of memory in megabytes, the exit code, and why anything was left aside.
Fails if one takes over ten seconds or over 128 MB; what a single window needs may come on top of
that, up to the limit for decoders. Wants GNU time, 7zz, xz and zstd.
"""

import json
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib

sys.dont_write_bytecode = True
from quine import quine

SECONDS = 10
MEGABYTES = 128
ZEROS = bytes(1 << 20)


def raw_deflate(pieces):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def gzip_zeros(path, gigabytes):
    """One member; its pieces repeat, so only the first gigabyte is packed."""
    one = b"".join(gzip_pieces(ZEROS for _ in range(1024)))
    with open(path, "wb") as out:
        for _ in range(gigabytes):
            out.write(one)


def gzip_pieces(pieces):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def gzip_of(path, source, times=1):
    data = open(source, "rb").read()
    with open(path, "wb") as out:
        for piece in gzip_pieces(data for _ in range(times)):
            out.write(piece)


def local(name, crc, packed, size, method=8):
    return b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 0, crc, packed, size, len(name), 0) + name


def central(name, crc, packed, size, offset, method=8):
    return (
        b"PK\1\2"
        + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, method, 0, 0, crc, packed, size, len(name), 0, 0, 0, 0, 0, offset)
        + name
    )


def end(entries, length, offset):
    entries &= 0xFFFF  # As some writers do it that know no 64-bit records.
    return b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, entries, entries, length, offset, 0)


def overlapping_zip(path, entries, size):
    """Every entry of the directory shares one kernel; local headers are quoted by stored blocks,
    so that each entry's data runs over all the headers behind its own."""
    kernel = b"".join(raw_deflate([bytes(size)]))
    crc = zlib.crc32(bytes(size))
    names = [b"%05d" % n for n in range(entries)]
    # From the last one to the first: what stands before is told by what stands behind.
    data, whole, total = local(names[-1], crc, len(kernel), size) + kernel, kernel, size
    sizes = [(len(kernel), size, crc)]
    for name in reversed(names[:-1]):
        quoted = data[: len(data) - len(whole)]
        block = b"\0" + struct.pack("<HH", len(quoted), len(quoted) ^ 0xFFFF)
        whole = block + data
        total += len(quoted)
        crc = 0  # What is announced lies; the bytes do not.
        data = local(name, crc, len(whole), total) + whole
        sizes.append((len(whole), total, crc))
    sizes.reverse()
    offset, directory = 0, b""
    for name, (packed, unpacked, crc) in zip(names, sizes):
        directory += central(name, crc, packed, unpacked, offset)
        offset += 30 + len(name) + 5
    with open(path, "wb") as out:
        out.write(data + directory + end(entries, len(directory), len(data)))


def same_kernel_zip(path, entries, size):
    """The directory names one local header again and again."""
    kernel = b"".join(raw_deflate([bytes(size)]))
    crc = zlib.crc32(bytes(size))
    data = local(b"kernel", crc, len(kernel), size) + kernel
    directory = b"".join(central(b"%05d" % n, crc, len(kernel), size, 0) for n in range(entries))
    with open(path, "wb") as out:
        out.write(data + directory + end(entries, len(directory), len(data)))


def entries_tar(path, entries):
    info = tarfile.TarInfo("x")
    block = info.tobuf()
    with open(path, "wb") as out:
        for _ in range(entries // 1000):
            out.write(block * 1000)
        out.write(bytes(1024))


def entries_zip(path, entries):
    crc = zlib.crc32(b"x")
    directory, at = [], 0
    with open(path, "wb") as out:
        for n in range(entries):
            name = b"%07d" % n
            out.write(local(name, crc, 1, 1, 0) + b"x")
            directory.append(central(name, crc, 1, 1, at, 0))
            at += 38
        directory = b"".join(directory)
        out.write(directory + end(entries, len(directory), at))


def nested_zips(path, levels):
    """Each holds ninety megabytes of zeros and the next."""
    data = b""
    for level in range(levels):
        out, directory, at = [], [], 0
        for name, contents in [(b"zeros", bytes(90 << 20)), (b"next", data)]:
            packed = b"".join(raw_deflate([contents]))
            crc = zlib.crc32(contents)
            out.append(local(name, crc, len(packed), len(contents)) + packed)
            directory.append(central(name, crc, len(packed), len(contents), at))
            at += len(out[-1])
        directory = b"".join(directory)
        # Zeros before the end: the whole must be had before any of it is known.
        data = b"".join(out) + bytes(100 << 20) + directory + end(2, len(directory), at + (100 << 20))
    with open(path, "wb") as out:
        out.write(b"".join(gzip_pieces([data])))


def marks(path, mark, head):
    """Nothing but what a format looks for."""
    with open(path, "wb") as out:
        out.write(head)
        for _ in range(8):
            out.write(mark * ((1 << 20) // len(mark)))


def nested_pdf(path, megabytes, filters, streams):
    """Each stream unpacks to zeros, through as many filters."""
    data = b"".join(zlib_pieces(ZEROS for _ in range(megabytes)))
    for _ in range(filters - 1):
        data = b"".join(zlib_pieces([data]))
    with open(path, "wb") as out:
        out.write(b"%PDF-1.4\n")
        for number in range(streams):
            said = b"%d 0 obj\n<</Filter[%s]/Length %d>>stream\n" % (number, b"/Fl" * filters, len(data))
            out.write(said + data + b"\nendstream\nendobj\n")
        out.write(b"trailer\n<<>>\n%%EOF\n")


def zlib_pieces(pieces):
    packer = zlib.compressobj(9)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def quine_zip(path):
    with open(path, "wb") as out:
        out.write(quine())


def bombs(folder):
    def at(name):
        return os.path.join(folder, name)

    gzip_zeros(at("10g.gz"), 10)
    yield "10g.gz"
    gzip_of(at("10g.gz.gz"), at("10g.gz"))
    yield "10g.gz.gz"
    gzip_of(at("three-deep"), at("10g.gz.gz"), 1000)
    yield "three-deep"
    overlapping_zip(at("overlapping.zip"), 5_000, 50 << 20)
    yield "overlapping.zip"
    same_kernel_zip(at("same-kernel.zip"), 60_000, 50 << 20)
    yield "same-kernel.zip"
    entries_tar(at("million.tar"), 1_000_000)
    yield "million.tar"
    gzip_of(at("million.tar.gz"), at("million.tar"), 4)
    yield "million.tar.gz"
    entries_zip(at("million.zip"), 1_000_000)
    yield "million.zip"
    entries_zip(at("millions.zip"), 3_000_000)
    yield "millions.zip"
    nested_zips(at("nested-zips.gz"), 5)
    yield "nested-zips.gz"
    marks(at("marks.pdf"), b"trailer ", b"%PDF-1.4\n")
    yield "marks.pdf"
    marks(at("ends.pdf"), b"%%EOF\n", b"%PDF-1.4\n")
    yield "ends.pdf"
    marks(at("streams.pdf"), b"<</Filter/Fl>>stream\n", b"%PDF-1.4\n")
    yield "streams.pdf"
    nested_pdf(at("nested.pdf"), 1024, 8, 1000)
    yield "nested.pdf"
    quine_zip(at("quine.zip"))
    yield "quine.zip"
    marks(at("marks.zip"), b"PK\3\4\x14\0", b"PK\3\4")
    yield "marks.zip"
    marks(at("directories.zip"), central(b"a", 1, 9, 9, 5) + b" ", local(b"a", 0, 0, 0))
    yield "directories.zip"
    zeros = at("zeros")
    with open(zeros, "wb") as out:
        for _ in range(3 * 1024):
            out.write(ZEROS)
    subprocess.run(["zstd", "-q", "--long=31", "-1", "-o", at("window.zst"), zeros], check=True)
    yield "window.zst"
    with open(zeros, "r+b") as out:
        out.truncate(400 << 20)
    with open(at("window.xz"), "wb") as out:
        subprocess.run(["xz", "-T1", "--lzma2=preset=0,dict=1GiB", "-c", zeros], stdout=out, check=True)
    yield "window.xz"
    subprocess.run(["7zz", "a", "-bso0", "-mx1", "-m0=LZMA2:d=1g", at("window.7z"), zeros], check=True)
    yield "window.7z"
    subprocess.run(["7zz", "a", "-bso0", "-mx1", "-m0=LZMA2:d=192m", at("large.7z"), zeros], check=True)
    yield "large.7z"


def scan(douse, path):
    # By way of GNU time: what this process took would count as the child's.
    command = ["/usr/bin/time", "-q", "-f", "%M", douse, "scan", "--format", "jsonl", path]
    start = time.monotonic()
    ended = subprocess.run(command, capture_output=True)
    seconds = time.monotonic() - start
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    told = {event.get("reason", event.get("message")) for event in events if event["type"] in ("skip", "error")}
    kilobytes = int(ended.stderr.split()[-1])
    return seconds, kilobytes / 1024, ended.returncode, sorted(told)


def main():
    douse = sys.argv[1] if len(sys.argv) > 1 else "target/release/douse"
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name in bombs(folder):
            seconds, megabytes, code, told = scan(douse, os.path.join(folder, name))
            print(f"{name:20} {seconds:6.2f} s {megabytes:6.0f} MB  exit {code}  {', '.join(told)}", flush=True)
            failed |= seconds > SECONDS or megabytes > MEGABYTES
    sys.exit(failed)


if __name__ == "__main__":
    main()
