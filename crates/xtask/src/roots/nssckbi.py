#!/usr/bin/env python3
"""Prints the roots inside a libnssckbi.so in the form of NSS's certdata.txt.

The library is compiled from certdata.txt, and is what packages of NSS hold. It answers by PKCS #11: each attribute of
each object is asked for, and written as certdata.txt writes it. Needs NSPR beside it, which the library is linked with.

    apt-get download libnss3 && dpkg-deb -x libnss3_*.deb nss
    python3 crates/xtask/src/roots/nssckbi.py nss/usr/lib/x86_64-linux-gnu/libnssckbi.so > certdata.txt
"""

import ctypes
import sys

ULONG = ctypes.c_ulong
OK = 0
# The order of CK_FUNCTION_LIST (PKCS #11 v2.40).
INITIALIZE, GET_INFO, GET_SLOT_LIST, OPEN_SESSION, GET_ATTRIBUTE_VALUE, FIND_INIT, FIND = 0, 2, 4, 12, 24, 26, 27
SERIAL_SESSION = 4
ABSENT = {0x11, 0x12}  # sensitive, type invalid

NSS = 0x4E534350 | 0x80000000
TRUST = NSS + 0x2000
CERTIFICATE, NSS_TRUST = 1, NSS + 3
CLASSES = {CERTIFICATE: "CKO_CERTIFICATE", NSS_TRUST: "CKO_NSS_TRUST"}
TRUSTS = {
    NSS + 1: "CKT_NSS_TRUSTED",
    NSS + 2: "CKT_NSS_TRUSTED_DELEGATOR",
    NSS + 3: "CKT_NSS_MUST_VERIFY_TRUST",
    NSS + 4: "CKT_NSS_VALID_DELEGATOR",
    NSS + 5: "CKT_NSS_TRUST_UNKNOWN",
    NSS + 10: "CKT_NSS_NOT_TRUSTED",
}
# name, type of PKCS #11, form in certdata.txt
ATTRIBUTES = [
    ("CKA_LABEL", 0x03, "UTF8"),
    ("CKA_SUBJECT", 0x101, "MULTILINE_OCTAL"),
    ("CKA_ISSUER", 0x81, "MULTILINE_OCTAL"),
    ("CKA_SERIAL_NUMBER", 0x82, "MULTILINE_OCTAL"),
    ("CKA_VALUE", 0x11, "MULTILINE_OCTAL"),
    ("CKA_NSS_MOZILLA_CA_POLICY", NSS + 34, "CK_BBOOL"),
    ("CKA_NSS_SERVER_DISTRUST_AFTER", NSS + 35, "DATE"),
    ("CKA_NSS_EMAIL_DISTRUST_AFTER", NSS + 36, "DATE"),
    ("CKA_CERT_SHA1_HASH", TRUST + 100, "MULTILINE_OCTAL"),
    ("CKA_TRUST_SERVER_AUTH", TRUST + 8, "CK_TRUST"),
    ("CKA_TRUST_EMAIL_PROTECTION", TRUST + 11, "CK_TRUST"),
    ("CKA_TRUST_CODE_SIGNING", TRUST + 10, "CK_TRUST"),
]


class Attribute(ctypes.Structure):
    _fields_ = [("kind", ULONG), ("value", ctypes.c_void_p), ("length", ULONG)]


class Module:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        table = ctypes.c_void_p()
        self.demand(self.library.C_GetFunctionList(ctypes.byref(table)), "C_GetFunctionList")
        # CK_VERSION stands first, padded to a pointer.
        self.table = ctypes.cast(table.value + ctypes.sizeof(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p))
        self.call(INITIALIZE, None)
        slots, count = (ULONG * 8)(), ULONG(8)
        self.call(GET_SLOT_LIST, ctypes.c_ubyte(1), slots, ctypes.byref(count))
        self.session = ULONG()
        self.call(OPEN_SESSION, slots[0], ULONG(SERIAL_SESSION), None, None, ctypes.byref(self.session))

    @staticmethod
    def demand(answer, what):
        if answer != OK:
            sys.exit(f"{what}: error {answer:#x} of PKCS #11")

    def raw(self, number, *arguments):
        return ctypes.CFUNCTYPE(ULONG)(self.table[number])(*arguments)

    def call(self, number, *arguments):
        self.demand(self.raw(number, *arguments), f"function {number}")

    def version(self):
        info = (ctypes.c_ubyte * 128)()
        self.call(GET_INFO, info)
        # cryptokiVersion, manufacturerID[32], flags, libraryDescription[32], libraryVersion, each aligned as in C
        word = ctypes.sizeof(ULONG)
        place = (2 + 32 + word - 1) // word * word + word + 32
        return f"{info[place]}.{info[place + 1]}"

    def objects(self):
        self.call(FIND_INIT, self.session, None, ULONG(0))
        handles, count = (ULONG * 10000)(), ULONG()
        self.call(FIND, self.session, handles, ULONG(10000), ctypes.byref(count))
        return handles[: count.value]

    def attribute(self, handle, kind):
        asked = Attribute(kind, None, 0)
        answer = self.raw(GET_ATTRIBUTE_VALUE, self.session, ULONG(handle), ctypes.byref(asked), ULONG(1))
        if answer in ABSENT:
            return None
        self.demand(answer, "C_GetAttributeValue")
        buffer = ctypes.create_string_buffer(max(asked.length, 1))
        asked.value = ctypes.addressof(buffer)
        self.call(GET_ATTRIBUTE_VALUE, self.session, ULONG(handle), ctypes.byref(asked), ULONG(1))
        return buffer.raw[: asked.length]


def octal(name, value):
    lines = [value[at : at + 16] for at in range(0, len(value), 16)]
    body = "".join("".join(f"\\{octet:03o}" for octet in line) + "\n" for line in lines)
    return f"{name} MULTILINE_OCTAL\n{body}END"


def text(name, form, value):
    if form == "UTF8":
        label = value.rstrip(b"\0").decode("utf-8")
        return f'{name} UTF8 "' + label.replace("\\", "\\x5c").replace('"', "\\x22") + '"'
    if form == "MULTILINE_OCTAL":
        return octal(name, value)
    if form == "CK_TRUST":
        number = int.from_bytes(value, sys.byteorder)
        return f"{name} CK_TRUST {TRUSTS.get(number, hex(number))}"
    if value in (b"\0", b""):
        return f"{name} CK_BBOOL CK_FALSE"
    return f"{name} CK_BBOOL CK_TRUE" if form == "CK_BBOOL" else octal(name, value)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    module = Module(sys.argv[1])
    print(f'# from a libnssckbi.so\n#define NSS_BUILTINS_LIBRARY_VERSION "{module.version()}"\nBEGINDATA')
    for handle in module.objects():
        kind = CLASSES.get(int.from_bytes(module.attribute(handle, 0), sys.byteorder))
        if kind is None:
            continue
        print(f"\nCKA_CLASS CK_OBJECT_CLASS {kind}")
        for name, number, form in ATTRIBUTES:
            value = module.attribute(handle, number)
            if value is not None:
                print(text(name, form, value))


main()
