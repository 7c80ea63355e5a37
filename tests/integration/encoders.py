"""Writes a token, read from stdin, in every way that Python and coreutils know, one file a way.

Each file is called ENCODING.NUMBER; around the token stands what stands there in life.
"""

import base64
import json
import quopri
import subprocess
import sys
import textwrap

token = sys.stdin.read()
numbers = {}


def write(encoding, data):
    number = numbers[encoding] = numbers.get(encoding, -1) + 1
    with open(f"{encoding}.{number}", "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def tool(text, *arguments):
    command = ["base64", *arguments]
    return subprocess.run(command, input=text.encode(), check=True, stdout=subprocess.PIPE).stdout


def escaped(escape, which=lambda character: True):
    return "".join(escape(ord(c)) if which(c) else c for c in token)


for phase in range(3):
    text = "user:::"[: 5 + phase] + token + "\n and more"
    once = base64.b64encode(text.encode()).decode()
    write("base64", f"data: {once}\n")
    write("base64", base64.urlsafe_b64encode(text.encode()).rstrip(b"="))
    long = "-" * 50 + text + "-" * 50
    write("base64", base64.encodebytes(long.encode()))
    write("base64", tool(long))
    write("base64", tool(long, "-w", "64").replace(b"\n", b"\r\n"))
    folded = textwrap.wrap(tool(long, "-w", "0").decode(), 64)
    write("base64", "secret: |\n" + "".join(f"    {line}\n" for line in folded))
    write("base64", json.dumps({"pem": "\n".join(folded)}))
    write("base64+utf16le", base64.b64encode(text.encode("utf-16-le")))
    for outer in range(3):
        write("base64+base64", base64.b64encode(("{::"[:outer] + once).encode()))
    auth = tool(text, "-w", "0").decode()
    config = json.dumps({"auths": {"ghcr.io"[phase:]: {"auth": auth}}})
    write("base64+base64", "  .dockerconfigjson: " + tool(config, "-w", "0").decode())

for before in (b"", b"\x01"):
    write("utf16le", before + f"name {token} end".encode("utf-16-le"))
    write("utf16be", before + f"name {token} end".encode("utf-16-be"))
write("utf16le", b"\xff\xfe" + token.encode("utf-16-le"))
write("utf16be", b"\xfe\xff" + token.encode("utf-16-be"))
write("hex", token.encode().hex())
write("hex", token.encode().hex().upper() + "0A")
write("hex", "\n".join(textwrap.wrap(("id=" + token).encode().hex(), 60)))
write("percent", "?token=" + escaped(lambda c: f"%{c:02X}") + "&x=1")
write("percent", escaped(lambda c: f"%{c:02x}", lambda c: c == "_"))
write("percent", escaped(lambda c: f"%{c:02X}", lambda c: c in "_0123456789"))
write("json_escape", escaped(lambda c: f"\\u{c:04x}"))
write("json_escape", escaped(lambda c: f"\\u{c:04X}", lambda c: c == "_"))
write("hex_escape", escaped(lambda c: f"\\x{c:02x}"))
write("character_reference", escaped(lambda c: f"&#{c};", lambda c: c == "_"))
write("character_reference", escaped(lambda c: f"&#x{c:x};", lambda c: c == "_"))
write("markdown", escaped(lambda c: f"\\{chr(c)}", lambda c: c == "_"))
write("quoted_printable", quopri.encodestring(token.encode(), header=True))
for column in range(37, 77):
    mail = quopri.encodestring(b"-" * column + token.encode())
    # Lines end at column 76, not everywhere within the token.
    if token.encode() not in mail:
        write("quoted_printable", mail)
