//! Whom to believe: the options that `check`, `verify` and `cert check` share, and the verbs about the anchors of a data
//! directory (`verbs`).

mod table;
mod verbs;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kakitome_office::authority;
use kakitome_office::evidence::outside::Outside;
use kakitome_office::evidence::{self, Choice, Unusable};
use kakitome_office::trust::{Chosen, Operators};
use kakitome_pki::asn1::Oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::path::PolicyInputs;
use kakitome_pki::path::revocation::Mode;
use kakitome_verdict::sender::{Evidence, Signer};

pub(super) use verbs::Anchors;

use super::{Everywhere, Failure, config, input, outside};
use crate::settings::Check;

/// Options about trust.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Trust")]
pub(super) struct Trust {
    /// Anchors that you choose: any certificate, self-signed or not (PEM or DER; may be given more than once)
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// A list of publicly trusted e-mail roots in place of the built-in one: PEM, or what `kakitome trust export` writes
    #[arg(long, value_name = "FILE")]
    public_roots: Option<PathBuf>,
    /// Revocation lists and OCSP responses (PEM or DER); may be given more than once
    #[arg(long, value_name = "FILE", visible_alias = "ocsp")]
    crl: Vec<PathBuf>,
    /// The moment to judge for, in RFC 3339, such as 2026-12-01T00:00:00Z; now if it is not given
    #[arg(long, value_name = "TIME")]
    at: Option<Time>,
    /// Ask nothing outside: fetch no revocation list and no OCSP response
    #[arg(long)]
    offline: bool,
    /// Which revocation answers are needed: `require` is the default under public roots, `offered` (only where the
    /// certificate names a source or a list was given) under all others
    #[arg(long, value_name = "MODE")]
    revocation: Option<Revocation>,
    /// A certificate policy that is acceptable, as 2.23.140.1.5.2.3 (may be given more than once); any if none is given
    #[arg(long, value_name = "OID", value_parser = policy)]
    policy: Vec<Oid>,
    /// An acceptable policy must hold through the whole path
    #[arg(long)]
    explicit_policy: bool,
    /// Where a certificate says "any policy", it does not count
    #[arg(long)]
    inhibit_any_policy: bool,
    /// Where a certificate maps one policy to another, it does not count
    #[arg(long)]
    inhibit_policy_mapping: bool,
}

fn policy(text: &str) -> Result<Oid, String> {
    text.parse().map_err(|_| "not an object identifier such as 2.23.140.1.5.2.3".to_owned())
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Revocation {
    Require,
    Offered,
    Off,
}

impl Trust {
    /// Reads what the options name, and the own CA's anchors where there is a data directory.
    pub(super) fn evidence(&self, everywhere: &Everywhere, signer: Signer) -> Result<Evidence, Failure> {
        let Choice { expectations, correspondents, delivery_log, .. } = expected(&config::load(everywhere)?.check);
        let choice = Choice { expectations, correspondents, delivery_log, ..self.choice(everywhere, signer) };
        Ok(evidence::gather(&choice, input::now())?)
    }

    /// The same, but what cannot be read of a file is left out, and told.
    pub(super) fn readable(&self, everywhere: &Everywhere) -> Result<(Evidence, Vec<Unusable>), Failure> {
        Ok(evidence::gather_readable(&self.choice(everywhere, Signer::Anybody), input::now())?)
    }

    /// What may be asked outside.
    pub(super) fn outside(&self, everywhere: &Everywhere) -> Result<Option<Outside>, Failure> {
        outside::outside(everywhere, self.offline)
    }

    fn choice(&self, everywhere: &Everywhere, signer: Signer) -> Choice {
        // Anchors of a store that cannot be read are not believed, and that is said; other anchors still count.
        let Believed { own_ca, own_lists, operators } = believed(everywhere).unwrap_or_else(|fault| {
            eprintln!("kakitome: the own CA and the anchors of the data directory do not count: {fault}");
            Believed::default()
        });
        if !own_ca.is_empty() && !everywhere.quiet {
            eprintln!("kakitome: the own CA of {} counts as an anchor", everywhere.data.display());
        }
        Choice {
            trust: self.trust.clone(),
            public_roots: self.public_roots.clone(),
            crls: self.crl.clone(),
            policy: PolicyInputs {
                acceptable: self.policy.clone(),
                require_explicit: self.explicit_policy,
                inhibit_mapping: self.inhibit_policy_mapping,
                inhibit_any: self.inhibit_any_policy,
            },
            own_ca,
            own_lists,
            operators,
            at: self.at,
            revocation: self.revocation.map(|mode| match mode {
                Revocation::Require => Mode::Require,
                Revocation::Offered => Mode::Offered,
                Revocation::Off => Mode::Off,
            }),
            signer,
            ..Choice::default()
        }
    }
}

/// What the settings say of senders.
pub(super) fn expected(check: &Check) -> Choice {
    Choice {
        expectations: check.expectations(),
        correspondents: check.correspondents_file.clone(),
        delivery_log: check.delivery_log.clone(),
        ..Choice::default()
    }
}

/// The own CA's anchors and what they say of CAs below them, and what the operator chose.
#[derive(Default)]
struct Believed {
    own_ca: Vec<Certificate>,
    own_lists: Vec<Crl>,
    operators: Operators,
}

fn believed(everywhere: &Everywhere) -> Result<Believed, Failure> {
    let Some(store) = everywhere.store_read_only()? else { return Ok(Believed::default()) };
    Ok(Believed {
        own_ca: authority::Anchors::read(&store)?,
        own_lists: authority::Anchors::lists(&store)?,
        operators: Chosen::read(&store)?.operators(),
    })
}
