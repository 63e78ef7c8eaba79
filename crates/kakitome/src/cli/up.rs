//! `kakitome up`: gateway and check page on this machine, with embedded defaults.

mod desk;
mod in_use;
mod inbound;
mod jobs;
mod judge;
mod log;
mod notify;
mod privileges;
mod readiness;
mod reload;
mod watch;

use std::fs::{self, File, TryLockError};
use std::future::IntoFuture;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use kakitome_office::audit::{self, Actor, Part};
use kakitome_office::authority::Authority;
use kakitome_office::directory::Directory;
use kakitome_office::directory::publish::Publisher;
use kakitome_office::evidence::{self, examine};
use kakitome_office::journal::Journal;
use kakitome_office::outgoing::{Certificates, Outgoing, Roll};
use kakitome_office::spool::SpoolDirectory;
use kakitome_office::vault::Vault;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::SystemRandom;
use kakitome_pki::path::Known;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::octets::Octets;
use kakitome_verdict::answer::Answer;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use self::desk::SigningDesk;
use self::in_use::InUse;
use self::inbound::{InboundDesk, Intake};
use self::judge::Judge;
use self::readiness::Readiness;
use super::{Ended, Everywhere, Failure, authority, config, deploy, input, outside, trust, vault};
use crate::gateway::{Bound, Direction, Gateway, Mode, Protocol, why_not};
use crate::metrics::Metrics;
use crate::settings::{Place, Settings};
use crate::web::{self, Checker, Inside, InstanceInfo};

/// The file whose lock says that a server runs on this data directory.
const LOCK: &str = "lock";
/// How long work that still runs after the listeners are closed may hold up the end.
const LAST_WORK: Duration = Duration::from_secs(5);
/// So often it is looked which own CAs there are.
const AUTHORITIES_LOOKED_AT: Duration = Duration::from_secs(60);

/// Start the gateway and the check page on this machine, with embedded defaults.
///
/// Needs no configuration: the data directory and an own certificate authority are made at the first start. Every mail
/// of a member that comes in by an outbound listener leaves signed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome up
  kakitome up --data /var/lib/kakitome --config /etc/kakitome.toml")]
pub(super) struct Up {}

impl Up {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let settings = config::load(everywhere)?;
        log::open(&settings.log);
        let bound = match privileges::Target::of(&settings.process)? {
            Some(target) => {
                let bound = bind(&settings)?;
                target.hand_over(&everywhere.data)?;
                target.become_it()?;
                bound
            }
            None => Bound::default(),
        };
        if rustix::process::geteuid().is_root() {
            tracing::warn!(
                "started by root, who may do more than this program should: set process.user, or give it a user of its own"
            );
        }
        make_private(&everywhere.data)?;
        let _lock = lock(&everywhere.data)?;
        let house = House::open(&settings, everywhere)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let ended = runtime.block_on(house.serve(&settings, everywhere, bound));
        runtime.shutdown_timeout(LAST_WORK);
        ended.map(|()| Ended::Done)
    }
}

/// Binds every TCP socket while we may.
fn bind(settings: &Settings) -> Result<Bound, Failure> {
    let mut bound = Bound::default();
    for listener in &settings.gateway.listeners {
        if let Place::Tcp(address) = listener.place() {
            bound.bind(*address).map_err(|error| {
                let place = listener.place();
                Failure::try_again(format!("gateway.listeners: cannot listen on {place}: {}", why_not(&error)))
            })?;
        }
    }
    bound.bind(settings.web.address).map_err(|error| page_not_bound(settings, &error))?;
    Ok(bound)
}

fn page_not_bound(settings: &Settings, error: &io::Error) -> Failure {
    Failure::try_again(format!("web.address: cannot listen on {}: {}", settings.web.address, why_not(error)))
}

/// The data directory holds keys and mail: nobody else may look in.
fn make_private(data: &Path) -> Result<(), Failure> {
    let fault = |error| {
        Failure::try_again(format!(
            "{}: cannot be the data directory: {error}; choose another with --data",
            data.display()
        ))
    };
    if data.exists() {
        let found = fs::metadata(data).map_err(fault)?;
        if !found.is_dir() {
            return Err(fault(io::ErrorKind::NotADirectory.into()));
        }
        let mode = found.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(Failure::try_again(format!(
                "{0}: others may look into this directory, which holds keys and mail; chmod 700 {0}",
                data.display()
            )));
        }
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(fault)
}

