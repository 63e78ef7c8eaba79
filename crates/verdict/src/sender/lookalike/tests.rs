use kakitome_pki::address::Address;

use super::*;
use crate::sender::expected::ProtectedName;

fn expectations() -> Expectations {
    let protected = |name: &str, senders: &[&str]| ProtectedName {
        name: name.to_owned(),
        senders: senders.iter().map(|sender| sender.parse().unwrap()).collect(),
    };
    Expectations {
        protected: vec![
            protected("例示銀行", &["bank.example"]),
            protected("Example Card", &["card.example", "info@cards.example"]),
            protected("ＮＲＢ", &["nrb.example"]),
        ],
        correspondents: vec![
            Address::parse("taro@corp.example").unwrap(),
            Address::parse("hanako.smith@gmail.com").unwrap(),
        ],
        signers: Vec::new(),
    }
}

/// What is seen of a sender, and whom he is taken for.
fn seen(name: &str, address: &str, class: Class, organisation: Option<&str>, expectations: &Expectations) -> String {
    let display_name = (!name.is_empty()).then(|| name.to_owned());
    let longest_blank = if name.contains(&" ".repeat(20)) { 20 } else { 1 };
    let from = Mailbox { display_name, longest_blank, address: address.to_owned() };
    let found = look(&Shown { from: &from, class, organisation }, expectations);
    let tell = |look: &Look| format!("{} {}", look.reason.code(), look.like.as_deref().unwrap_or("?"));
    found.iter().map(tell).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_rule_sees_and_overlooks() {
    let rows = [
        // name, address, what is seen
        ("", "info@bank.example", ""),
        ("例示銀行", "info@bank.example", ""),
        ("例示銀行", "info@mail.bank.example", ""),
        ("例示 太郎", "user@mail.example", ""),
        // addresses in names
        ("info@bank.example", "eve@eve.example", "bind.display-addr info@bank.example"),
        ("Bank (info＠bank.example)", "eve@eve.example", "bind.display-addr info@bank.example"),
        ("info@bank.example                    .", "eve@eve.example", "bind.display-pad info@bank.example"),
        ("info@corp2.example", "taro@corp2.example", ""),
        ("info@mail.corp2.example", "taro@corp2.example", ""),
        ("taro@corp2.example", "bounce@mail.corp2.example", ""),
        ("boss@gmail.com", "eve@gmail.com", "bind.display-addr boss@gmail.com"),
        ("taro@corp.example", "eve@corp.example", "bind.display-addr taro@corp.example"),
        ("Taro @ Corp", "taro@corp2.example", ""),
        ("me@home", "taro@corp2.example", ""),
        // domains in names
        ("bank.example", "eve@eve.example", "bind.display-domain bank.example"),
        ("www.bank.example サポート", "eve@eve.example", "bind.display-domain www.bank.example"),
        ("eve.example", "eve@mail.eve.example", ""),
        ("www.eve.example", "eve@eve.example", ""),
        ("Node.js Weekly", "news@weekly.example", ""),
        ("ASP.NET Team", "news@weekly.example", ""),
        ("J.Doe", "j@weekly.example", ""),
        ("No.1 Shop", "j@weekly.example", ""),
        // organisations in names
        ("例示銀行 カスタマーセンター", "eve@eve.example", "bind.display-org 例示銀行"),
        ("株式会社例示銀行", "eve@eve.example", "bind.display-org 例示銀行"),
        ("例 示 銀 行", "eve@eve.example", "bind.display-org 例示銀行"),
        ("例\u{200b}示銀行", "eve@eve.example", "look.bidi 例示銀行"),
        ("\u{202e}例示銀行", "eve@eve.example", "look.bidi 例示銀行"),
        ("\u{202e}eve", "eve@eve.example", "look.bidi ?"),
        ("ＥＸＡＭＰＬＥ ＣＡＲＤ", "eve@eve.example", "look.bidi Example Card"),
        ("Exаmple Card", "eve@eve.example", "look.homograph Example Card"),
        ("Example Card Support", "eve@eve.example", "bind.display-org Example Card"),
        ("Example Cards", "eve@eve.example", ""),
        ("Example Card", "info@cards.example", ""),
        ("Example Card", "eve@cards.example", "bind.display-org Example Card"),
        ("NRB", "eve@eve.example", "look.bidi ＮＲＢ"),
        ("NRB Tokyo", "eve@eve.example", ""),
        // domains
        ("", "info@xn--bnk-6cd.example", "look.homograph bank.example"),
        ("", "info@bаnk.example", "look.homograph bank.example"),
        ("", "info@раура.test", "look.homograph paypa.test"),
        ("", "info@bank.example.eve.example", "look.similar bank.example"),
        ("", "bank.example@eve.example", "look.similar bank.example"),
        ("", "info@c0rp.example", "look.similar corp.example"),
        ("", "info@gmai1.com", "look.similar gmail.com"),
        // local parts
        ("", "hanako.srnith@gmail.com", "look.similar hanako.smith@gmail.com"),
        ("", "Hanako.Smith@gmail.com", ""),
        ("", "hanako@gmail.com", ""),
        ("", "\"info@bank.example\"@eve.example", "look.quoted-local info@bank.example, look.similar bank.example"),
    ];
    let expectations = expectations();
    for (name, address, expected) in rows {
        assert_eq!(seen(name, address, Class::None, None, &expectations), expected, "{name} <{address}>");
    }
}

#[test]
fn what_is_vouched_for_counts() {
    let expectations = expectations();
    let rows = [
        // name, address, class, organisation, what is seen
        ("例示銀行", "eve@eve.example", Class::Org, Some("例示銀行"), ""),
        ("例示銀行", "eve@eve.example", Class::Org, Some("株式会社例示銀行"), ""),
        ("例示銀行", "eve@eve.example", Class::Org, Some("Eve Corp."), "bind.display-org 例示銀行"),
        ("", "eve@eve.example", Class::Org, Some("例示\u{200b}銀行"), "look.bidi 例示銀行"),
        ("", "eve@eve.example", Class::Org, Some("Exаmple Card Inc."), "look.homograph Example Card"),
        // without a list: only what nobody may call himself without a licence
        ("見本銀行", "eve@eve.example", Class::Mailbox, None, "bind.display-org ?"),
        ("見本銀行", "info@mihon.co.jp", Class::Mailbox, None, ""),
        ("見本銀行", "eve@eve.example", Class::Local, None, ""),
        ("見本銀行", "eve@eve.example", Class::None, None, ""),
        ("見本商店", "eve@eve.example", Class::Mailbox, None, ""),
    ];
    for (name, address, class, organisation, expected) in rows {
        assert_eq!(seen(name, address, class, organisation, &expectations), expected, "{name} <{address}>");
    }
}

/// Without a word about whom the reader knows, only what gives itself away is seen.
#[test]
fn without_a_list_little_is_seen() {
    let nobody = Expectations::default();
    for (name, address, expected) in [
        ("例示銀行", "eve@eve.example", ""),
        ("", "info@rnizuho.example", ""),
        ("", "info@bank.example.eve.example", ""),
        ("", "info@xn--bnk-6cd.example", "look.homograph bank.example"),
        ("info@bank.example", "eve@eve.example", "bind.display-addr info@bank.example"),
        ("", "\"info@bank.example\"@eve.example", "look.quoted-local info@bank.example"),
    ] {
        assert_eq!(seen(name, address, Class::None, None, &nobody), expected, "{name} <{address}>");
    }
}
