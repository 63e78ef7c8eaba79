//! The page with the real judge, over a real connection: mails of a member of its own, and a mail of the corpus for every
//! state there is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kakitome::settings::Settings;
use kakitome::web::pickup::{Counter, routes};
use kakitome::web::{Checker, Inside, InstanceInfo, router};
use kakitome_office::authority::{Authority, AuthoritySettings};
use kakitome_office::deploy::pickup::{Attempt, Offer, Standing};
use kakitome_office::deploy::{File, Program};
use kakitome_office::evidence::{self, Choice};
use kakitome_office::outgoing::{NoCertificates, Outgoing};
use kakitome_office::policy::{Policy, Submission};
use kakitome_office::spool::SpoolDirectory;
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_pki::roots::RootList;
use kakitome_smime::cms::recipient::HeldKeys;
use kakitome_smime::octets::{InMemory, Octets, read_range};
use kakitome_testkit::NOW;
use kakitome_testkit::corpus::{Row, rows};
use kakitome_verdict::answer::Answer;
use kakitome_verdict::sender::Evidence;
use kakitome_verdict::state::State;

use crate::driver::Browser;

/// The largest mail that the page takes, in octets.
const MAX_MAIL: u64 = 1_000_000;

/// A member's name can be as long as he likes; the page must not grow with it.
const MEMBER: &str = "kakitome-no-tantousha-2026.eigyou-honbu.dai-ni-ka@example.test";

/// Judges as the page of `kakitome up` does, at a fixed moment; a mail of the corpus on the evidence of its row.
struct Judge {
    anchor: Certificate,
    spools: SpoolDirectory,
    settings: PathBuf,
    asked: Asked,
}

/// Which row of the corpus is asked about, if it is one: some rows have the same mail, and differ in their evidence.
type Asked = Arc<Mutex<Option<&'static Row>>>;

impl Judge {
    fn evidence(&self, row: Option<&Row>) -> Result<Evidence, String> {
        let Some(row) = row else {
            let choice = Choice { own_ca: vec![self.anchor.clone()], ..Choice::default() };
            return evidence::gather(&choice, NOW).map_err(|error| error.to_string());
        };
        std::fs::write(&self.settings, row.given.settings).map_err(|error| error.to_string())?;
        let settings = Settings::load(Some(&self.settings), std::iter::empty()).map_err(|error| error.to_string())?;
        let choice = Choice { expectations: settings.check.expectations(), ..Choice::default() };
        let evidence = evidence::gather(&choice, row.given.at).map_err(|error| error.to_string())?;
        let responses = row.given.responses.iter().map(|response| OcspResponse::parse(response).unwrap());
        Ok(Evidence {
            roots: RootList::default(),
            anchors: row.given.anchors.clone(),
            hints: row.given.hints.clone(),
            crls: row.given.crls.clone(),
            responses: responses.collect(),
            revocation: row.given.revocation,
            ..evidence
        })
    }
}

impl Checker for Judge {
    fn check(&self, mail: Arc<dyn Octets>) -> Result<Answer, String> {
        let row = *self.asked.lock().unwrap();
        let evidence = self.evidence(row)?;
        let keys = row.map_or_else(|| HeldKeys::new(&SystemRandom), Row::held);
        let judgement =
            evidence::examine(&*mail, &self.spools, &keys, &evidence, None).map_err(|error| error.to_string())?;
        Ok(judgement.answer)
    }

    fn instance(&self) -> InstanceInfo {
        InstanceInfo {
            member_domains: vec!["example.test".into()],
            own_ca: Some(self.anchor.subject().short()),
            spools: self.spools.clone(),
            max_mail: MAX_MAIL,
        }
    }
}

/// Offers a file to whoever asks, and takes no code.
struct Shelf;

impl Shelf {
    fn offer(tries: i64) -> Offer {
        Offer {
            id: "000000000000".into(),
            address: "taro@example.test".into(),
            program: Program::Thunderbird,
            by: "user:root".into(),
            made_at: NOW,
            until: NOW.plus(600),
            tries,
            standing: Standing::Open,
        }
    }
}

impl Counter for Shelf {
    fn look(&self, _: &str) -> Result<Option<Offer>, String> {
        Ok(Some(Self::offer(0)))
    }

    fn authorities(&self) -> Result<Vec<File>, String> {
        Ok(Vec::new())
    }

    fn take(&self, _: &str, _: &str) -> Result<Attempt, String> {
        Ok(Attempt::Wrong(Self::offer(4)))
    }
}

fn authority(data: &Path) -> Arc<Authority> {
    let store = Arc::new(Store::open(data).unwrap());
    let vault = Arc::new(Vault::open(&data.join("sealing.key"), &store).unwrap());
    let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
    Arc::new(Authority::open(store, vault, settings, NOW, Arc::new(SystemRandom)).unwrap())
}

const MAIL: &str = "From: =?UTF-8?B?5L6L56S6IOWkqumDjg==?= <MEMBER>\r\n\
    To: hanako@example.net\r\n\
    Subject: =?UTF-8?B?5pyI5L6L5aCx5ZGK?=\r\n\
    Date: Tue, 01 Dec 2026 00:00:00 +0000\r\n\
    Message-ID: <1@example.test>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=UTF-8\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\
    \r\n\
    The amount is 1,000 yen.\r\n";

