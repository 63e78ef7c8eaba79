"""Python's email module compares the leaves of a mail with those of what was signed of it.

Each line of standard input names two files, separated by a tab. For each, one line comes back: "same", or what differs.
"""

import email
import hashlib
import sys


# parameters that say nothing new: header protection, the charset that holds where none is named, an empty one
SILENT = [("charset", "us-ascii"), ("charset", "unknown-8bit"), ("", "")]


def read(path):
    # from bytes: the file interface would translate line ends
    with open(path, "rb") as file:
        return email.message_from_bytes(file.read())


def leaves(mail):
    found = []
    for part in mail.walk():
        parameters = part.get_params([("text/plain", "")])[1:]
        parameters = [item for item in parameters if item[0] != "hp" and item not in SILENT]
        about = (part.get_content_type(), sorted(parameters), part.get_filename(), part.get("Content-ID"))
        if part.is_multipart():
            found.append(about)
            continue
        body = part.get_payload(decode=True)
        # lines may be re-ended; UTF-16 has none that a relay knows
        if part.get_content_maintype() in ("text", "message") and b"\0" not in body:
            body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        found.append((about, len(body), hashlib.sha256(body).hexdigest()))
    return found


def composed(mail):
    trace = ("received", "return-path", "dkim-signature", "bcc", "mime-version")
    fields = [(name, value) for name, value in mail.items() if name.lower() not in trace]
    # a fold is CR LF in one and LF in the other where the mail came with lone LF
    return [
        (name, value.replace("\r\n", "\n")) for name, value in fields if not name.lower().startswith("content-")
    ]


for line in sys.stdin:
    before, after = (read(path) for path in line.rstrip("\n").split("\t"))
    if leaves(before) != leaves(after):
        print(f"leaves {leaves(before)} became {leaves(after)}")
    elif composed(before) != composed(after):
        print(f"header {composed(before)} became {composed(after)}")
    else:
        print("same")
