//! What the columns of a table of members mean, by the names that offices give them in English and Japanese, and what
//! each record says.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use unicode_normalization::UnicodeNormalization;

use super::csv::{BadRecord, Record, Text};
use super::{Kind, folded, plain};

/// A name has at most this many characters.
pub const NAME_LIMIT: usize = 200;
/// A number and a unit have at most this many characters.
pub const WORD_LIMIT: usize = 200;
/// A member has at most this many addresses.
pub const ADDRESS_LIMIT: usize = 50;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    /// The organisation's own number of the person.
    Number,
    Name,
    Family,
    Given,
    /// The first of them is the primary address.
    Address,
    /// Several may stand in one field.
    Further,
    Unit,
    Kind,
    /// The last day.
    Leaves,
    /// Nothing that is used here.
    Unknown,
}

/// Names of columns, as [`named`] writes them.
const NAMES: &[(Column, &[&str])] = &[
    (
        Column::Number,
        &[
            "id",
            "no",
            "number",
            "employeeid",
            "employeenumber",
            "employeeno",
            "staffid",
            "staffnumber",
            "memberid",
            "社員番号",
            "社員no",
            "社員id",
            "社員コード",
            "職員番号",
            "職員コード",
            "従業員番号",
            "番号",
        ],
    ),
    (
        Column::Name,
        &[
            "name",
            "fullname",
            "displayname",
            "commonname",
            "cn",
            "氏名",
            "名前",
            "お名前",
            "表示名",
            "社員名",
            "職員名",
        ],
    ),
    (Column::Family, &["familyname", "lastname", "surname", "sn", "姓", "苗字", "名字"]),
    (Column::Given, &["givenname", "firstname", "forename", "名"]),
    (
        Column::Address,
        &[
            "address",
            "mail",
            "email",
            "mailaddress",
            "emailaddress",
            "primaryaddress",
            "primaryemail",
            "primarysmtpaddress",
            "smtpaddress",
            "メール",
            "メールアドレス",
            "eメール",
            "eメールアドレス",
            "emailアドレス",
            "mailアドレス",
            "電子メール",
            "電子メールアドレス",
            "アドレス",
            "主アドレス",
            "主メールアドレス",
        ],
    ),
    (
        Column::Further,
        &[
            "alias",
            "aliases",
            "furtheraddresses",
            "otheraddresses",
            "otheremails",
            "additionaladdresses",
            "alternateemail",
            "alternateemailaddress",
            "secondaryemail",
            "proxyaddresses",
            "email2",
            "email3",
            "mail2",
            "mail3",
            "別名",
            "エイリアス",
            "別アドレス",
            "別メールアドレス",
            "追加アドレス",
            "他のアドレス",
            "その他のアドレス",
            "その他のメールアドレス",
            "メールアドレス2",
            "メールアドレス3",
            "メール2",
            "メール3",
        ],
    ),
    (
        Column::Unit,
        &[
            "unit",
            "department",
            "division",
            "section",
            "ou",
            "office",
            "organisationunit",
            "organizationunit",
            "organizationalunit",
            "orgunitpath",
            "部署",
            "部署名",
            "部門",
            "部門名",
            "所属",
            "所属部署",
            "所属名",
            "部課",
            "課",
            "組織",
            "組織名",
        ],
    ),
    (Column::Kind, &["kind", "type", "membertype", "種別", "区分", "種類"]),
    (
        Column::Leaves,
        &["left", "leaves", "leavingdate", "lastday", "enddate", "退職日", "退社日", "離職日", "退職年月日", "最終日"],
    ),
];

/// One member as a table has him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The line on which he stands.
    pub line: u64,
    /// The organisation's own number.
    pub number: Option<String>,
    /// His name; empty where there is none.
    pub name: String,
    /// A person, or a role.
    pub kind: Kind,
    /// Where he works; `None` where the table has no such column.
    pub unit: Option<String>,
    /// The primary address first.
    pub addresses: Vec<Address>,
    /// The end of his last day, in UTC.
    pub leaves: Option<Time>,
}

/// A record from which no member comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its line.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// A table, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The members, in its order.
    pub listed: Vec<Listed>,
    /// What could not be read.
    pub refused: Vec<Refused>,
    /// What was left out of a record that counts all the same.
    pub left_out: Vec<Refused>,
    /// Columns that mean nothing here, by their names.
    pub unused: Vec<String>,
    /// The charset's name.
    pub charset: &'static str,
}

