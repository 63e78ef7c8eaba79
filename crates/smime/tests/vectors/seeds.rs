//! Octets that broke the programs of others: whatever they are, an answer comes, soon, and none of them is good.

use std::time::{Duration, Instant};

use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_smime::cms::content::{self, Object};
use kakitome_smime::cms::reader::Reader;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::verify::{self, Content};
use kakitome_smime::message::open;
use kakitome_smime::octets::InMemory;

use crate::archive;
use crate::corpus::{Corpus, from_hex, say};

/// No seed may take longer; the longest has 62 KiB. Generous, because tests run unoptimised and beside others.
const SLOW: Duration = Duration::from_secs(120);

/// What this whole program may hold at its peak, in KiB, where the system tells.
const PEAK_KIB: u64 = 256 * 1024;

/// OpenSSL's fuzz seeds: CMS, certificates, revocation lists, attribute certificates, ASN.1. They bring no verdicts.
#[test]
fn openssl_fuzz_corpora() {
    let Some(corpus) = Corpus::find("openssl_fuzz_corpora", "openssl-fuzz-corpora", None) else { return };
    let mut counts = std::collections::BTreeMap::<String, (usize, usize)>::new();
    for (name, octets) in archive::tar_gz(&corpus.read("openssl-fuzz-corpora.tgz")) {
        let Some((kind, _)) = name.trim_start_matches("openssl-fuzz-corpora/").split_once('/') else { continue };
        let count = counts.entry(kind.to_owned()).or_default();
        count.0 += 1;
        count.1 += usize::from(ask_everything(&name, octets));
    }
    for (kind, (all, read)) in &counts {
        say(&format!("vectors openssl_fuzz_corpora: {kind}: {all} seeds, {read} of them readable, none slow"));
    }
    let all: usize = counts.values().map(|count| count.0).sum();
    assert!(counts.len() >= 5 && all > 5000, "only {all} seeds of {} kinds", counts.len());
    if let Some(peak) = peak_kib() {
        assert!(peak < PEAK_KIB, "{peak} KiB at the peak");
    }
}

/// The peak of resident memory (Linux).
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// Mbed TLS's mutations of one signed-data, which its suite refuses. It reads less than RFC 5652 has (DER and version 1
/// alone), so some are read here; but the content of none is there, and none is good without it.
#[test]
fn mbedtls_mutations() {
    let Some(corpus) = Corpus::find("mbedtls_mutations", "mbedtls", None) else { return };
    let lines = String::from_utf8(corpus.read("pkcs7-asn-fail.jsonl")).unwrap();
    let (mut all, mut read) = (0, 0);
    for line in lines.lines() {
        let hex = line.split_once("\"hex\": \"").and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
        all += 1;
        read += usize::from(ask_everything(line.split("\"hex\"").next().unwrap(), from_hex(hex)));
    }
    say(&format!("vectors mbedtls_mutations: {all} objects, {read} of them readable, none good"));
    assert!(all > 300, "only {all} objects");
}

/// Asks every reader about these octets; says whether one of them could read them.
fn ask_everything(name: &str, octets: Vec<u8>) -> bool {
    let start = Instant::now();
    // Most are BER, and certificates are DER: so the same in DER is read, too.
    let normalised = Reader::new(&octets).capture(octets.len(), "longer than it is").ok().flatten();
    let (mut certificate, mut list) = (false, false);
    for der in normalised.iter().map(|captured| &*captured.der).chain([octets.as_slice()]) {
        if let Ok(read) = Certificate::parse(der) {
            let _ = read.verify_signature(read.key());
            certificate = true;
        }
        list |= Crl::parse(der).is_ok();
    }
    let mail = open::open(&octets, &InMemory, &NoKeys).unwrap();
    drop(mail);
    let object = match content::read(&octets, &InMemory).unwrap() {
        Object::Signed(signed) => {
            let empty: &[u8] = &[];
            let content = Content::Exact(signed.content.as_deref().unwrap_or(&empty));
            let outcome = verify::verify(&signed, &content).unwrap();
            assert!(signed.content.is_some() || outcome.verified.is_none(), "{name}: good without a content");
            true
        }
        Object::Enveloped(_) | Object::Compressed(_) | Object::Other(_) => true,
        Object::NotCms(_) | Object::Broken(..) => false,
    };
    assert!(start.elapsed() < SLOW, "{name}: {:?}", start.elapsed());
    certificate || list || object
}
