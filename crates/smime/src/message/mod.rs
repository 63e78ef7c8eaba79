//! A whole mail: opened into its protective layers, signed, encrypted, decrypted.

pub mod decrypt;
pub mod encrypt;
pub mod fake;
pub mod open;
pub mod payload;
pub mod protect;
pub mod report;
pub mod sign;