/// Why a table as a whole is none of members.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTable {
    /// Too long.
    #[error("it is longer than 64 MiB")]
    TooLong,
    /// Nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// The first line names no column with addresses.
    #[error(
        "line {line}: no column is named for addresses; the first line must name the columns, one of them \"email\" or \
         \"メールアドレス\" (also known: name or 氏名, unit or 部署, number or 社員番号, aliases or 別名, kind or 種別, left or \
         退職日); found: {found}"
    )]
    NoAddresses {
        /// Where the names were looked for.
        line: u64,
        /// What stands there.
        found: String,
    },
    /// The first line cannot be read.
    #[error("line {line}: {why}")]
    Header {
        /// Where.
        line: u64,
        /// Why.
        why: &'static str,
    },
}

impl Table {
    /// Reads a table. `domains` are those of the members: others' addresses are refused.
    ///
    /// # Errors
    /// [`NoTable`]; a single record that cannot be read is [told](Table::refused), and stops nothing.
    pub fn read(octets: &[u8], domains: &[String]) -> Result<Self, NoTable> {
        if octets.len() > super::csv::TABLE_LIMIT {
            return Err(NoTable::TooLong);
        }
        let text = Text::read(octets);
        let mut records = text.records();
        let header = match records.next() {
            None => return Err(NoTable::Empty),
            Some(Err(BadRecord { line, why })) => return Err(NoTable::Header { line, why }),
            Some(Ok(header)) => header,
        };
        let columns: Vec<Column> = header.fields.iter().map(|name| named(name)).collect();
        if !columns.contains(&Column::Address) {
            return Err(NoTable::NoAddresses { line: header.line, found: header.fields.join(", ") });
        }
        let is_unused = |(column, name): &(&Column, &String)| **column == Column::Unknown && !name.trim().is_empty();
        let unused = columns.iter().zip(&header.fields).filter(is_unused).map(|(_, name)| name.trim().to_owned());
        let mut table = Self { unused: unused.collect(), charset: text.charset, ..Self::default() };
        let mut seen = std::collections::HashMap::new();
        for record in records {
            match record.map_err(|BadRecord { line, why }| (line, why.to_owned())).and_then(|record| {
                let line = record.line;
                let (listed, left_out) = member(&columns, &record, domains).map_err(|why| (line, why))?;
                once(&listed, &mut seen).map_err(|why| (line, why))?;
                Ok((listed, left_out))
            }) {
                Ok((listed, left_out)) => {
                    table.left_out.extend(left_out.into_iter().map(|why| Refused { line: listed.line, why }));
                    table.listed.push(listed);
                }
                Err((line, why)) => table.refused.push(Refused { line, why }),
            }
        }
        Ok(table)
    }
}

/// No address and no number stands for two members.
fn once(listed: &Listed, seen: &mut std::collections::HashMap<String, u64>) -> Result<(), String> {
    let number = listed.number.iter().map(|number| (format!("number {number}"), format!("#{number}")));
    let addresses = listed.addresses.iter().map(|address| (address.to_string(), folded(address)));
    let keys: Vec<(String, String)> = number.chain(addresses).collect();
    for (shown, key) in &keys {
        if let Some(line) = seen.get(key) {
            return Err(format!("{shown} stands on line {line} already"));
        }
    }
    seen.extend(keys.into_iter().map(|(_, key)| (key, listed.line)));
    Ok(())
}

/// Which column a name is for: case, width, blanks and marks between words do not count.
fn named(name: &str) -> Column {
    let name: String = name
        .nfkc()
        .flat_map(char::to_lowercase)
        .filter(|one| !one.is_whitespace() && !"_-/・.:()\"'".contains(*one))
        .collect();
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map_or(Column::Unknown, |(column, _)| *column)
}

