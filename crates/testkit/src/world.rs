//! One small world: roots, CAs under them, and the people of the corpus.

use std::sync::OnceLock;

use kakitome_pki::asn1::{Oid, oid};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::SigningKey;
use kakitome_pki::path::{Anchor, AnchorSource, Standing};
use kakitome_pki::roots::{self, Header, Root, Uses};

use crate::factory::{Authority, CertificateFactory};
use crate::list::CrlFactory;
use crate::{in_days, key, write};

/// Somebody who signs mail.
#[derive(Clone)]
pub struct Holder {
    /// The certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: &'static SigningKey,
    /// The CAs between the certificate and the root, for the message.
    pub chain: Vec<Certificate>,
}

/// The world.
pub struct Pki {
    /// RE: a public root for e-mail.
    pub re: Authority,
    /// SE: a CA under RE, for e-mail, any policy.
    pub se: Authority,
    /// SE-mv: a CA under RE whose policy is mailbox-validated alone.
    pub se_mv: Authority,
    /// SE-nc: a CA under RE for the mail domain bank.example alone.
    pub se_nc: Authority,
    /// RT: a public root for TLS alone, so no anchor for e-mail.
    pub rt: Authority,
    /// RP: a private root.
    pub rp: Authority,
    /// RX: a root that nobody knows.
    pub rx: Authority,
    /// 例示銀行, organisation-validated, info@bank.example, under SE.
    pub bank: Holder,
    /// Mailbox-validated, user@mail.example, under SE.
    pub mbox: Holder,
    /// 例示 太郎 of 例示銀行, sponsor-validated, taro@bank.example, under SE.
    pub taro: Holder,
    /// 見本 花子, individual-validated, hanako@mail.example, under SE.
    pub hanako: Holder,
    /// The attacker: mailbox-validated, eve@eve.example, under SE.
    pub eve: Holder,
    /// As bank, but ended ten days ago.
    pub expired: Holder,
    /// As bank, but begins in ten days.
    pub not_yet: Holder,
    /// Under RT: info@bank.example.
    pub tls: Holder,
    /// Under RP: staff@local.example.
    pub local: Holder,
    /// Under RX: info@bank.example with the bank's names.
    pub unknown: Holder,
    /// Self-signed, with the bank's names.
    pub self_signed: Holder,
}

/// The names of the bank.
pub const BANK: &[(Oid, &str)] = &[
    (oid::COUNTRY, "JP"),
    (oid::ORGANIZATION, "例示銀行"),
    (oid::ORGANIZATION_IDENTIFIER, "NTRJP-7010001088960"),
    (oid::COMMON_NAME, "例示銀行"),
];

const TARO: &[(Oid, &str)] = &[
    (oid::COUNTRY, "JP"),
    (oid::ORGANIZATION, "例示銀行"),
    (oid::ORGANIZATION_IDENTIFIER, "NTRJP-7010001088960"),
    (oid::SURNAME, "例示"),
    (oid::GIVEN_NAME, "太郎"),
    (oid::COMMON_NAME, "例示 太郎"),
];

const HANAKO: &[(Oid, &str)] =
    &[(oid::COUNTRY, "JP"), (oid::SURNAME, "見本"), (oid::GIVEN_NAME, "花子"), (oid::COMMON_NAME, "見本 花子")];

impl Pki {
    /// The policy of the S/MIME Baseline Requirements: profile 1 MV, 2 OV, 3 SV, 4 IV; generation 1 legacy,
    /// 2 multipurpose, 3 strict.
    pub fn policy(profile: u32, generation: u32) -> Oid {
        let arc = oid::SMIME_BASELINE_ARC.child(profile).and_then(|arc| arc.child(generation));
        arc.expect("the arc is short")
    }

