//! PEM (RFC 7468), read as it occurs: text around the blocks, any line length, any line end, a byte order mark before.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::asn1::der::Der;

/// A file may hold this many blocks.
pub const BLOCK_LIMIT: usize = 100_000;

/// One block.
#[derive(Clone)]
pub struct Block {
    /// What stands between the dashes, such as `CERTIFICATE`.
    pub label: String,
    /// The octets.
    pub der: Zeroizing<Vec<u8>>,
    /// The octets are encrypted in the old way (RFC 1421 §4.6.1.1), with this cipher; nothing here opens that.
    pub old_cipher: Option<String>,
}

impl Block {
    /// One around octets that came without PEM.
    pub fn new(label: &str, der: &[u8]) -> Self {
        Self { label: label.to_owned(), der: Zeroizing::new(der.to_vec()), old_cipher: None }
    }

    /// Is it a certificate, under any of the labels that occur?
    pub fn is_certificate(&self) -> bool {
        matches!(self.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
    }

    /// The certificate in it. OpenSSL's TRUSTED CERTIFICATE holds its own trust settings behind; they are no part of it.
    pub fn certificate(&self) -> &[u8] {
        match Der::new(&self.der).element() {
            Ok(first) if self.label == "TRUSTED CERTIFICATE" => first.raw,
            _ => &self.der,
        }
    }
}

/// Does this look like PEM?
pub fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(11).any(|window| window == b"-----BEGIN ")
}

/// All whole blocks of a file; what is cut short or no base64 is left out.
pub fn read(bytes: &[u8]) -> Vec<Block> {
    let text = String::from_utf8_lossy(bytes);
    let mut blocks = Vec::new();
    let mut label: Option<String> = None;
    let mut body = Zeroizing::new(String::new());
    let mut old_cipher = None;
    for line in text.split(['\n', '\r']).map(|line| line.trim_start_matches('\u{feff}').trim()) {
        if let Some(begun) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) {
            label = Some(begun.to_owned());
            body.clear();
            old_cipher = None;
        } else if let Some(ended) = line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix("-----")) {
            if let Some(label) = label.take().filter(|label| label == ended)
                && let Ok(der) = STANDARD.decode(body.as_bytes())
                && blocks.len() < BLOCK_LIMIT
            {
                blocks.push(Block { label, der: Zeroizing::new(der), old_cipher: old_cipher.take() });
            }
        } else if let Some(cipher) = line.strip_prefix("DEK-Info:") {
            old_cipher = Some(cipher.split(',').next().unwrap_or_default().trim().to_owned());
        } else if label.is_some() && !line.contains(':') {
            body.push_str(line);
        }
    }
    blocks
}

/// Writes a block, 64 characters on a line (RFC 7468 §2).
pub fn write(label: &str, der: &[u8]) -> String {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
