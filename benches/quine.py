"""A zip archive whose only entry is the archive itself.

After Russ Cox, "Zip Files All The Way Down" (research.swtch.com/zip): deflate is a language of two
words, "print what follows" and "repeat what was printed", in which a program can print itself, here
with what stands before and behind it in a zip file. The checksum of the whole, which the whole
holds four times, is found by linear algebra: CRC-32 is affine over GF(2).
"""

import struct
import zlib

NAME = b"an/archive/with/itself/in/.zip"


def show(length, last=0):
    """Prints the next bytes: the head of a stored block."""
    return struct.pack("<BHH", last, length, length ^ 0xFFFF)


def copies(back, *lengths):
    """A block of fixed codes that copies from so far back, as bits; RFC 1951, 3.2.5 and 3.2.6."""
    bits = "010"
    for length in lengths:
        # Lengths 3 to 10 have a code each; from there on four codes share a number of extra bits.
        extra = max((length - 3).bit_length() - 3, 0)
        code = 257 + 4 * extra + (length - 3 >> extra)
        bits += format(code - 256, "07b") + lowest_first(length - 3, extra)
        extra = max((back - 1).bit_length() - 2, 0)
        code = 2 * extra + (back - 1 >> extra)
        bits += format(code, "05b") + lowest_first(back - 1, extra)
    return bits + "0000000"


def lowest_first(number, bits):
    return "".join(str(number >> at & 1) for at in range(bits))


def packed(bits):
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


# Each takes five bytes, as the head of a stored block does; an empty block fills one of them up.
REPEAT_4 = packed(copies(20, 10, 10))
REPEAT_HEAD = packed(copies(65, 65) + "0100000000")


def program(head, tail):
    """Deflated data that stands between `head` and `tail` and unpacks to all three."""
    # 60 bytes and the word that shows them.
    shown = show(len(head) + 5)
    end = copies(9 + len(tail), 9 + len(tail)) + "000"
    # An empty stored block, which starts at a byte whatever came before it.
    repeat_tail = packed(end + "0" * (-len(end) % 8)) + b"\0\0\xff\xff"
    last = [REPEAT_4, show(0), show(0), show(9 + len(tail))]
    return b"".join(
        [shown, head, shown, REPEAT_HEAD]
        + [show(5), REPEAT_HEAD, show(5), show(5)]
        + [show(20), REPEAT_HEAD, show(5), show(5), show(20), REPEAT_4]
        + [show(20), REPEAT_4, show(20), REPEAT_4, show(20), REPEAT_4]
        + [show(20), *last, *last, repeat_tail, tail, repeat_tail]
    )


def archive(crc):
    """The archive, whose headers say that its entry has this checksum."""
    size = total = 0
    for _ in range(2):
        said = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, crc, size, total, len(NAME), 0)
        head = b"PK\3\4" + said + NAME
        central = b"PK\1\2\x14\0" + said + bytes(14) + NAME
        end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(head) + size, 0)
        # The last block belongs to the data, and is printed with what stands behind it.
        tail = show(0, last=1) + central + end
        data = program(head, tail)
        size, total = len(data) + 5, len(head) + len(data) + len(tail)
    return head + data + tail


def quine():
    wanted = zlib.crc32(archive(0))
    # What each bit of the number that is written changes in the difference of the two.
    basis = {}
    for bit in range(32):
        change, made_of = zlib.crc32(archive(1 << bit)) ^ wanted ^ 1 << bit, 1 << bit
        while change and change.bit_length() in basis:
            other, parts = basis[change.bit_length()]
            change, made_of = change ^ other, made_of ^ parts
        if change:
            basis[change.bit_length()] = change, made_of
    crc = 0
    while wanted:
        change, made_of = basis[wanted.bit_length()]
        wanted, crc = wanted ^ change, crc ^ made_of
    return archive(crc)
