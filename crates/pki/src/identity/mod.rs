//! Who a certificate vouches for: addresses of mail, and the class of what was checked about their owner.

mod address;
mod vouch;

pub use address::{Address, AddressRefused, DOMAIN_LIMIT, LOCAL_LIMIT, Match};
pub use vouch::{Class, Lint, OrganisationId, Vouched, vouch};
