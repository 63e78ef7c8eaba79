//! Any bytes are a whole mail: it is opened, judged, laid out and planned for signing; nobody is ever confirmed without
//! an anchor.
#![no_main]

use kakitome_pki::asn1::time::Time;
use kakitome_pki::path::PolicyInputs;
use kakitome_pki::roots::RootList;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::{open, report, sign};
use kakitome_smime::octets::InMemory;
use kakitome_verdict::answer::Basis;
use kakitome_verdict::passage::Passage;
use kakitome_verdict::sender::expected::{Expectations, Party, ProtectedName};
use kakitome_verdict::sender::{Evidence, Signer, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mail = data.to_vec();
    let opened = open::open(&mail, &InMemory, &NoKeys).expect("memory does not fail");
    let evidence = Evidence {
        roots: RootList::default(),
        anchors: Vec::new(),
        hints: Vec::new(),
        crls: Vec::new(),
        responses: Vec::new(),
        lookups: Vec::new(),
        passage: Passage::default(),
        contents: Vec::new(),
        policy: PolicyInputs::default(),
        revocation: None,
        at: Time::from_unix(1_796_083_200),
        basis: Basis::Given,
        signer: Signer::From,
        // Somebody is known, so that every rule about look-alikes is tried.
        expectations: Expectations {
            protected: vec![ProtectedName {
                name: "例示銀行".to_owned(),
                senders: vec![Party::Domain("bank.example".to_owned())],
            }],
            ..Expectations::default()
        },
        known: kakitome_pki::path::Known::default(),
        deliveries: Vec::new(),
        trust_list: String::new(),
    };
    let judgement = judge(&opened, &evidence);
    assert!(judgement.confirmed.is_none() && !judgement.answer.state.is_confirmed());
    let _ = report::report(&mail, &InMemory, &NoKeys).expect("memory does not fail");
    let _ = sign::Draft::new(&mail).expect("memory does not fail");
});
