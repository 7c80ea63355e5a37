#!/usr/bin/env python3
"""Makes seeds for the fuzz targets that are named after formats, with their own tools.

    fuzz/seeds.py    writes fuzz/corpus/FORMAT/*; wants what tests/tools/install installs

Each holds a token, made here, so that losing it on one of two ways is noticed.
"""

import os
import subprocess
import tempfile
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# A few versions of a file, so that there are deltas.
HISTORY = "git init -q . && for n in 1 2 3 4 5; do seq $n 300 >> log; git add log; " \
    "git -c user.name=x -c user.email=x@example.org commit -qm $n; done"

# Each script writes its seed to standard output; `log` and `name/log` lie where it runs.
SEEDS = {
    "ar": ["ar rcS out log name/log; cat out", "ar rc out a-name-that-is-long-enough log; cat out"],
    "brotli": ["brotli -c log", "brotli -q 1 -c log"],
    "bzip2": ["bzip2 -c log", "bzip2 -1c log; bzip2 -c name/log"],
    "cpio": [f"ls | cpio --quiet -o -H {dialect}" for dialect in ("newc", "crc", "odc", "bin")],
    "gzip": ["gzip -c log", "gzip -1nc log; gzip -9c name/log", "tar c . | gzip -c"],
    "lz4": ["lz4 -qc log", "lz4 -qc -B4 -BX --content-size log", "lz4 -qlc log"],
    "lzip": ["lzip -c log", "lzip -0c log; lzip -c name/log"],
    "lzma": ["xz --format=lzma -c log"],
    "pack": [
        f"{HISTORY}; git repack -adfq; cat .git/objects/pack/*.pack",
        f"{HISTORY}; git rev-list --objects --all | git pack-objects -q --stdout",
    ],
    "pdf": [
        "qpdf --empty --compress-streams=n out.pdf; cat out.pdf",
        "qpdf --static-id --object-streams=generate in.pdf out.pdf; cat out.pdf",
        "qpdf --static-id --stream-data=uncompress in.pdf out.pdf; cat out.pdf",
        "cat in.pdf",
    ],
    "rpm": [
        "mkdir -p top && rpmbuild -bb --quiet --target noarch --define \"_topdir $PWD/top\" "
        f"--define '_binary_payload {payload}' x.spec > /dev/null 2>&1; cat top/RPMS/*/*.rpm"
        for payload in ("w9.gzdio", "w6.xzdio")
    ],
    "sevenz": [
        "7zz a -bso0 out.7z log name a-name-that-is-long-enough; cat out.7z",
        *(f"7zz a -bso0 {how} out.7z log name; cat out.7z" for how in (
            "-mhc=off", "-ms=off -m0=Copy", "-m0=LZMA", "-m0=PPMd", "-m0=BZip2", "-m0=Deflate",
            "-mf=Delta:2", "-m0=BCJ -m1=LZMA2")),
    ],
    "tar": [f"tar c --format={dialect} ." for dialect in ("v7", "ustar", "gnu", "pax")]
    + ["truncate -s 1M sparse; tail -c 200 log >> sparse; tar c -S --format=pax sparse"],
    "xz": ["xz -c log", "xz -0 --check=crc32 -c log; xz -c name/log", "xz --block-size=200 -c log"],
    "zip": [
        *(f"zip -qr {how} out .; cat out.zip" for how in ("-0", "-9", "-Z bzip2", "-fd", "-fz")),
        "zip -qr - . | cat",
        *(f"7zz a -bso0 -tzip -mm={how} out.zip log name; cat out.zip" for how in (
            "Deflate64", "LZMA", "xz", "PPMd")),
        "zip -q in.zip log; zip -q0 out.zip in.zip name/log; cat out.zip",
    ],
    "zlib": ["pigz -zc log", "pigz -z1c log"],
    "zstd": ["zstd -qc log", "zstd -q1c --no-check log; zstd -qc name/log", "zstd -q --long -c log"],
}

SPEC = "Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\n%description\nx\n%install\n" \
    "mkdir -p %{buildroot}/etc\ncp %{_topdir}/../log %{buildroot}/etc/x\n%files\n/etc/x\n"


def token(random):
    """A valid one; its parts are put together here, so that this file holds none."""
    number, sum = zlib.crc32(random), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        sum = ALPHABET[digit] + sum
    return b"gh" + b"p_" + random + sum.encode()


def document(text):
    """A document whose one page's contents are `text`."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
    ]
    out, places = b"%PDF-1.5\n", []
    for number, contents in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, contents)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 5\n0000000000 65535 f \n%strailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return out + end % (table, len(out))


def write(folder):
    text = b"2026-11-21 INFO %s\n" % token(b"abcdefghijABCDEFGHIJ0123456789")
    text = b"2026-11-21 INFO nothing happened\n" * 20 + text
    os.mkdir(os.path.join(folder, "name"))
    files = {
        "log": text, "name/log": text[-100:], "a-name-that-is-long-enough": b"short",
        "in.pdf": document(b"BT (%s) Tj ET" % text), "x.spec": SPEC.encode(),
    }
    for name, contents in files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(contents)


def main():
    corpus = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    for name, scripts in SEEDS.items():
        os.makedirs(os.path.join(corpus, name), exist_ok=True)
        for number, script in enumerate(scripts):
            with tempfile.TemporaryDirectory() as folder:
                write(folder)
                made = subprocess.run(["sh", "-ec", script], cwd=folder, stdout=subprocess.PIPE, check=True)
            assert made.stdout, script
            with open(os.path.join(corpus, name, f"seed{number}"), "wb") as out:
                out.write(made.stdout)
        print(name)


if __name__ == "__main__":
    main()
