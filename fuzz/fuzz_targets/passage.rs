//! A mail and a record of the DNS, divided by a line of its own: signatures of domains are read and verified, what hosts
//! claim is read. Nothing holds that was not signed.
#![no_main]

use kakitome_pki::asn1::time::Time;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::dkim;
use kakitome_smime::message::open::open;
use kakitome_smime::octets::InMemory;
use kakitome_verdict::passage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let cut = data.windows(5).position(|window| window == b"\n%%%\n");
    let (record, mail) = cut.map_or((&b""[..], data), |at| (&data[..at], &data[at + 5..]));
    let mail = mail.to_vec();
    let opened = open(&mail, &InMemory, &NoKeys).unwrap();
    let root = opened.structure.root();
    let signatures = dkim::signatures(&root.header);
    assert!(signatures.len() <= dkim::SIGNATURE_LIMIT);
    for signature in signatures.into_iter().flatten() {
        let name = signature.key_name();
        assert!(name.is_ascii() && !name.contains(char::is_whitespace));
        let _ = signature.verify(&mail, root, record, Time::from_unix(1_800_000_000)).unwrap();
    }
    assert!(passage::claims(&root.header).len() <= passage::CLAIM_LIMIT);
});
