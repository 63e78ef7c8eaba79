//! CMS (RFC 5652), as far as signed mail needs it: a bounded pull reader of BER, signed-data, signer infos and what they
//! say, their verification, and the writing of signed-data in DER.

pub mod attribute;
pub mod capability;
pub mod digests;
pub mod ess;
pub mod reader;
pub mod signed;
pub mod signer;
pub mod verify;
pub mod write;
