use super::*;

fn read(text: &str) -> Result<Settings, SettingsError> {
    let mut settings = Settings::default();
    settings.read(text, "test.toml").map(|()| settings)
}

fn with(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::load(None, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn the_template_is_the_default() {
    let template = Settings::template();
    assert_eq!(read(&template).unwrap(), Settings::default());

    // Prose has a space after its #, a setting has none.
    let active: String = template
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') || rest.starts_with("    ")).unwrap_or(line)
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let all = read(&active).unwrap();
    for row in ROWS {
        assert!((row.get)(&all).is_some(), "{}.{} is missing in the template:\n{active}", row.section, row.key);
        let default = (row.get)(&Settings::default());
        assert!(default.is_some() == row.example.is_empty(), "{}: a default or an example", row.key);
        if let Some(default) = default {
            assert_eq!((row.get)(&all), Some(default), "{}", row.key);
        }
    }
}

#[test]
fn what_is_shown_reads_back() {
    let settings = read(
        "[members]\ndomains = ['Example.JP', 'b.test']\nkey = 'p-256'\n\
         [gateway]\nmode = 'pass'\nnext_hop = 'mx.example.jp:26'\nmax_mail = 5\nhostname = 'h.example.jp'\n\
         accepted_domains = ['c.test']\nmin_free_disk = 9\nmax_client_connections = 3\n\
         listeners = [{ protocol = 'smtp', address = '[::1]:0', direction = 'inbound' }, { protocol = 'lmtp', \
         address = '0.0.0.0:24', direction = 'outbound', tls = 'require', networks = ['192.0.2.0/24'], certificates = ['*'], \
         submission = true }, { protocol = 'lmtp', address = 'unix:/run/k', socket_mode = '0600', direction = 'inbound' }]\n\
         [tls]\ncertificate = '/c'\nkey = '/k'\nclient_ca = '/a'\nnext_hop = 'require'\nnext_hop_ca = '/n'\n\
         [policy]\nsign = 'opaque'\nheader_protection = false\nalso_sign = ['calendar', 'tnef']\nsubmission_host = 'h.example.jp'\n\
         senders = [{ login = '*', from = ['own'] }, { network = '192.0.2.0/24', class = 'x', from = ['*', 'b.test'] },\n\
         { certificate = 'c', issuer = 'd', from = ['a@b.test'] }]\n\
         rules = [{ from = ['a@b.test'], to = ['c.test'], sign = 'never', header_protection = true, digest = 'sha512', max_size = 9 }]\n\
         [inbound]\nnext_hop = 'mx.example.jp:27'\nauthserv_id = 'k.example.jp'\nlanguage = 'ja'\ndecrypt = 'authenticated'\nsubject_tag = true\n\
         strip_signatures = true\n\
         [web]\npublic_url = 'https://check.example.jp/'\n\
         [check]\nprotected = [{ name = '例示銀行', senders = ['bank.example', 'info@partner.example'] }]\n\
         correspondents = ['a@b.test']\nexpected_signers = ['b.test', 'c@d.test']\ndelivery_log = '/d'\n[store]\nurl = 'postgresql://k@db.test/kaki'\npassword_file = '/p'\n[vault]\nkey_file = '/k'\npassphrase_file = '/f'\n[process]\nuser = 'kakitome'\ngroup = 'mail'\n[log]\nlevel = 'debug'\n",
    )
    .unwrap();
    assert_eq!(settings.members.domains[0].as_str(), "example.jp");
    assert_eq!(settings.gateway.next_hop.as_ref().unwrap().to_string(), "smtp://mx.example.jp:26");
    assert_eq!(settings.web.public_url.as_ref().unwrap().as_str(), "https://check.example.jp");
    assert_eq!(settings.gateway.own_name(), "h.example.jp");
    assert_eq!(read(&settings.to_toml()).unwrap(), settings);
    assert_eq!(read(&Settings::default().to_toml()).unwrap(), Settings::default());
}

#[test]
fn the_environment_stands_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("kakitome.toml");
    fs::write(&file, "[gateway]\nnext_hop = 'a.test:1'\nmax_connections = 7\n").unwrap();
    let variables = [
        ("KAKITOME_GATEWAY_NEXT_HOP", "[::1]:2"),
        ("KAKITOME_MEMBERS_DOMAINS", "a.test, b.test"),
        ("KAKITOME_WEB_MAX_MAIL", "99"),
        ("KAKITOME_GATEWAY_LISTENERS", "[{protocol='lmtp', address='127.0.0.1:9', direction='outbound'}]"),
        ("KAKITOME_P12_PASSWORD", "is not a setting"),
        ("PATH", "/bin"),
    ];
    let settings =
        Settings::load(Some(&file), variables.iter().map(|(name, value)| (name.to_string(), value.to_string())))
            .unwrap();
    assert_eq!(settings.gateway.next_hop.unwrap().to_string(), "smtp://[::1]:2");
    assert_eq!(settings.gateway.max_connections.get(), 7);
    assert_eq!(settings.members.domains.iter().map(Domain::as_str).collect::<Vec<_>>(), ["a.test", "b.test"]);
    assert_eq!(settings.web.max_mail.get(), 99);
    assert_eq!(settings.gateway.listeners.len(), 1);
}

#[test]
fn errors_name_the_place_the_key_the_value_and_what_is_allowed() {
    let cases: &[(&str, &[&str])] = &[
        ("gateway = 1", &["test.toml", "\"gateway\"", "[members], [gateway]"]),
        ("[gatewya]\nmode = 'sign'", &["\"gatewya\" is no section"]),
        ("[gateway]\nnexthop = 'x'", &["gateway.nexthop = \"x\"", "unknown key", "next_hop"]),
        ("[gateway]\nmode = 'stop'", &["test.toml", "gateway.mode = \"stop\"", "\"sign\" or \"pass\""]),
        ("[gateway]\nmax_mail = 0", &["gateway.max_mail = 0", "from 1"]),
        ("[gateway]\nmax_connections = -1", &["gateway.max_connections = -1"]),
        ("[gateway]\nnext_hop = 'relay'", &["gateway.next_hop", "host:port"]),
        ("[gateway]\nnext_hop = 'relay:0'", &["gateway.next_hop", "host:port"]),
        ("[gateway]\nnext_hop = 'a b:25'", &["gateway.next_hop", "host:port"]),
        ("[gateway]\nlisteners = [{ protocol = 'smtp', address = '127.0.0.1:1' }]", &["listeners", "direction"]),
        (
            "[gateway]\nlisteners = [{ protocol = 'smtp', address = '0.0.0.0:25', direction = 'outbound' }]",
            &["gateway.listeners", "0.0.0.0:25", "STARTTLS", "open relay", "loopback"],
        ),
        ("[gateway]\nmin_free_disk = 101", &["gateway.min_free_disk = 101", "more than 100"]),
        ("[tls]\nnext_hop = 'yes'", &["tls.next_hop = \"yes\"", "\"require\""]),
        (
            "[gateway]\nlisteners = [{ protocol = 'smtp', address = '127.0.0.1:1', direction = 'inbound', submission = true }]",
            &["listeners", "submission", "outbound"],
        ),
        (
            "[gateway]\nlisteners = [{ protocol = 'smtp', address = '127.0.0.1:1', direction = 'inbound', tls = 1 }]",
            &["listeners", "tls"],
        ),
        ("[policy]\nsign = 'always'", &["policy.sign = \"always\"", "\"never\""]),
        ("[policy]\nheader_protection = 1", &["policy.header_protection = 1", "true or false"]),
        ("[policy]\nalso_sign = ['spam']", &["policy.also_sign", "spam", "calendar"]),
        ("[policy]\nsenders = [{ from = ['*'] }]", &["policy.senders", "no condition"]),
        ("[policy]\nrules = [{ too = ['a.test'], sign = 'never' }]", &["policy.rules", "too"]),
        ("[members]\ndomains = ['日本.test']", &["members.domains", "xn--"]),
        ("[members]\ndomains = ['a@b.test']", &["members.domains"]),
        ("[web]\npublic_url = 'check.example.test'", &["web.public_url", "absolute"]),
        ("[check]\nprotected = [{ name = 'x' }]", &["check.protected", "senders"]),
        ("[check]\nprotected = [{ name = 'x', senders = [] }]", &["check.protected", "no senders"]),
        ("[check]\nprotected = [{ name = ' ', senders = ['a.test'] }]", &["check.protected", "empty"]),
        ("[check]\nprotected = [{ name = 'x', senders = ['a b'] }]", &["check.protected", "neither an address"]),
        ("[check]\nprotected = [{ name = 'x', domains = ['a.test'] }]", &["check.protected", "domains"]),
        ("[check]\ncorrespondents = ['a.test']", &["check.correspondents", "a.test"]),
        ("[check]\nexpected_signers = ['@']", &["check.expected_signers"]),
        ("[log]\nlevel = 'loud'", &["log.level = \"loud\"", "trace"]),
        ("[log\n", &["test.toml", "not TOML", "line 1, column 5"]),
        ("[store]\nurl = 'postgresql://u:secret@h/db\n", &["not TOML", "line 2"]),
    ];
    for (text, parts) in cases {
        let error = read(text).unwrap_err().to_string();
        for part in *parts {
            assert!(error.contains(part), "{text}\n gave {error}\n without {part}");
        }
        assert!(!error.contains("secret"), "{error}");
    }
    let variable = with(&[("KAKITOME_GATEWAY_MAX_MAIL", "many")]).unwrap_err().to_string();
    assert!(variable.contains("KAKITOME_GATEWAY_MAX_MAIL") && variable.contains("\"many\""), "{variable}");
    let unknown = with(&[("KAKITOME_GATEWAY_NEXTHOP", "x")]).unwrap_err().to_string();
    assert!(unknown.contains("KAKITOME_GATEWAY_NEXTHOP"), "{unknown}");
    let apart = with(&[("KAKITOME_POLICY_SENDERS", "[{ login = '*', from = ['own'] }]")]).unwrap_err().to_string();
    assert!(apart.contains("policy.senders, rule 1") && apart.contains("submission_host"), "{apart}");
    let combined: &[(&[(&str, &str)], &str)] = &[
        (&[("TLS_CERTIFICATE", "/c")], "stand together"),
        (&[("TLS_NEXT_HOP", "require"), ("GATEWAY_NEXT_HOP", "a.test:25")], "tls.next_hop_ca"),
        (&[("TLS_NEXT_HOP", "may")], "nobody to speak TLS with"),
        (
            &[("GATEWAY_LISTENERS", "[{protocol='smtp',address='127.0.0.1:1',direction='inbound',tls='may'}]")],
            "tls.certificate and tls.key are not set",
        ),
        (
            &[
                (
                    "GATEWAY_LISTENERS",
                    "[{protocol='smtp',address='0.0.0.0:1',direction='inbound',tls='require',certificates=['*']}]",
                ),
                ("TLS_CERTIFICATE", "/c"),
                ("TLS_KEY", "/k"),
            ],
            "tls.client_ca is not set",
        ),
    ];
    for (variables, part) in combined {
        let variables = variables.iter().map(|(name, value)| (format!("KAKITOME_{name}"), (*value).to_owned()));
        let error = Settings::load(None, variables).unwrap_err().to_string();
        assert!(error.contains(part), "{error}\n without {part}");
    }
    let absent = Settings::load(Some(Path::new("/nonexistent/k.toml")), std::iter::empty()).unwrap_err().to_string();
    assert!(absent.contains("/nonexistent/k.toml"), "{absent}");
}

#[test]
fn the_password_of_a_database_is_never_shown() {
    let good = read("[store]\nurl = 'postgresql://k:s3cret@db.test/kaki?sslmode=require'\n").unwrap();
    assert!(!good.to_toml().contains("s3cret") && good.to_toml().contains("k:***@db.test"), "{}", good.to_toml());
    assert!(!format!("{good:?}").contains("s3cret"));
    assert!(good.recorded().iter().all(|setting| !setting.value.contains("s3cret")));
    for text in [
        "[store]\nurl = 'postgresql://k:s3cret@db.test:port/kaki'\n",
        "[store]\nurl = 'mysql://k:s3cret@db.test/kaki'\n",
        "[store]\nurl = 'postgresql://k:s3cret@db.test/kaki?colour=red'\n",
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains("store.url") && !error.contains("s3cret"), "{error}");
    }
    let alone = read("[store]\npassword_file = '/p'\n").unwrap().problems();
    assert!(alone.len() == 1 && alone[0].contains("store.url"), "{alone:?}");
}
