use super::*;

const DOMAINS: [&str; 2] = ["bank.example", "例示銀行.example"];

fn read(text: &str) -> Result<Table, NoTable> {
    Table::read(text.as_bytes(), &DOMAINS.map(str::to_owned))
}

#[test]
fn columns_are_known_by_the_names_that_offices_use() {
    for (names, expected) in [
        ("email,name", [Column::Address, Column::Name]),
        ("E-Mail Address,Display Name", [Column::Address, Column::Name]),
        ("primarySmtpAddress,proxyAddresses", [Column::Address, Column::Further]),
        ("メールアドレス,氏名", [Column::Address, Column::Name]),
        ("ﾒｰﾙｱﾄﾞﾚｽ,氏　名", [Column::Address, Column::Name]),
        ("Ｅ－ｍａｉｌ,部署名", [Column::Address, Column::Unit]),
        ("社員番号,退職日", [Column::Number, Column::Leaves]),
        ("姓,名", [Column::Family, Column::Given]),
        ("種別,別名", [Column::Kind, Column::Further]),
        ("shoe size,", [Column::Unknown, Column::Unknown]),
    ] {
        let found: Vec<Column> = names.split(',').map(named).collect();
        assert_eq!(found, expected, "{names}");
    }
    // No name means two things.
    let mut all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    for name in &all {
        assert_ne!(named(name), Column::Unknown, "{name} is not written as names are compared");
    }
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn a_record_is_a_member_or_is_told() {
    // header, record, name, addresses, what is left out or why it is refused
    type Expected<'a> = Result<(&'a str, &'a [&'a str], usize), &'a str>;
    let rows: &[(&str, &str, Expected<'_>)] = &[
        ("email", "taro@bank.example", Ok(("", &["taro@bank.example"], 0))),
        ("email,name", "Taro@BANK.example, 銀行 太郎 ", Ok(("銀行 太郎", &["Taro@bank.example"], 0))),
        ("mail,姓,名", "t@bank.example,銀行,太郎", Ok(("銀行 太郎", &["t@bank.example"], 0))),
        ("mail,last name,first name", "t@bank.example,Bank,Taro", Ok(("Taro Bank", &["t@bank.example"], 0))),
        ("mail,mail", "a@bank.example,b@bank.example", Ok(("", &["a@bank.example", "b@bank.example"], 0))),
        (
            "mail,alias",
            "a@bank.example,\"A@bank.example; c@bank.example\"",
            Ok(("", &["a@bank.example", "c@bank.example"], 0)),
        ),
        (
            "mail,proxyAddresses",
            "a@bank.example,\"SMTP:a@bank.example,smtp:b@bank.example,X500:/o=x,SIP:a@bank.example,smtp:a@cloud.test\"",
            Ok(("", &["a@bank.example", "b@bank.example"], 1)),
        ),
        ("mail", "ａ＠bank.example", Ok(("", &["a@bank.example"], 0))),
        ("mail,name", "a@bank.example", Ok(("", &["a@bank.example"], 0))),
        ("mail", "a@例示銀行.example", Ok(("", &["a@例示銀行.example"], 0))),
        ("mail,name", ",Nobody", Err("no address")),
        ("mail", "taro", Err("is no address")),
        ("mail", "taro@other.example", Err("members.domains")),
        ("mail", "a@bank.example,b", Err("more fields")),
        ("mail,name", "a@bank.example,\"a\nb\"", Err("control character")),
        ("mail,kind", "a@bank.example,robot", Err("no kind")),
        ("mail,left", "a@bank.example,soon", Err("no day")),
        ("mail,left", "a@bank.example,2027-02-29", Err("no day")),
    ];
    for (header, record, expected) in rows {
        let table = read(&format!("{header}\n{record}\n")).unwrap();
        match expected {
            Ok((name, addresses, left_out)) => {
                let listed = table.listed.first().unwrap_or_else(|| panic!("{record}: {:?}", table.refused));
                let found: Vec<String> = listed.addresses.iter().map(ToString::to_string).collect();
                assert_eq!((listed.name.as_str(), found), (*name, addresses.iter().map(ToString::to_string).collect()));
                assert_eq!((listed.line, table.left_out.len()), (2, *left_out), "{record}");
            }
            Err(why) => {
                assert!(table.listed.is_empty(), "{record}");
                assert!(table.refused.iter().any(|refused| refused.why.contains(why)), "{record}: {:?}", table.refused);
            }
        }
    }
}

#[test]
fn one_bad_row_stops_no_other() {
    let table = read("mail,number\na@bank.example,1\nb@,2\nA@bank.example,3\nc@bank.example,1\nd@bank.example,4\n");
    let table = table.unwrap();
    assert_eq!(table.listed.iter().map(|listed| listed.line).collect::<Vec<_>>(), [2, 6]);
    let refused: Vec<(u64, &str)> = table.refused.iter().map(|one| (one.line, one.why.as_str())).collect();
    assert!(matches!(refused.as_slice(), [(3, _), (4, again), (5, number)]
        if *again == "A@bank.example stands on line 2 already" && *number == "number 1 stands on line 2 already"));
}

#[test]
fn what_is_no_table_of_members_is_told() {
    for (text, expected) in [
        ("", "nothing in it"),
        ("taro@bank.example,Taro\n", "no column is named for addresses"),
        ("name,unit\nTaro,1\n", "no column is named for addresses"),
        ("\"mail\n", "not closed"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    assert_eq!(read("mail,shoe size\na@bank.example,43\n").unwrap().unused, ["shoe size"]);
}

#[test]
fn days_are_read_as_offices_write_them() {
    for (text, expected) in [
        ("2027-03-31", Some("2027-04-01T00:00:00Z")),
        ("2027/3/31", Some("2027-04-01T00:00:00Z")),
        ("20270331", Some("2027-04-01T00:00:00Z")),
        ("2027年3月31日", Some("2027-04-01T00:00:00Z")),
        ("31.3.2027", None),
        ("2027-13-01", None),
        ("", None),
    ] {
        assert_eq!(last_day(text).ok().map(|day| day.to_string()).as_deref(), expected, "{text}");
    }
}