fn signed_by(authority: &Arc<Authority>, mail: &str) -> String {
    let policy = Policy { members: vec!["example.test".into()], ..Policy::default() };
    let outgoing = Outgoing::new(Arc::clone(authority), policy, Arc::new(NoCertificates), Arc::new(SystemRandom));
    let mail = Arc::new(mail.as_bytes().to_vec());
    let mut outcome = outgoing.process(mail, "", &Submission::default(), &InMemory, NOW).unwrap();
    let copy = outcome.copies.pop().unwrap();
    assert!(copy.done.signing.is_ok(), "the mail was not signed: {}", copy.done);
    let mail = copy.mail;
    String::from_utf8(read_range(&*mail, 0..mail.len(), 1 << 20).unwrap()).unwrap()
}

/// A mail that calls any file its signature.
const FAKE: &str = "From: Bank <info@bank.example>\r\n\
    To: hanako@example.net\r\n\
    Subject: Your account\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\
    \r\n\
    --b\r\n\
    Content-Type: text/plain\r\n\
    \r\n\
    Please confirm your password.\r\n\
    --b\r\n\
    Content-Type: application/octet-stream; name=\"smime.p7s\"\r\n\
    Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\
    Content-Transfer-Encoding: base64\r\n\
    \r\n\
    9vd2Zx1kqU0mYQ7cH3Jr5n8bT4sLwEoKpA==\r\n\
    --b--\r\n";

/// A served page, and what can be dropped on it.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) anchor: Certificate,
    /// State and mail, by members of this house, and others.
    pub(crate) mails: Vec<(&'static str, String)>,
    asked: Asked,
    directory: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl House {
    pub(crate) fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let (own, foreign) = (authority(&folder("own")), authority(&folder("foreign")));
        let mail = MAIL.replace("MEMBER", MEMBER);
        let signed = signed_by(&own, &mail);
        let altered = signed.replace("1,000 yen", "9,000 yen");
        assert_ne!(altered, signed);
        let mails = vec![
            ("LOCAL_CONFIRMED", signed),
            ("ALTERED", altered),
            ("FAKE_SIGNATURE", FAKE.to_owned()),
            ("NOT_SIGNED", mail.clone()),
            ("NOT_A_MAIL", "%PDF-1.7\n\u{1}\u{2}\n".to_owned()),
            ("ISSUER_UNKNOWN", signed_by(&foreign, &mail)),
        ];
        let spools = SpoolDirectory::new(folder("spool")).unwrap();
        let anchor = own.anchor().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let judge = Judge {
            anchor: anchor.clone(),
            spools,
            settings: directory.path().join("settings.toml"),
            asked: Arc::clone(&asked),
        };
        let site = router(Arc::new(judge), Inside::default()).merge(routes(Arc::new(Shelf)));
        runtime.spawn(async move { axum::serve(listener, site).await });
        Self { address, anchor, mails, asked, directory, _runtime: runtime }
    }

    pub(crate) fn url(&self, lang: &str) -> String {
        format!("http://{}/?lang={lang}", self.address)
    }

    pub(crate) fn help(&self, lang: &str) -> String {
        format!("http://{}/help?lang={lang}", self.address)
    }

    /// Where a file is picked up.
    pub(crate) fn pickup(&self, lang: &str) -> String {
        format!("http://{}/pickup/token?lang={lang}", self.address)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// A mail as a file to be chosen.
    pub(crate) fn file(&self, name: &str, mail: &[u8]) -> PathBuf {
        let path = self.folder().join(format!("{name}.eml"));
        std::fs::write(&path, mail).unwrap();
        path
    }

    /// The mail of a state, from this house or from the corpus; it is the next to be judged.
    pub(crate) fn mail(&self, state: &str) -> Vec<u8> {
        *self.asked.lock().unwrap() = None;
        if state == State::TooBig.name() {
            return vec![b'x'; usize::try_from(MAX_MAIL).unwrap() + 1];
        }
        if let Some((_, mail)) = self.mails.iter().find(|(name, _)| *name == state) {
            return mail.clone().into_bytes();
        }
        let fits = |row: &&Row| row.state == state && row.exception().is_none() && row.given.delivered.is_none();
        self.row(rows().iter().find(fits).unwrap())
    }

    /// The mail of a row of the corpus; it is the next to be judged.
    pub(crate) fn row(&self, row: &'static Row) -> Vec<u8> {
        *self.asked.lock().unwrap() = Some(row);
        row.mail.clone()
    }

    /// Drops the mail of a state on the page.
    pub(crate) fn ask(&self, browser: &Browser, lang: &str, state: &str) {
        self.drop(browser, lang, state, &self.mail(state));
    }

    /// Drops a file on the page.
    pub(crate) fn drop(&self, browser: &Browser, lang: &str, name: &str, file: &[u8]) {
        browser.open(&self.url(lang));
        if u64::try_from(file.len()).unwrap() > MAX_MAIL {
            // the page's script sends no such file: so as without it
            browser.run("delete document.querySelector('form').dataset.max", "");
        }
        browser.type_into("#mail", self.file(name, file).to_str().unwrap());
        browser.submit("button[type=submit]", "/check?");
    }

    /// A file with every mail of this house.
    pub(crate) fn many(&self) -> Vec<u8> {
        let each = self.mails.iter().filter(|(_, mail)| mail.contains("From: "));
        let each = each.map(|(_, mail)| format!("From mail@example.test Tue Dec  1 00:00:00 2026\n{mail}\n"));
        each.collect::<String>().into_bytes()
    }
}