/// The member of a record, and what of it does not count.
fn member(columns: &[Column], record: &Record, domains: &[String]) -> Result<(Listed, Vec<String>), String> {
    let mut fields: Vec<(Column, &str)> = Vec::new();
    for (at, field) in record.fields.iter().enumerate() {
        let field = field.trim();
        match columns.get(at) {
            Some(column) if !field.is_empty() => fields.push((*column, field)),
            // More fields than names: something is off by one, and a name may stand for an address.
            None if !field.is_empty() => return Err("it has more fields than the first line has names".to_owned()),
            _ => {}
        }
    }
    let first = |wanted: Column| fields.iter().find(|(column, _)| *column == wanted).map(|(_, field)| *field);
    let unit = columns.contains(&Column::Unit).then(|| first(Column::Unit).unwrap_or_default());
    let name = match (first(Column::Name), first(Column::Family), first(Column::Given)) {
        (Some(name), ..) => name.to_owned(),
        (None, Some(family), Some(given)) if family.is_ascii() && given.is_ascii() => format!("{given} {family}"),
        (None, Some(family), Some(given)) => format!("{family} {given}"),
        (None, family, given) => family.or(given).unwrap_or_default().to_owned(),
    };
    let mut addresses: Vec<Address> = Vec::new();
    let written = |wanted| fields.iter().filter(move |(column, _)| *column == wanted).map(|(_, field)| *field);
    let several = written(Column::Further).flat_map(|field| field.split([';', ',', ' ', '\u{3000}', '\n', '\r']));
    let mut left_out = Vec::new();
    for text in written(Column::Address) {
        addresses.push(address(text, domains)?);
    }
    for text in several.filter(|text| !text.is_empty() && !is_no_mail(text)) {
        // What a directory lists beside the address that counts: other services', other domains'.
        match address(text, domains) {
            Ok(address) => addresses.push(address),
            Err(why) => left_out.push(why),
        }
    }
    let mut known = std::collections::HashSet::new();
    addresses.retain(|address| known.insert(folded(address)));
    if addresses.is_empty() {
        return Err("it has no address".to_owned());
    }
    if addresses.len() > ADDRESS_LIMIT {
        return Err(format!("it has more than {ADDRESS_LIMIT} addresses"));
    }
    let listed = Listed {
        line: record.line,
        number: first(Column::Number).map(|number| plain("the number", number, WORD_LIMIT)).transpose()?,
        name: plain("the name", &name, NAME_LIMIT)?,
        kind: first(Column::Kind).map_or(Ok(Kind::Person), kind)?,
        unit: unit.map(|unit| plain("the unit", unit, WORD_LIMIT)).transpose()?,
        addresses,
        leaves: first(Column::Leaves).map(last_day).transpose()?,
    };
    Ok((listed, left_out))
}

/// What Exchange writes among the addresses and is none of mail: `X500:/o=…`, `SIP:…`.
fn is_no_mail(text: &str) -> bool {
    text.split_once(':').is_some_and(|(kind, _)| !kind.eq_ignore_ascii_case("smtp") && !kind.contains('@'))
}

/// An address of a member's. Exchange writes what it is before it: `SMTP:taro@example.com`.
fn address(text: &str, domains: &[String]) -> Result<Address, String> {
    let text = text.nfkc().collect::<String>();
    let bare = match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("smtp:") => text.get(5..).unwrap_or_default(),
        _ => text.as_str(),
    };
    let address = Address::parse(bare).map_err(|refused| format!("{text:?} is no address: {refused}"))?;
    if !domains.iter().any(|domain| address.is_in(domain)) {
        return Err(format!("{address} is in none of the members' domains (the setting members.domains)"));
    }
    super::canonical(&address).map_err(|fault| fault.to_string())
}

fn kind(text: &str) -> Result<Kind, String> {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).filter(|one| !one.is_whitespace()).collect();
    match folded.as_str() {
        "person" | "user" | "usermailbox" | "個人" | "人" | "社員" | "職員" => Ok(Kind::Person),
        "role" | "shared" | "sharedmailbox" | "役割" | "共有" | "共用" | "代表" | "共有メールボックス" => {
            Ok(Kind::Role)
        }
        _ => Err(format!("{text:?} is no kind of member; write person (個人) or role (共有)")),
    }
}

/// The last day: `2027-03-31`, `2027/3/31`, `20270331` or `2027年3月31日`. He leaves when it is over.
fn last_day(text: &str) -> Result<Time, String> {
    super::day(text)
        .map(|day| day.plus(24 * 60 * 60))
        .ok_or_else(|| format!("{text:?} is no day; write it as 2027-03-31"))
}

#[cfg(test)]
mod tests;
