//! `certval-loop COUNT NOW SIGNER ISSUING ANCHOR`: prints the CPU seconds that certval takes for the path of the signer.
//!
//! What it needs once, it has before the clock starts: the certificates are read, and the way from the anchor to the
//! issuing CA is found (certval keeps such partial paths). What is counted is the path to the signer, and its validation.

use std::error::Error;
use std::fs;
use std::path::Path;

use certval::{
    CertFile, CertSource, CertVector as _, CertificationPathResults, CertificationPathSettings, PDVCertificate,
    PkiEnvironment, TaSource, TimeOfInterest, get_file_as_der_certs_pem,
};

const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, now, signer, issuing, anchor] = arguments.as_slice() else {
        return Err("usage: certval-loop COUNT NOW SIGNER ISSUING ANCHOR".into());
    };
    let (count, now): (u32, u64) = (count.parse()?, now.parse()?);
    let mut settings = CertificationPathSettings::new();
    let moment = TimeOfInterest::from_unix_secs(now).map_err(|error| error.to_string())?;
    settings.set_time_of_interest(moment);
    settings.set_extended_key_usage(vec![EMAIL_PROTECTION.to_owned()]);
    settings.set_extended_key_usage_path(true);

    let mut anchors = TaSource::new();
    anchors.push(read(anchor)?);
    anchors.initialize().map_err(said)?;
    let mut environment = PkiEnvironment::default();
    environment.populate_5280_pki_environment();
    environment.add_trust_anchor_source(Box::new(anchors));
    let mut authorities = CertSource::new();
    authorities.push(read(issuing)?);
    authorities.initialize(&settings).map_err(said)?;
    authorities.find_all_partial_paths(&environment, &settings);
    environment.add_certificate_source(Box::new(authorities));
    let signer = PDVCertificate::try_from(read(signer)?.bytes.as_slice()).map_err(|error| error.to_string())?;

    let before = cpu()?;
    for _ in 0..count {
        let mut paths = Vec::new();
        environment.get_paths_for_target(&signer, &mut paths, 0, moment).map_err(said)?;
        let path = paths.first().ok_or("certval finds no path")?;
        if path.intermediates.len() != 1 {
            return Err("the path is another".into());
        }
        let mut results = CertificationPathResults::new();
        environment.validate_path(&environment, &settings, path, &mut results).map_err(said)?;
    }
    println!("{:.9}", (cpu()? - before) / f64::from(count));
    Ok(())
}

fn said(error: certval::Error) -> String {
    format!("certval: {error:?}")
}

fn read(file: &str) -> Result<CertFile, Box<dyn Error>> {
    let bytes = get_file_as_der_certs_pem(Path::new(file)).map_err(said)?.into_iter().next().ok_or("no certificate")?;
    Ok(CertFile { filename: file.to_owned(), bytes })
}

/// The CPU seconds of this process, which has one thread.
fn cpu() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: u64 = text.split_ascii_whitespace().next().ok_or("no time")?.parse()?;
    Ok(nanoseconds as f64 / 1e9)
}
