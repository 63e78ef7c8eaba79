//! A whole mail: opened into its protective layer, or signed.

pub mod fake;
pub mod open;
pub mod payload;
pub mod protect;
pub mod sign;
