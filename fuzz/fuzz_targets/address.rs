//! Any bytes are a From field or an address: reading refuses or gives what can be written again.
#![no_main]

use kakitome_pki::address::{Address, Match};
use kakitome_smime::mime::address;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(mailboxes) = address::mailboxes(data) {
        assert!(mailboxes.iter().all(|mailbox| mailbox.address.contains('@')));
    }
    if let Ok(address) = std::str::from_utf8(data).map_err(drop).and_then(|text| Address::parse(text).map_err(drop)) {
        let again = Address::parse(&address.to_string()).expect("an address reads what it writes");
        assert_eq!(again.matches(&address), Match::Exact);
    }
});
