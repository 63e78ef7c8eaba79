//! What a member holds, put into files: for the command line, and for the page where files are picked up.

use std::sync::Arc;

use kakitome_office::audit::{self, Actor, Part};
use kakitome_office::authority::{Anchors, Authority, Credential, Holding};
use kakitome_office::deploy::pickup::{self, Attempt, Offer};
use kakitome_office::deploy::{self, Account, Code, File, Identity, Member, Program, Sealer};
use kakitome_office::fault::Fault;
use kakitome_office::members::{Joining, Members, Standing};
use kakitome_office::store::Store;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{SigningKey, SystemRandom};

use crate::cli::authority::Opened;
use crate::cli::{Everywhere, Failure, input};
use crate::settings::Settings;
use crate::web::pickup::Counter;

/// Nobody becomes a member by being asked about.
const LISTED: Joining = Joining { by_first_mail: false, plus_addresses: false };

/// Whose keys may go into files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Those of members.
    Members,
    /// Those of people who left, and of addresses that were given up, too: to read their old mail.
    AlsoLeft,
}

/// Makes files out of what members hold.
pub(in crate::cli) struct Desk {
    store: Arc<Store>,
    authority: Arc<Authority>,
    account: Option<Account>,
    sign_as: Option<Address>,
}

/// The store, for readers.
pub(super) fn read_only(everywhere: &Everywhere) -> Result<Option<Store>, Failure> {
    everywhere.store_read_only()
}

/// The store of an instance that was started before.
pub(super) fn writable(everywhere: &Everywhere) -> Result<Store, Failure> {
    if read_only(everywhere)?.is_none() {
        let data = everywhere.data.display();
        return Err(Failure::unreadable(format!("{data}: there is no store here yet; `kakitome up` makes one")));
    }
    everywhere.store()
}

impl Desk {
    /// Over the store of an instance that was started before.
    pub(super) fn open(everywhere: &Everywhere) -> Result<Self, Failure> {
        writable(everywhere)?;
        let opened = Opened::new(everywhere)?;
        let authority = Arc::new(opened.authority()?);
        Ok(Self::over(opened.store, authority, &opened.settings))
    }

