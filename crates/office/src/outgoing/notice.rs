//! What the sender of a mail is told about it, in a mail of ours: in both languages, signed where a role address is set,
//! never an answer to a machine.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::NoRandomness;
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::encoding::Base64Writer;
use kakitome_smime::mime::header::{Header, encode};
use kakitome_smime::octets::Spools;
use kakitome_verdict::safe::Safe;

use super::{Notice, Outgoing, OutgoingFault};
use crate::policy::plan::{Plan, Ready, Withholding};
use crate::policy::sealing::Unsealable;

/// So many recipients are named.
const NAMED_LIMIT: usize = 50;
/// A subject, Date or Message-ID of this length is repeated, in characters.
const REPEATED_LIMIT: usize = 500;

/// What is told.
enum Told {
    /// The mail waits, for certificates of these.
    Held(Vec<String>),
    /// These got it in clear, others encrypted.
    Mixed(Vec<String>),
}

impl Outgoing {
    /// The notice about a mail, if there is one to be sent.
    pub(super) fn notice(
        &self,
        header: &Header,
        sender: &str,
        plan: &Plan<'_>,
        spools: &dyn Spools,
        now: Time,
    ) -> Result<Option<Notice>, OutgoingFault> {
        let Some(told) = told(plan) else { return Ok(None) };
        let Ok(to) = Address::parse(sender) else { return Ok(None) };
        let kind = match told {
            Told::Held(_) => "held",
            Told::Mixed(_) => "mixed",
        };
        let mail = self.written(&told, header, &to, now)?;
        let Some(role) = &self.policy.notices_from else {
            return Ok(Some(Notice { kind, mail: Arc::new(mail) }));
        };
        let draft = Draft::new(&mail)?.map_err(|_| OutgoingFault::Bug("a notice cannot be signed"))?;
        let signed = self.sign(&Ready::plain(role.clone(), draft, Form::Clear), &plan.mail_id, spools, now)?;
        Ok(Some(Notice { kind, mail: signed.mail }))
    }

    fn written(&self, told: &Told, header: &Header, to: &Address, now: Time) -> Result<Vec<u8>, OutgoingFault> {
        let domain = self.policy.members.first().map_or("localhost", String::as_str);
        let from = self.policy.notices_from.as_ref().map_or_else(|| format!("postmaster@{domain}"), Address::to_string);
        let mut octets = [0; 16];
        self.random.fill(&mut octets).map_err(|NoRandomness| std::io::Error::other(NoRandomness))?;
        let subject = match told {
            Told::Held(_) => "送信を保留しています（証明書がありません） / Your mail is waiting for a certificate",
            Told::Mixed(_) => "一部の宛先には暗号化せずに送信しました / Your mail left in clear for some",
        };
        let mut out = format!(
            "From: Kakitome <{from}>\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{domain}>\r\n",
            encode(subject),
            now.to_mail_date(),
            hex(&octets)
        )
        .into_bytes();
        // RFC 3834 §3.1.7: whoever answers machines leaves it alone.
        out.extend_from_slice(b"Auto-Submitted: auto-replied\r\n");
        let id = header.find("Message-ID").filter(|id| {
            id.len() <= REPEATED_LIMIT
                && id.starts_with('<')
                && id.ends_with('>')
                && id.bytes().all(|octet| octet.is_ascii_graphic())
        });
        if let Some(id) = &id {
            write!(out, "In-Reply-To: {id}\r\nReferences: {id}\r\n")?;
        }
        write!(
            out,
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        )?;
        // What the mail said of itself goes back to members alone.
        let about = if self.policy.is_member(to) { about(header) } else { String::new() };
        let mut writer = Base64Writer::new(&mut out);
        writer.write_all(text(told, &about).replace('\n', "\r\n").as_bytes())?;
        writer.finish()?;
        out.extend_from_slice(b"\r\n");
        Ok(out)
    }
}

fn told(plan: &Plan<'_>) -> Option<Told> {
    let name = |place: &usize| plan.each.get(*place).map(|each| Safe::value(&each.to).to_string());
    let held: Vec<String> = plan
        .withheld
        .iter()
        .filter(|withheld| withheld.is_held)
        .filter_map(|withheld| match &withheld.why {
            Withholding::Unsealable(missing) => Some(missing),
            Withholding::Unsignable(_) | Withholding::Intent(_) => None,
        })
        .flatten()
        .filter(|(_, why)| *why == Unsealable::NoCertificate)
        .filter_map(|(place, _)| name(place))
        .collect();
    if !held.is_empty() {
        return Some(Told::Held(held));
    }
    if !plan.is_mixed() {
        return None;
    }
    let clear = plan.copies.iter().filter(|copy| copy.sealing.is_none()).flat_map(|copy| &copy.recipients);
    let outside = clear.filter(|place| plan.each.get(**place).is_some_and(|each| !each.is_at_home));
    Some(Told::Mixed(outside.filter_map(name).collect()))
}

fn about(header: &Header) -> String {
    let mut out = String::new();
    for name in ["Subject", "Date"] {
        if let Some(value) = header.display(name) {
            let value: String = value.chars().take(REPEATED_LIMIT).collect();
            let _ = writeln!(out, "    {name}: {}", Safe::value(&value));
        }
    }
    out
}

fn text(told: &Told, about: &str) -> String {
    let listed = |names: &[String]| {
        let mut out = String::new();
        for name in names.iter().take(NAMED_LIMIT) {
            let _ = writeln!(out, "    {name}");
        }
        if names.len() > NAMED_LIMIT {
            let _ = writeln!(out, "    … +{}", names.len().saturating_sub(NAMED_LIMIT));
        }
        out
    };
    match told {
        Told::Held(names) => format!(
            "次のメールは、まだ誰にも送信されていません。\n\n{about}\n\
             このメールは暗号化して送る決まりですが、次の宛先には使える証明書がありません。\n\n{names}\n\
             メールはメールサーバーで待っています。証明書が登録されると、そのまま送信されます。待てる期限を過ぎると、\n\
             メールサーバーから不達の通知が届きます。\n\n\
             次のことができます。\n\
             ・宛先の方に、電子署名付きのメールを一通送ってもらう（署名から証明書を登録できます）\n\
             ・管理者に、宛先の証明書の登録を頼む\n\n\
             ----\n\n\
             This mail has not been sent to anybody yet.\n\n{about}\n\
             It must leave encrypted, and there is no certificate that could be used for:\n\n{names}\n\
             The mail waits at your mail server. It leaves as soon as the certificates are known; if that takes too long,\n\
             your mail server tells you that it was not delivered.\n\n\
             What you can do:\n\
             - ask the recipient for a digitally signed mail: the certificate can be taken from its signature;\n\
             - ask your administrator to enter the recipient's certificate.\n",
            names = listed(names)
        ),
        Told::Mixed(names) => format!(
            "次のメールは、一部の宛先には暗号化して、次の宛先には暗号化せずに送信されました。\n\n{about}\n{names}\n\
             使える証明書がないためです。組織のポリシーがこれを認めています。\n\n\
             ----\n\n\
             This mail left encrypted for some of its recipients, and in clear for these:\n\n{about}\n{names}\n\
             There is no certificate that could be used for them. The policy of your organisation allows it.\n",
            names = listed(names)
        ),
    }
}
