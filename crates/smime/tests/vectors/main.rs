//! Messages that others made, and what others say of them.
//!
//! A suite is a table beside this file: its rows name files of one folder of the corpora, how each is read, and the
//! answer that its makers expect. `exceptions.toml` holds every answer of ours that differs, with the reason. The corpora
//! stay where they are: in the folder that `KAKITOME_CORPORA` names, else in `shared/corpora` beside the project.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answer;
mod archive;
mod corpus;
mod exceptions;
mod holder;
mod run;
mod seeds;
mod table;

/// A test for each suite, and the list of them all.
macro_rules! suites {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run::suite(stringify!($name), include_str!(concat!(stringify!($name), ".toml")));
            }
        )*

        /// All suites.
        const SUITES: &[&str] = &[$(stringify!($name)),*];
    };
}

suites! {
    autocrypt_protected_headers
    boringssl_pkcs7
    bouncycastle
    gnupg
    gnutls
    lamps_cms_ml_dsa
    lamps_cms_ml_kem
    mbedtls
    mimekit
    nss
    openssl
    pqc_certs_botan
    pqc_certs_leancrypto
    pqc_certs_openjdk
    pqc_certs_ossl35
    pqc_cms_cht
    pqc_cms_ossl35
    pqc_cms_redhound
    pyca
    rasn_cms
    rfc4134
    rfc9216
    rustcrypto_cms
    wolfssl
}

#[test]
fn every_table_is_run_and_every_exception_is_of_a_suite() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut tables: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
        .filter(|name| name != "exceptions")
        .collect();
    tables.sort();
    let mut suites: Vec<&str> = SUITES.to_vec();
    suites.sort_unstable();
    assert_eq!(tables, suites);
    for exception in exceptions::all() {
        assert!(SUITES.contains(&exception.suite.as_str()), "there is no suite {:?}", exception.suite);
    }
}