    /// Over a house that is open.
    pub(in crate::cli) fn over(store: Arc<Store>, authority: Arc<Authority>, settings: &Settings) -> Self {
        let sign_as = settings.deploy.sign_as.as_ref().map(|mailbox| mailbox.address().clone());
        Self { store, authority, account: settings.deploy.account(), sign_as }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// All files for a program.
    pub(super) fn files(
        &self,
        address: &Address,
        program: Program,
        whose: Whose,
        code: &Code,
        now: Time,
    ) -> Result<Vec<File>, Fault> {
        self.with(address, program, whose, now, |member, sealer| {
            deploy::files(program, member, code, sealer, now, &SystemRandom)
        })
    }

    /// Is there something to make a file of?
    pub(super) fn look(&self, address: &Address, program: Program, now: Time) -> Result<(), Fault> {
        self.with(address, program, Whose::Members, now, |_, _| Ok(()))
    }

    /// Is the address a member's, today?
    fn is_members(&self, address: &Address, now: Time) -> Result<bool, Fault> {
        let standing = Members::new(Arc::clone(&self.store)).rehearsed(address, LISTED, now)?;
        Ok(matches!(standing, Some(Standing::Member(..))))
    }

    fn with<T>(
        &self,
        address: &Address,
        program: Program,
        whose: Whose,
        now: Time,
        work: impl FnOnce(&Member<'_>, Option<&Sealer<'_>>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let text = address.to_string();
        let roots = Anchors::read(&self.store)?;
        let holdings = if program.needs_keys() { self.authority.holdings(address, now)? } else { Vec::new() };
        let identities: Vec<Identity> = holdings.iter().map(|holding| identity(holding, &roots)).collect();
        let organisation = roots.last().and_then(organisation).unwrap_or_else(|| "Kakitome".to_owned());
        let member = Member {
            address: &text,
            name: None,
            organisation: &organisation,
            identities: &identities,
            roots: &roots,
            account: self.account.as_ref(),
        };
        if program.needs_keys() && identities.is_empty() {
            return Err(Fault::NoKeyToDeploy { address: text });
        }
        if program.needs_keys() && whose == Whose::Members && !self.is_members(address, now)? {
            return Err(Fault::NoMembersKey { address: text });
        }
        let signer = self.signer(program, &holdings, now)?;
        let sealer = signer.as_ref().map(Signer::sealer);
        work(&member, sealer.as_ref())
    }

    /// Who signs a profile: the address of the settings, else the member.
    fn signer(&self, program: Program, holdings: &[Holding], now: Time) -> Result<Option<Signer>, Fault> {
        if program != Program::Apple {
            return Ok(None);
        }
        if let Some(address) = &self.sign_as {
            return self.authority.credential(address, now).map(|credential| Some(Signer::House(credential)));
        }
        let own = holdings.iter().find(|holding| holding.usage.signs() && !holding.is_retired);
        own.map(Signer::of).transpose()
    }

    /// The offer of a link, if it can still be taken. One whose member left since is withdrawn.
    fn standing_offer(&self, token: &str, now: Time) -> Result<Option<Offer>, Fault> {
        let Some(offer) = pickup::look(&self.store, token, now)? else { return Ok(None) };
        let address = Address::parse(&offer.address).map_err(|error| Fault::Bug { what: error.to_string() })?;
        if !offer.program.needs_keys() || self.is_members(&address, now)? {
            return Ok(Some(offer));
        }
        pickup::withdraw(&self.store, &Actor::part(&audit::machine(), Part::Web), &offer.id, now)?;
        Ok(None)
    }

    /// Records that files left the house.
    pub(super) fn exported(
        &self,
        actor: &Actor,
        address: &Address,
        program: Program,
        files: &[File],
        now: Time,
    ) -> Result<(), Fault> {
        let text = address.to_string();
        let file = files.iter().find(|file| !file.keys.is_empty()).or(files.first());
        let Some(file) = file else { return Ok(()) };
        self.store.write(|s| pickup::exported(s, actor, &text, program, file, now))
    }
}

/// Who signs a profile.
enum Signer {
    House(Arc<Credential>),
    Member { certificate: Certificate, chain: Vec<Certificate>, key: SigningKey },
}

impl Signer {
    fn of(holding: &Holding) -> Result<Self, Fault> {
        let key = SigningKey::from_der(&holding.key).map_err(|error| Fault::Bug { what: error.to_string() })?;
        let certificate = holding.certificate.clone();
        let chain = std::iter::once(certificate.clone()).chain(holding.chain.iter().cloned()).collect();
        Ok(Self::Member { certificate, chain, key })
    }

    fn sealer(&self) -> Sealer<'_> {
        match self {
            Self::House(credential) => {
                Sealer { certificate: &credential.certificate, chain: &credential.chain, key: &credential.key }
            }
            Self::Member { certificate, chain, key } => Sealer { certificate, chain, key },
        }
    }
}

fn identity(holding: &Holding, roots: &[Certificate]) -> Identity {
    Identity {
        key: holding.key.clone(),
        certificate: holding.certificate.clone(),
        chain: holding.chain.iter().filter(|one| !roots.contains(one)).cloned().collect(),
        signs: holding.usage.signs(),
        opens: holding.usage.encrypts(),
        is_retired: holding.is_retired,
    }
}

/// The organisation in a CA's name.
fn organisation(root: &Certificate) -> Option<String> {
    root.subject().find(oid::ORGANIZATION).map(str::to_owned)
}

impl Counter for Desk {
    fn look(&self, token: &str) -> Result<Option<Offer>, String> {
        self.standing_offer(token, input::now()).map_err(|fault| fault.to_string())
    }

    fn authorities(&self) -> Result<Vec<File>, String> {
        Anchors::read(&self.store).map(|roots| deploy::authorities(&roots)).map_err(|fault| fault.to_string())
    }

    fn take(&self, token: &str, code: &str) -> Result<Attempt, String> {
        let actor = Actor::part(&audit::machine(), Part::Web);
        let now = input::now();
        let make = |offer: &Offer, code: &Code| {
            let address = Address::parse(&offer.address).map_err(|error| Fault::Bug { what: error.to_string() })?;
            self.with(&address, offer.program, Whose::Members, now, |member, sealer| {
                deploy::file(offer.program, member, code, sealer, now, &SystemRandom)
            })
        };
        match self.standing_offer(token, now) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Attempt::Gone),
            Err(fault) => return Err(fault.to_string()),
        }
        pickup::take(&self.store, &actor, token, code, now, make).map_err(|fault| fault.to_string())
    }
}