/// The lock of whoever serves a data directory.
pub(super) fn lock(data: &Path) -> Result<File, Failure> {
    let path = data.join(LOCK);
    let fault = |error: io::Error| {
        Failure::try_again(format!(
            "{}: cannot be locked: {error}; look at the disk and at who owns the data directory, then try again",
            path.display()
        ))
    };
    let file = File::create(&path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::try_again(format!(
            "{}: another kakitome is running on this data directory; end that one first, or use another with --data",
            data.display()
        ))),
        Err(TryLockError::Error(error)) => Err(fault(error)),
    }
}

/// What stands behind the doors.
struct House {
    anchor: Certificate,
    vault: Arc<Vault>,
    authority: Arc<Authority>,
    publisher: Arc<Publisher>,
    is_published: bool,
    judge: Arc<Judge>,
    journal: Arc<Journal>,
    /// Recipients' certificates.
    directory: Arc<Directory>,
    intake: Arc<Intake>,
    checker: Arc<PageChecker>,
    spools: SpoolDirectory,
    metrics: Arc<Metrics>,
    in_use: InUse,
}

impl House {
    fn open(settings: &Settings, everywhere: &Everywhere) -> Result<Self, Failure> {
        let data = &everywhere.data;
        let spools = SpoolDirectory::new(data.join("spool"))?;
        if !everywhere.quiet && matches!(everywhere.store_read_only(), Ok(None)) {
            eprintln!("kakitome: first start: making the own certificate authority");
        }
        let store = Arc::new(everywhere.store()?);
        let vault = Arc::new(vault::open(everywhere, settings, &store)?);
        let random = Arc::new(SystemRandom);
        let wishes = authority::wishes(settings);
        let authority =
            Arc::new(Authority::open(Arc::clone(&store), Arc::clone(&vault), wishes, input::now(), random.clone())?);
        let start = Actor::part(&audit::machine(), Part::Start);
        audit::settings(&store, &start, &settings.recorded(), input::now())?;
        audit::started(&store, &start, &settings.recorded(), env!("CARGO_PKG_VERSION"), input::now())?;
        let anchor = authority.anchor()?;
        let domains = settings.members.domain_names();
        // A list that cannot be read is told now, not to the first reader.
        evidence::gather(&trust::expected(&settings.check), input::now())?;
        let judge = Arc::new(Judge {
            store: Arc::clone(&store),
            outside: outside::by(settings, everywhere),
            expected: settings.check.clone(),
            known: Known::remembering(),
            last: Mutex::default(),
        });
        let terms = super::directory::terms(settings);
        let directory = Directory::judging(Arc::clone(&store), terms);
        let directory = Arc::new(match outside::by(settings, everywhere) {
            Some(outside) => directory.asking(Arc::new(outside)),
            None => directory,
        });
        let (journal, metrics) = (Arc::new(Journal::open(data)?), Arc::<Metrics>::default());
        let shared = (Arc::clone(&judge), Arc::clone(&journal), Arc::clone(&metrics), Arc::clone(&directory));
        let intake = Intake::new(shared.0, shared.1, spools.clone(), shared.2, Arc::clone(&vault), shared.3);
        let in_use = InUse::new(settings);
        let (spool, written) = (spools.clone(), Arc::clone(&journal));
        let readiness =
            Readiness { store, vault: Arc::clone(&vault), journal: written, spools: spool, in_use: in_use.clone() };
        let house = Self {
            vault,
            authority,
            directory,
            judge: Arc::clone(&judge),
            journal,
            intake: Arc::new(intake),
            publisher: Arc::new(Publisher::new(Arc::clone(&readiness.store))),
            checker: Arc::new(PageChecker {
                judge,
                instance: InstanceInfo {
                    member_domains: domains,
                    own_ca: Some(anchor.subject().short()),
                    spools: spools.clone(),
                    max_mail: settings.web.max_mail.get(),
                },
                readiness,
            }),
            anchor,
            is_published: settings.web.public_url.is_some(),
            spools,
            metrics,
            in_use,
        };
        watch::watch(&house);
        Ok(house)
    }

    /// Records what changed in the settings, before it counts.
    fn record(&self, settings: &Settings) -> Result<(), Failure> {
        let actor = Actor::part(&audit::machine(), Part::Start);
        audit::settings(&self.judge.store, &actor, &settings.recorded(), input::now())?;
        Ok(())
    }

