"""Lints what is in a folder with pkilint, in one process: for each file a line with its name, severity and code."""
import contextlib
import io
import json
import pathlib
import sys

from pkilint.bin import lint_cabf_smime_cert, lint_crl, lint_ocsp_response, lint_pkix_cert

SEVERITY = ["-s", "WARNING", "-f", "JSON"]
TOOLS = {
    "certificate": [
        (lint_pkix_cert, ["lint", *SEVERITY]),
        (lint_cabf_smime_cert, ["lint", "-t", "MAILBOX-MULTIPURPOSE", "-s", "NOTICE", "-f", "JSON"]),
    ],
    "ca": [(lint_pkix_cert, ["lint", *SEVERITY])],
    "responder": [(lint_pkix_cert, ["lint", *SEVERITY])],
    "list": [(lint_crl, ["lint", "-t", "CRL", "-p", "PKIX", *SEVERITY])],
    "response": [(lint_ocsp_response, ["lint", *SEVERITY])],
}

for file in sorted(pathlib.Path(sys.argv[1]).glob("*.pem")):
    kind = file.stem.split("+")[1]
    for tool, words in TOOLS[kind]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            tool.main([*words, str(file)])
        for result in json.loads(out.getvalue())["results"]:
            for finding in result["finding_descriptions"]:
                print(file.stem, finding["severity"], finding["code"], sep="\t")
    print(file.stem, "looked at", "", sep="\t")
