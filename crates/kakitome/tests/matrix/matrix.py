"""Python's cryptography makes and reads what a row of the table asks for: see Matrix.java for the form of the lines."""

import sys
from pathlib import Path

import cryptography
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7

DER = serialization.Encoding.DER
BINARY = pkcs7.PKCS7Options.Binary
HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
CIPHERS = {"aes128-cbc": algorithms.AES128, "aes256-cbc": algorithms.AES256}


def perform(task, algorithm, key, form, content, der):
    if task == "verify":
        raise NotImplementedError("the library verifies no CMS signature")
    if task != "sign" and algorithm != "pkcs1":
        raise NotImplementedError("the library knows RSA PKCS #1 v1.5 recipients only")
    certificate = x509.load_pem_x509_certificate(Path(key + ".pem").read_bytes())
    private = serialization.load_pem_private_key(Path(key + ".key").read_bytes(), None)
    if task == "sign":
        scheme, digest = algorithm.split("-")
        options = {"rsa_padding": padding.PSS(padding.MGF1(HASHES[digest]), padding.PSS.DIGEST_LENGTH)} if scheme == "pss" else {}
        builder = pkcs7.PKCS7SignatureBuilder().set_data(Path(content).read_bytes())
        builder = builder.add_signer(certificate, private, HASHES[digest], **options)
        detached = [] if form == "opaque" else [pkcs7.PKCS7Options.DetachedSignature]
        Path(der).write_bytes(builder.sign(DER, [BINARY, *detached]))
        return
    if task == "encrypt":
        if form not in CIPHERS:
            raise NotImplementedError("the library makes AES-128-CBC and AES-256-CBC only")
        builder = pkcs7.PKCS7EnvelopeBuilder().set_data(Path(content).read_bytes())
        builder = builder.set_content_encryption_algorithm(CIPHERS[form]).add_recipient(certificate)
        Path(der).write_bytes(builder.encrypt(DER, [BINARY]))
    else:
        plain = pkcs7.pkcs7_decrypt_der(Path(der).read_bytes(), certificate, private, [])
        if plain != Path(content).read_bytes():
            raise ValueError("other octets came out")


if len(sys.argv) > 1:
    print("Python cryptography", cryptography.__version__)
    sys.exit()
for line in sys.stdin:
    try:
        perform(*line.rstrip("\n").split("\t"))
        print("done")
    except Exception as refused:  # whatever the library says is the answer
        print(f"{type(refused).__name__}: {refused}".replace("\n", " ").replace("\t", " "))