    /// The desk by these settings; a reload makes another.
    fn desk(&self, settings: &Settings) -> Result<SigningDesk, Failure> {
        let outgoing = Outgoing::new(
            Arc::clone(&self.authority),
            settings.policy(),
            Arc::clone(&self.directory) as Arc<dyn Certificates>,
            Arc::new(SystemRandom),
        );
        let actor = Actor::part(&audit::machine(), Part::Gateway);
        let outgoing =
            outgoing.for_members(Roll::new(Arc::clone(&self.judge.store), settings.members.joining(), actor));
        let inbound = InboundDesk::new(settings, Arc::clone(&self.intake));
        Ok(SigningDesk { outgoing, inbound, intake: Arc::clone(&self.intake), spools: self.spools.clone() })
    }

    /// The page, and what the own CA publishes where its certificates name the place.
    fn site(&self, settings: &Settings) -> axum::Router {
        let inside = Inside { metrics: Arc::clone(&self.metrics), networks: settings.web.private_networks.clone() };
        let counter =
            deploy::Counter::over(Arc::clone(&self.checker.judge.store), Arc::clone(&self.authority), settings);
        let page = web::router(self.checker.clone(), inside).merge(web::pickup::routes(Arc::new(counter)));
        if !self.is_published {
            return page;
        }
        let site = page.merge(web::published(Arc::clone(&self.authority)));
        if settings.directory.publish { site.merge(web::certificates(Arc::clone(&self.publisher))) } else { site }
    }

    async fn serve(self, settings: &Settings, everywhere: &Everywhere, mut bound: Bound) -> Result<(), Failure> {
        let journal = Arc::clone(&self.journal);
        let (desk, metrics) = (Arc::new(self.desk(settings)?), Arc::clone(&self.metrics));
        let (data, spools) = (&everywhere.data, self.spools.clone());
        let gateway = Gateway::open(settings, data, spools, journal, desk, metrics, &mut bound).await?;
        let address = settings.web.address;
        let page = match bound.take_tcp(address)? {
            Some(page) => page,
            None => TcpListener::bind(address).await.map_err(|error| page_not_bound(settings, &error))?,
        };
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        if !everywhere.quiet {
            self.welcome(settings, everywhere, &gateway, page.local_addr()?)?;
        }
        let web = tokio::spawn(
            axum::serve(web::Door::new(page), web::service(self.site(settings)))
                .with_graceful_shutdown(stopped(stopping.clone()))
                .into_future(),
        );
        let looking = tokio::spawn(looking(Arc::clone(&self.authority), stopped(stopping.clone())));
        let jobs = jobs::start(&self.judge.store, &self.vault, &self.authority, settings)?;
        let control = gateway.control();
        let mail = tokio::spawn(gateway.serve(stopped(stopping)));
        let mut current = settings.clone();
        notify::ready();
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = hangup.recv() => current = reload::reload(&self, &control, everywhere, current).await,
            }
        }
        notify::stopping();
        tracing::info!("stopping: mail in flight is finished, nothing new is taken");
        stop.send_replace(true);
        // What it is at is begun again at the next start, or by another node.
        jobs.stop();
        mail.await.map_err(|error| Failure::bug(format!("the gateway: {error}")))?;
        looking.await.ok();
        // A reader of the page who dawdles does not hold up the end; mail was finished above.
        tokio::time::timeout(LAST_WORK, web).await.ok();
        Ok(())
    }

    /// What a newcomer needs to know, in a few lines.
    fn welcome(
        &self,
        settings: &Settings,
        everywhere: &Everywhere,
        gateway: &Gateway,
        page: std::net::SocketAddr,
    ) -> Result<(), Failure> {
        let data = everywhere.data.display();
        let mut lines = vec![format!("Kakitome {} is up.", env!("CARGO_PKG_VERSION")), String::new()];
        let mut smtp = None;
        for (listener, address) in gateway.addresses()? {
            let protocol = match listener.protocol {
                Protocol::Smtp => "SMTP",
                Protocol::Lmtp => "LMTP",
            };
            let what = match (listener.direction, settings.gateway.mode) {
                (_, Mode::Pass) => "passes everything unchanged (gateway.mode = \"pass\")",
                (Direction::Outbound, Mode::Sign) => "signs members' mail",
                (Direction::Inbound, Mode::Sign) => "checks received mail and tells the answer in its header",
            };
            let direction = match listener.direction {
                Direction::Outbound => "outbound",
                Direction::Inbound => "inbound ",
            };
            let place = address.map_or_else(|| listener.place().to_string(), |address| address.to_string());
            lines.push(format!("  {protocol}  {place}  {direction}  {what}"));
            if listener.protocol == Protocol::Smtp && listener.direction == Direction::Outbound {
                smtp = smtp.or(address.filter(|_| !listener.is_open()));
            }
        }
        lines.push(format!("  check page  http://{page}/"));
        let next = settings.gateway.next_hop.as_ref().map_or_else(
            || format!("the Maildir {data}/Maildir/new"),
            |hop| format!("smtp://{}:{}", hop.host(), hop.port()),
        );
        lines.push(format!("  mail goes to  {next}"));
        let domains = settings.members.domain_names();
        lines.push(format!("  member domains  {}", domains.join(", ")));
        lines.push(format!("  data  {data}  (back it up whole: it holds the CA's keys and the key that seals them)"));
        lines.push(String::new());
        if let (Some(smtp), Some(domain)) = (smtp, domains.first()) {
            lines.push("Send a mail through it:".to_owned());
            lines.push(format!(
                "  printf 'From: Alice <alice@{domain}>\\r\\nTo: bob@example.net\\r\\nSubject: Hello\\r\\nDate: %s\\r\\n\\r\\nHello.\\r\\n' \"$(date -R)\" | \
                 curl -sS smtp://{smtp} --mail-from alice@{domain} --mail-rcpt bob@example.net -T -"
            ));
            if settings.gateway.next_hop.is_none() {
                // As it was called, so that the line works where the program is not on the path.
                let program = std::env::args_os().next().unwrap_or_else(|| "kakitome".into());
                let state = match settings.gateway.mode {
                    Mode::Sign => "signed",
                    Mode::Pass => "as it came",
                };
                lines.push(format!("It lies in {data}/Maildir/new, {state}. Drop it on the check page, or:"));
                lines.push(format!(
                    "  {} check --data {data} \"$(ls -t {data}/Maildir/new/* | head -n 1)\"",
                    program.to_string_lossy()
                ));
            }
            lines.push(String::new());
        }
        let signed = match settings.gateway.mode {
            Mode::Sign => "Signed with certificates of the own CA",
            Mode::Pass => "Nothing is signed now. What was signed before is signed with certificates of the own CA",
        };
        lines.push(format!("{signed} “{}”.", self.anchor.subject().short()));
        lines.push(
            "Outside recipients' programs do not know this CA: they show an unknown issuer until they are given"
                .to_owned(),
        );
        lines.push(format!(
            "its certificate (kakitome ca show --pem --data {data}). For everybody to trust your signatures,"
        ));
        lines.push("you need certificates of a public CA; see \"A public certificate\" in the README.".to_owned());
        lines.push(String::new());
        eprintln!("{}", lines.join("\n"));
        Ok(())
    }
}

