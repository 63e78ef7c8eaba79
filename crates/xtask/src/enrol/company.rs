//! The company: made-up people with Japanese and English names, as a staff department would export them.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Its domain.
pub(super) const DOMAIN: &str = "example.com";
/// Of so many people one has an English name.
const ENGLISH_EACH: usize = 7;
/// Of so many entries one is a mailbox that is shared.
const SHARED_EACH: usize = 130;

const FAMILIES: [(&str, &str); 24] = [
    ("佐藤", "sato"),
    ("鈴木", "suzuki"),
    ("高橋", "takahashi"),
    ("田中", "tanaka"),
    ("伊藤", "ito"),
    ("渡邊", "watanabe"),
    ("山本", "yamamoto"),
    ("中村", "nakamura"),
    ("小林", "kobayashi"),
    ("加藤", "kato"),
    ("吉田", "yoshida"),
    ("山田", "yamada"),
    ("佐々木", "sasaki"),
    ("松本", "matsumoto"),
    ("井上", "inoue"),
    ("木村", "kimura"),
    ("林", "hayashi"),
    ("斎藤", "saito"),
    ("清水", "shimizu"),
    ("髙島", "takashima"),
    ("森", "mori"),
    ("池田", "ikeda"),
    ("橋本", "hashimoto"),
    ("五十嵐", "igarashi"),
];
const GIVEN: [(&str, &str); 20] = [
    ("花子", "hanako"),
    ("太郎", "taro"),
    ("健一", "kenichi"),
    ("美咲", "misaki"),
    ("翔太", "shota"),
    ("さくら", "sakura"),
    ("陽菜", "hina"),
    ("大輔", "daisuke"),
    ("直子", "naoko"),
    ("拓也", "takuya"),
    ("恵", "megumi"),
    ("浩", "hiroshi"),
    ("由美", "yumi"),
    ("蓮", "ren"),
    ("真由美", "mayumi"),
    ("学", "manabu"),
    ("千尋", "chihiro"),
    ("ケンジ", "kenji"),
    ("葵", "aoi"),
    ("悠真", "yuma"),
];
const ENGLISH: [(&str, &str); 10] = [
    ("Alice Walker", "alice.walker"),
    ("Conor O'Brien", "conor.obrien"),
    ("Zoë Müller", "zoe.mueller"),
    ("John Smith", "john.smith"),
    ("Mary Ann Clark", "mary-ann.clark"),
    ("Luis García", "luis.garcia"),
    ("Priya Nair", "priya.nair"),
    ("Wei Chen", "wei.chen"),
    ("Tom van Dijk", "tom.van.dijk"),
    ("Emma Jones", "emma.jones"),
];
const UNITS: [&str; 8] =
    ["本店営業部", "融資部", "人事部", "Systems", "コンプライアンス統括部", "International", "浜松支店", "東京支店"];

/// The table, with its header.
pub(super) fn table(members: usize) -> String {
    let mut out = "社員番号,氏名,メールアドレス,部署,種別\r\n".to_owned();
    let mut taken: HashMap<String, usize> = HashMap::new();
    for number in 0..members {
        let unit = UNITS[number % UNITS.len()];
        let (name, local, kind) = if number % SHARED_EACH == SHARED_EACH - 1 {
            (format!("窓口 {number}"), "desk".to_owned(), "共有")
        } else if number % ENGLISH_EACH == 0 {
            let (name, local) = ENGLISH[number / ENGLISH_EACH % ENGLISH.len()];
            (name.to_owned(), local.to_owned(), "個人")
        } else {
            let (family, family_read) = FAMILIES[number % FAMILIES.len()];
            let (given, given_read) = GIVEN[number / FAMILIES.len() % GIVEN.len()];
            (format!("{family} {given}"), format!("{given_read}.{family_read}"), "個人")
        };
        // People of one name are told apart by a number.
        let count = taken.entry(local.clone()).or_default();
        *count += 1;
        let behind = if *count == 1 { String::new() } else { count.to_string() };
        // Writing into a string cannot fail.
        let _ = write!(out, "{number:05},{name},{local}{behind}@{DOMAIN},{unit},{kind}\r\n");
    }
    out
}
