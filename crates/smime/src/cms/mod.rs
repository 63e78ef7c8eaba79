//! CMS (RFC 5652): a bounded pull reader of BER, what stands in each kind of object, signer infos and what they say, their
//! verification, and the writing in DER.

pub mod attribute;
pub mod capability;
pub mod compressed;
pub mod content;
pub mod digests;
pub mod enveloped;
pub mod ess;
pub mod reader;
pub mod recipient;
pub mod signed;
pub mod signer;
pub mod verify;
pub mod write;
