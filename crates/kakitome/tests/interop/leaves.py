"""Python's email module compares the leaves of a mail with those of what was signed of it.

Each line of standard input names two files, separated by a tab. For each, one line comes back: "same", or what differs.
"""

import email
import email.message
import hashlib
import sys


def leaves(path):
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file)
    found = []
    for part in mail.walk():
        parameters = [item for item in part.get_params([("text/plain", "")])[1:] if item[0] != "hp"]
        about = (part.get_content_type(), sorted(parameters), part.get_filename(), part.get("Content-ID"))
        if part.is_multipart():
            found.append(about)
            continue
        body = part.get_payload(decode=True)
        if part.get_content_maintype() in ("text", "message"):
            body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        found.append((about, len(body), hashlib.sha256(body).hexdigest()))
    return found


def composed(path):
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file)
    trace = ("received", "return-path", "dkim-signature", "bcc", "mime-version")
    fields = [(name, value) for name, value in mail.items() if name.lower() not in trace]
    # a fold is CR LF in one and LF in the other where the mail came with lone LF
    return [
        (name, value.replace("\r\n", "\n")) for name, value in fields if not name.lower().startswith("content-")
    ]


for line in sys.stdin:
    before, after = line.rstrip("\n").split("\t")
    was, now = leaves(before), leaves(after)
    if was != now:
        print(f"leaves {was} became {now}")
    elif composed(before) != composed(after):
        print(f"header {composed(before)} became {composed(after)}")
    else:
        print("same")
