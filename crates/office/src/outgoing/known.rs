//! Recipients' certificates out of the directory.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;

use super::Certificates;
use crate::directory::Directory;
use crate::fault::Fault;
use crate::policy::sealing::{Found, Reader, Unused};

impl Certificates for Directory {
    fn find(&self, address: &Address, now: Time) -> Result<Found, Fault> {
        let found = self.recipients(address, now)?;
        let name = |certificate: &kakitome_pki::cert::Certificate| {
            format!("{} ({})", certificate.serial_hex(), certificate.issuer().short())
        };
        let mut fit = found.fit.iter();
        let reader = fit
            .next()
            .map(|fit| Reader { certificate: fit.certificate.clone(), capabilities: fit.capabilities.clone() });
        let behind = fit.map(|fit| Unused { name: name(&fit.certificate), why: "another one comes first".to_owned() });
        let unfit = found.unused.iter().map(|one| Unused { name: name(&one.certificate), why: one.why.to_string() });
        Ok(Found { reader, unused: behind.chain(unfit).collect(), unavailable: found.unavailable.clone() })
    }
}
