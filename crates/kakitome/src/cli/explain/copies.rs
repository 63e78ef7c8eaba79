//! What is said of each copy of a mail, and of those who get none.

use kakitome_office::policy::plan::{Each, Planned, Withheld, Withholding};
use kakitome_office::policy::sealing::{Unsealable, sealed_size};
use kakitome_office::policy::{Encrypting, Plan, Signing};
use kakitome_smime::message::sign::Form;
use kakitome_verdict::lang::Lang;
use kakitome_verdict::safe::Safe;

use super::says::{reason, source};

/// What becomes of a copy.
pub(super) fn outcome(plan: &Plan<'_>, copy: &Planned, lang: Lang) -> String {
    let form = copy.signing.as_ref().map(|place| plan.signings.get(*place).map(|ready| ready.form));
    match (&form, copy.sealing.is_some(), lang) {
        (Ok(_), true, Lang::En) => "leaves signed and encrypted".to_owned(),
        (Ok(_), true, Lang::Ja) => "署名し、暗号化して送られます".to_owned(),
        (Err(passed), true, Lang::En) => format!("leaves encrypted, not signed: {}", reason(passed, lang)),
        (Err(passed), true, Lang::Ja) => format!("署名せず、暗号化して送られます：{}", reason(passed, lang)),
        (Ok(Some(Form::Opaque)), false, Lang::En) => {
            "leaves signed, in the opaque form (application/pkcs7-mime)".to_owned()
        }
        (Ok(Some(Form::Opaque)), false, Lang::Ja) => {
            "署名して送られます（本文を署名に含む形式、application/pkcs7-mime）".to_owned()
        }
        (Ok(_), false, Lang::En) => "leaves signed, in the clear form (multipart/signed)".to_owned(),
        (Ok(_), false, Lang::Ja) => "署名して送られます（クリア署名、multipart/signed）".to_owned(),
        (Err(passed), false, Lang::En) => format!("leaves unsigned, as it is: {}", reason(passed, lang)),
        (Err(passed), false, Lang::Ja) => format!("署名せず、そのまま送られます：{}", reason(passed, lang)),
    }
}

/// Whose it is, what becomes of it, and how large it may get.
pub(super) fn copy(plan: &Plan<'_>, copy: &Planned, size: u64, lang: Lang) -> String {
    let mut out = format!("{}  {}", names(plan, &copy.recipients), outcome(plan, copy, lang));
    if let Some(sealing) = &copy.sealing {
        let serials: Vec<String> = sealing.readers.iter().map(|reader| reader.certificate.serial_hex()).collect();
        let about = sealed_size(size, copy.treatment.sign.value == Signing::Opaque, sealing.readers.len());
        let (cipher, serials) = (sealing.cipher.name(), serials.join(", "));
        out.push_str(&match lang {
            Lang::En => format!(", {cipher}, for certificate {serials}, about {about} bytes"),
            Lang::Ja => format!("、{cipher}、証明書 {serials}、約 {about} バイト"),
        });
    }
    out
}

/// How strictly somebody is encrypted to, and with what.
pub(super) fn each(each: &Each, lang: Lang) -> Vec<String> {
    let encrypt = match each.encrypt.value {
        Encrypting::Never => lang.pick("暗号化しない", "not encrypted"),
        Encrypting::WhenPossible => lang.pick("できれば暗号化", "encrypted when possible"),
        Encrypting::AlwaysOrHold => lang.pick("必ず暗号化（できなければ保留）", "always encrypted, or held"),
        Encrypting::Always => lang.pick("必ず暗号化（できなければ拒否）", "always encrypted, or refused"),
    };
    let mut lines = vec![format!("{encrypt} [{}]", source(each.encrypt.by, lang))];
    if each.encrypt.value > Encrypting::Never && !each.is_disclosed {
        lines.push(
            lang.pick(
                "To と Cc に出ていないので、暗号化するなら一人だけの写しになります",
                "not in To or Cc: a copy of his own, if it is encrypted",
            )
            .to_owned(),
        );
    }
    let Some(found) = &each.found else { return lines };
    if let Some(reader) = &found.reader {
        let (serial, until) = (reader.certificate.serial_hex(), reader.certificate.not_after());
        let reads = reader.capabilities.as_ref().map_or_else(
            || lang.pick("読める方式は不明", "what it reads is not known").to_owned(),
            ToString::to_string,
        );
        lines.push(match lang {
            Lang::En => format!("certificate {serial}, valid until {until}: encrypts ({})", Safe::value(&reads)),
            Lang::Ja => format!("証明書 {serial}、有効期限 {until}：暗号化に使われます（{}）", Safe::value(&reads)),
        });
    }
    for unused in &found.unused {
        let (name, why) = (Safe::value(&unused.name), Safe::value(&unused.why));
        lines.push(match lang {
            Lang::En => format!("certificate {name}: not this one: {why}"),
            Lang::Ja => format!("証明書 {name}：使われません（{why}）"),
        });
    }
    if let Some(why) = each.unsealable {
        lines.push(unsealable(why, lang));
    }
    lines
}

fn unsealable(why: Unsealable, lang: Lang) -> String {
    match (why, lang) {
        (Unsealable::NoCertificate, Lang::En) => "no certificate can be used".to_owned(),
        (Unsealable::NoCertificate, Lang::Ja) => "使える証明書がありません".to_owned(),
        (Unsealable::Unavailable, Lang::En) => "whether there is a certificate cannot be found out now".to_owned(),
        (Unsealable::Unavailable, Lang::Ja) => "証明書があるかどうか、今は確かめられません".to_owned(),
        (Unsealable::TooLarge { size, limit }, Lang::En) => {
            format!("encrypted it would have about {size} bytes, more than {limit}")
        }
        (Unsealable::TooLarge { size, limit }, Lang::Ja) => {
            format!("暗号化すると約 {size} バイトになり、上限 {limit} バイトを超えます")
        }
    }
}

/// What becomes of those who get nothing.
pub(super) fn withheld(withheld: &Withheld, lang: Lang) -> String {
    match (&withheld.why, withheld.is_held, lang) {
        (Withholding::Intent(_), _, Lang::En) => "is refused: what its author asks for is not known".to_owned(),
        (Withholding::Intent(_), _, Lang::Ja) => "拒否されます：差出人の希望が読み取れません".to_owned(),
        (_, true, Lang::En) => "is held until it can be encrypted, and its sender is told".to_owned(),
        (_, true, Lang::Ja) => "暗号化できるまで保留し、差出人に知らせます".to_owned(),
        (_, false, Lang::En) => "is refused: it must be encrypted, and cannot be".to_owned(),
        (_, false, Lang::Ja) => "拒否されます：暗号化が必須ですが、できません".to_owned(),
    }
}

/// The same, with who and why.
pub(super) fn not_sent(plan: &Plan<'_>, withheld: &Withheld, lang: Lang) -> String {
    let mut out = format!("{}  {}", names(plan, &withheld.recipients), self::withheld(withheld, lang));
    match &withheld.why {
        Withholding::Intent(value) => out.push_str(&format!(" ({})", Safe::value(value))),
        Withholding::Unsignable(why) => out.push_str(&format!(" ({why})")),
        Withholding::Unsealable(missing) => {
            for (place, why) in missing {
                out.push_str(&format!(" ({}: {})", names(plan, &[*place]), unsealable(*why, lang)));
            }
        }
    }
    out
}

fn names(plan: &Plan<'_>, places: &[usize]) -> String {
    let name = |place: &usize| plan.each.get(*place).map(|each| Safe::value(&each.to).to_string());
    places.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}