    /// The world, made once in a process.
    pub fn get() -> &'static Self {
        static WORLD: OnceLock<Pki> = OnceLock::new();
        WORLD.get_or_init(Self::make)
    }

    /// RE and RT as the public list has them: RT is not for e-mail.
    pub fn public_anchors(&self) -> Vec<Anchor> {
        let for_tls = anchor(&self.rt.certificate, AnchorSource::PublicList);
        vec![
            anchor(&self.re.certificate, AnchorSource::PublicList),
            Anchor { standing: Standing::NotForEmail, ..for_tls },
        ]
    }

    /// The same as a list on disk, from [`NOW`](crate::NOW), in the form of `pki::roots`. RE is for e-mail, RT is not.
    pub fn public_list(&self) -> String {
        let mut tls = Root::new(&self.rt.certificate);
        tls.uses = Uses { email: false, tls: true };
        let header = Header { name: "test-1".to_owned(), date: Some(crate::NOW), ..Header::default() };
        roots::write(&header, &["For tests."], &[Root::new(&self.re.certificate), tls])
    }

    /// RP as a user chose it.
    pub fn private_anchors(&self) -> Vec<Anchor> {
        vec![anchor(&self.rp.certificate, AnchorSource::User)]
    }

    /// Fresh empty lists of RE, SE and RP.
    pub fn lists(&self) -> Vec<kakitome_pki::cert::crl::Crl> {
        [&self.re, &self.se, &self.rp].map(|issuer| CrlFactory::default().signed_by(issuer)).to_vec()
    }

    /// A CA under RE for e-mail with any policy, by another name.
    pub fn sub_authority(name: &str) -> CertificateFactory {
        CertificateFactory::authority(name)
            .with(oid::BASIC_CONSTRAINTS, true, write::basic_constraints(true, Some(0)))
            .with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::EMAIL_PROTECTION]))
            .with(oid::CRL_DISTRIBUTION_POINTS, false, write::crl_points("http://crl.re.example/re.crl"))
            .policies(&[oid::ANY_POLICY])
    }

    /// A leaf as SE issues it: with a distribution point and a strict policy of this profile.
    pub fn leaf(subject: &[(Oid, &str)], mailbox: &str, profile: u32) -> CertificateFactory {
        CertificateFactory::signer(subject, &[mailbox], mailbox)
            .with(oid::CRL_DISTRIBUTION_POINTS, false, write::crl_points("http://crl.se.example/se.crl"))
            .policies(&[Self::policy(profile, 3)])
    }

    fn make() -> Self {
        let root = |name: &str| CertificateFactory::authority(name).self_signed(name);
        let (re, rt, rp, rx) = (root("RE"), root("RT"), root("RP"), root("RX"));
        let se = Self::sub_authority("SE").authority_by(&re, "SE");
        let se_mv = Self::sub_authority("SE-mv").policies(&[Self::policy(1, 3)]).authority_by(&re, "SE-mv");
        let se_nc = Self::sub_authority("SE-nc")
            .with(oid::NAME_CONSTRAINTS, true, write::constraints(&[write::mailbox("bank.example")], &[]))
            .authority_by(&re, "SE-nc");
        let under_se = |factory: CertificateFactory, key_name: &str| Holder {
            certificate: factory.issued_by(&se),
            key: key(key_name),
            chain: vec![se.certificate.clone()],
        };
        let under = |factory: CertificateFactory, issuer: &Authority, key_name: &str| Holder {
            certificate: factory.issued_by(issuer),
            key: key(key_name),
            chain: Vec::new(),
        };
        let bank = || Self::leaf(BANK, "info@bank.example", 2);
        let address_only = |address: &'static str| Self::leaf(&[(oid::COMMON_NAME, address)], address, 1);
        Self {
            bank: under_se(bank(), "info@bank.example"),
            mbox: under_se(address_only("user@mail.example"), "user@mail.example"),
            taro: under_se(Self::leaf(TARO, "taro@bank.example", 3), "taro@bank.example"),
            hanako: under_se(Self::leaf(HANAKO, "hanako@mail.example", 4), "hanako@mail.example"),
            eve: under_se(address_only("eve@eve.example"), "eve@eve.example"),
            expired: under_se(bank().valid(in_days(-375), in_days(-10)), "info@bank.example"),
            not_yet: under_se(bank().valid(in_days(10), in_days(375)), "info@bank.example"),
            tls: under(bank(), &rt, "info@bank.example"),
            local: under(
                CertificateFactory::signer(
                    &[(oid::COMMON_NAME, "staff@local.example")],
                    &["staff@local.example"],
                    "staff",
                ),
                &rp,
                "staff",
            ),
            unknown: under(bank(), &rx, "info@bank.example"),
            self_signed: Holder {
                certificate: bank().self_signed("info@bank.example").certificate,
                key: key("info@bank.example"),
                chain: Vec::new(),
            },
            re,
            se,
            se_mv,
            se_nc,
            rt,
            rp,
            rx,
        }
    }
}

/// A certificate as an anchor.
pub fn anchor(certificate: &Certificate, source: AnchorSource) -> Anchor {
    Anchor::new(certificate.clone(), source)
}