/// Looks now and then which own CAs there are: another program may have brought one. Lists are signed by a job.
async fn looking(authority: Arc<Authority>, stopped: impl Future<Output = ()>) {
    let mut turns = tokio::time::interval(AUTHORITIES_LOOKED_AT);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = turns.tick() => {}
        }
        let authority = Arc::clone(&authority);
        if let Ok(Err(fault)) = tokio::task::spawn_blocking(move || authority.look_again()).await {
            tracing::error!(%fault, "the own CAs cannot be read; those that were known count");
        }
    }
}

async fn stopped(mut stopping: tokio::sync::watch::Receiver<bool>) {
    // A sender that is gone means the end too.
    stopping.wait_for(|stop| *stop).await.ok();
}

/// Judges for the page; this instance trusts its own CA.
struct PageChecker {
    judge: Arc<Judge>,
    instance: InstanceInfo,
    /// For those who ask whether all is well.
    readiness: Readiness,
}

impl Checker for PageChecker {
    fn check(&self, mail: Arc<dyn Octets>) -> Result<Answer, String> {
        let evidence = self.judge.evidence()?;
        let judgement = examine(&*mail, &self.instance.spools, &NoKeys, &evidence, self.judge.outside.as_ref())
            .map_err(|error| error.to_string())?;
        Ok(judgement.answer)
    }

    fn instance(&self) -> InstanceInfo {
        self.instance.clone()
    }

    fn ready(&self) -> Vec<web::Part> {
        self.readiness.parts()
    }
}
