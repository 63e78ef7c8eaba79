//! What the rules look up. Data alone: to tune the rules, change these and read the figures in docs/lookalikes.md.

/// Letters that look alike and that Unicode (UTS #39) keeps apart, as (what is written, what it is taken for). They are
/// applied after the skeleton, so the right side is one of a skeleton.
pub(super) const LETTERS: &[(char, char)] = &[
    // digits for letters, and the two letters that share a stroke
    ('i', 'l'),
    ('5', 's'),
    // a long vowel for a hyphen, kana for kanji, kana for kana
    ('ー', '-'),
    ('オ', '才'),
    ('チ', '千'),
    ('ヌ', '又'),
    ('ミ', '三'),
    ('リ', 'り'),
    ('ソ', 'ン'),
    ('シ', 'ツ'),
    ('ャ', 'ヤ'),
    ('ュ', 'ユ'),
    ('ョ', 'ヨ'),
    ('ッ', 'ツ'),
    ('ァ', 'ア'),
    ('ィ', 'イ'),
    ('ゥ', 'ウ'),
    ('ェ', '工'),
    ('ォ', '才'),
    // kanji for kanji
    ('未', '末'),
    ('曰', '日'),
    ('已', '己'),
    ('巳', '己'),
    ('囗', '口'),
    ('祇', '祗'),
];

/// Letters that together look like another, of a skeleton in lower case. That of `m` is `rn` by UTS #39.
pub(super) const PAIRS: &[(&str, &str)] = &[("vv", "w"), ("cl", "d")];

/// Second labels that belong to the registry below a country's domain: `co.jp`, `com.au`.
pub(super) const REGISTRY_LABELS: &[&str] =
    &["ac", "ad", "co", "com", "ed", "edu", "go", "gob", "gov", "gr", "lg", "mil", "ne", "net", "or", "org"];

/// Domains whose addresses anybody can have: two addresses of one of them are two strangers.
pub(super) const SHARED: &[&str] = &[
    "aol.com",
    "docomo.ne.jp",
    "excite.co.jp",
    "ezweb.ne.jp",
    "au.com",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "goo.jp",
    "googlemail.com",
    "hotmail.co.jp",
    "hotmail.com",
    "icloud.com",
    "i.softbank.jp",
    "laposte.net",
    "live.com",
    "live.jp",
    "mac.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "nifty.com",
    "outlook.com",
    "outlook.jp",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rakuten.jp",
    "softbank.ne.jp",
    "web.de",
    "yahoo.co.jp",
    "yahoo.com",
    "yandex.ru",
    "ymail.ne.jp",
    "zoho.com",
];

/// Top-level domains by which a word of a name is taken for a domain. Short ones that end words and product names
/// (`.io`, `.ai`, `.me`) are left out, and so is `.net`.
pub(super) const NAMED_TOP_LEVELS: &[&str] =
    &["biz", "cn", "com", "de", "edu", "eu", "example", "fr", "gov", "info", "jp", "kr", "org", "tw", "uk"];

/// Suffixes under which a registry registers organisations that it has looked at.
pub(super) const EXAMINED_SUFFIXES: &[&str] =
    &["ac.jp", "ad.jp", "co.jp", "ed.jp", "go.jp", "lg.jp", "or.jp", "bank", "edu", "gov", "insurance", "mil"];

/// Words that in Japan no one may put into his name without a licence or an office.
pub(super) const RESERVED_WORDS: &[&str] = &[
    "銀行",
    "信用金庫",
    "信用組合",
    "労働金庫",
    "生命保険",
    "損害保険",
    "証券取引所",
    "国税庁",
    "国税局",
    "税務署",
    "警察",
    "検察庁",
    "裁判所",
    "金融庁",
    "年金機構",
    "市役所",
    "区役所",
];

/// Words that are put before or behind a name to make a domain that looks like one of its owner's.
pub(super) const ADDED_WORDS: &[&str] = &[
    "account", "auth", "bank", "billing", "card", "center", "check", "cloud", "customer", "help", "id", "info", "jp",
    "japan", "login", "mail", "member", "my", "net", "notice", "online", "pay", "portal", "secure", "security",
    "service", "services", "shop", "sign", "signin", "sms", "store", "support", "team", "update", "user", "verify",
    "web", "www",
];

/// Forms of companies in Japanese, which come and go around the same name.
pub(super) const COMPANY_FORMS: &[&str] = &[
    "株式会社",
    "有限会社",
    "合同会社",
    "合資会社",
    "一般社団法人",
    "一般財団法人",
    "公益社団法人",
    "公益財団法人",
    "独立行政法人",
    "国立大学法人",
    "学校法人",
    "医療法人",
    "(株)",
    "（株）",
    "㈱",
    "(有)",
    "（有）",
];

/// Forms of companies that stand as a word of their own.
pub(super) const COMPANY_WORDS: &[&str] =
    &["ag", "co", "corp", "corporation", "gmbh", "inc", "kk", "limited", "llc", "ltd", "plc", "sa"];
