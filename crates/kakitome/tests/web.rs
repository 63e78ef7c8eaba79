//! The check page over a real connection on loopback, and every page as a file to be looked at (`target/tmp/pages`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kakitome::web::mbox::{Choice as Mails, OFFERED, Offer};
use kakitome::web::{Checker, Door, Inside, InstanceInfo, page, router, service};
use kakitome_office::spool::SpoolDirectory;
use kakitome_pki::asn1::time::Time;
use kakitome_smime::mime::encoding::Base64Decoder;
use kakitome_smime::octets::{Octets, read_range};
use kakitome_verdict::answer::*;
use kakitome_verdict::lookup::{Asked, Cause, End, Lookup};
use kakitome_verdict::passage::{Claim, Demand, Dkim, DomainPolicy, DomainSignature, Passage};
use kakitome_verdict::reason::Reason;
use kakitome_verdict::state::State;
use kakitome_verdict::text::Lang;
use kakitome_verdict::wire;

/// The page's own, and the only one.
const SCRIPT: &str = "<script src=\"/page.js\" defer></script>";
const MAX_MAIL: u64 = 1_000_000;
const NOW: Time = Time::from_unix(1_796_083_200);

/// Answers with the state that the mail asks for, and says how many bytes it saw.
struct Echo(SpoolDirectory);

impl Checker for Echo {
    fn check(&self, mail: Arc<dyn Octets>) -> Result<Answer, String> {
        let head = read_range(&*mail, 0..64, 64).map_err(|error| error.to_string())?;
        let head = String::from_utf8_lossy(&head);
        let wanted = head.lines().next().unwrap_or_default().strip_prefix("X-State: ").unwrap_or("NOT_A_MAIL");
        match wanted {
            "fault" => return Err("the disk is full".into()),
            "bug" => panic!("a bug"),
            _ => {}
        }
        let state = State::ALL.into_iter().find(|state| state.name() == wanted).unwrap();
        let mut answer = Answer::new(state, Reason::Ok, NOW);
        answer.trust_list = mail.len().to_string();
        Ok(answer)
    }

    fn instance(&self) -> InstanceInfo {
        InstanceInfo {
            member_domains: vec!["example.test".into()],
            own_ca: Some("Kakitome CA of example.test".into()),
            spools: self.0.clone(),
            max_mail: MAX_MAIL,
        }
    }
}

struct Server {
    address: SocketAddr,
    _directory: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

fn server() -> Server {
    let directory = tempfile::tempdir().unwrap();
    let spools = SpoolDirectory::new(directory.path()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let site = service(router(Arc::new(Echo(spools)), Inside::default()));
    runtime.spawn(async move { axum::serve(Door::new(listener), site).await });
    Server { address, _directory: directory, _runtime: runtime }
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    fn send(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        stream.write_all(request).unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        let reply = String::from_utf8(reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str, headers: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").as_bytes())
    }

    fn post(&self, path: &str, kind: &str, body: &[u8]) -> Reply {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.send(&request)
    }

    /// As a browser sends the form: both fields, one of them empty.
    fn form(&self, path: &str, file: &[u8], source: &str) -> Reply {
        let mut body = b"--b\r\nContent-Disposition: form-data; name=\"mail\"; filename=\"a.eml\"\r\n\
            Content-Type: message/rfc822\r\n\r\n"
            .to_vec();
        body.extend_from_slice(file);
        body.extend_from_slice(
            format!("\r\n--b\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\n{source}\r\n--b--\r\n")
                .as_bytes(),
        );
        self.post(path, "multipart/form-data; boundary=b", &body)
    }
}

#[test]
fn every_reply_keeps_the_page_closed_to_the_outside() {
    let server = server();
    let replies = [
        server.get("/", ""),
        server.get("/help", ""),
        server.get("/style.css", ""),
        server.get("/icon.svg", ""),
        server.get("/page.js", ""),
        server.get("/healthz", ""),
        server.get("/readyz", ""),
        server.get("/metrics", ""),
        server.get("/nothing", ""),
        server.get("/check?lang=ja", ""),
        server.post("/", "text/plain", b"x"),
        server.form("/check", b"X-State: ALTERED\r\n\r\n", ""),
        server.form("/check", b"", ""),
    ];
    let found: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(found, [200, 200, 200, 200, 200, 200, 200, 200, 404, 303, 405, 200, 400]);
    assert!(replies[9].head.contains("location: /?lang=ja"), "{}", replies[9].head);
    for Reply { head, body, .. } in &replies {
        for line in [
            "content-security-policy: default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
             img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}\n{head}");
        }
        assert!(!head.contains("set-cookie"), "{head}");
        // nothing that the policy would have to stop
        for never in ["<script", "style=\"", "http://", "https://", "javascript:", " onclick"] {
            let body = body.replace("http://www.w3.org/2000/svg", "").replace(SCRIPT, "");
            assert!(!body.contains(never), "{never}\n{body}");
        }
    }
}

#[test]
fn the_language_is_the_readers() {
    let server = server();
    for (path, accept, lang) in [
        ("/", "", "en"),
        ("/", "Accept-Language: ja,en;q=0.5\r\n", "ja"),
        ("/", "Accept-Language: en,ja;q=0.5\r\n", "en"),
        ("/?lang=ja", "Accept-Language: en\r\n", "ja"),
        ("/?x=1&lang=en", "Accept-Language: ja\r\n", "en"),
        ("/?lang=fr", "Accept-Language: ja\r\n", "ja"),
        ("/nothing?lang=ja", "", "ja"),
        ("/help", "Accept-Language: ja\r\n", "ja"),
        ("/help?lang=en", "Accept-Language: ja\r\n", "en"),
    ] {
        let reply = server.get(path, accept);
        assert!(reply.body.contains(&format!("<html lang=\"{lang}\">")), "{path} {accept}");
    }
}

#[test]
fn a_mail_is_taken_in_every_form() {
    let server = server();
    let mail = "X-State: ALTERED\r\n\r\nbody\r\n";
    let large = format!("X-State: ALTERED\r\n\r\n{}", "x".repeat(900_000));
    let other =
        format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.eml\"\r\n\r\n{mail}\r\n--b--\r\n");
    for (reply, length) in [
        (server.form("/check?format=json", mail.as_bytes(), ""), mail.len()),
        (server.form("/check?format=json", b"", &format!("\r\n\r\n{mail}")), mail.len()),
        (server.form("/check?format=json", mail.as_bytes(), "X-State: NOT_SIGNED"), mail.len()),
        (server.form("/check?format=json", large.as_bytes(), ""), large.len()),
        (server.post("/check?format=json", "message/rfc822", mail.as_bytes()), mail.len()),
        (server.post("/check?format=json", "message/rfc822", large.as_bytes()), large.len()),
        // as `curl --data-binary` labels it, and a file under another name than our form's
        (server.post("/check?format=json", "application/x-www-form-urlencoded", mail.as_bytes()), mail.len()),
        (server.post("/check?format=json", "multipart/form-data; boundary=b", other.as_bytes()), mail.len()),
    ] {
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert!(reply.head.contains("content-type: application/json"));
        let answer: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(answer["state"], "ALTERED");
        assert_eq!(answer["trust_list"], length.to_string());
    }
    let page = server.form("/check?lang=en", mail.as_bytes(), "");
    assert!(
        page.body.contains("Changed after it was signed") && page.body.contains("署名のあとで内容が変わっています")
    );
    let counts = server.get("/metrics", "").body;
    assert!(counts.contains("kakitome_verdicts_total{door=\"page\",state=\"ALTERED\"} 9\n"), "{counts}");
}

#[test]
fn what_is_counted_is_not_for_everybody() {
    let server = server();
    for (headers, status) in [
        ("", 200),
        ("X-Forwarded-For: 127.0.0.1\r\n", 403),
        ("Forwarded: for=127.0.0.1\r\n", 403),
        ("X-Forwarded-For:\r\n", 403),
    ] {
        for path in ["/metrics", "/readyz"] {
            assert_eq!(server.get(path, headers).status, status, "{path} {headers}");
        }
        assert_eq!(server.get("/healthz", headers).status, 200);
    }
    let reply = server.get("/metrics", "");
    assert!(reply.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", reply.head);
    assert!(reply.body.ends_with("# EOF\n"), "{}", reply.body);
}

#[test]
fn what_cannot_be_answered_is_told_kindly() {
    let server = server();
    let form = "multipart/form-data; boundary=b";
    for (reply, status, words) in [
        (server.form("/check", b"", ""), 400, "The file is empty"),
        (
            server.post("/check", form, b"--b\r\nContent-Disposition: form-data; name=\"mail\"\r\n\r\nX-St"),
            400,
            "arrive whole",
        ),
        (
            server.post(
                "/check",
                form,
                b"--b\r\nContent-Disposition: form-data; name=\"mail\"; filename=\"\"\r\n\r\n\r\n--b--\r\n",
            ),
            400,
            "No mail was chosen",
        ),
        (server.post("/check", form, b"nonsense"), 400, "arrive whole"),
        (server.post("/check", form, b"--b--\r\n"), 400, "No mail was chosen"),
        (server.post("/check", "multipart/form-data", b"x"), 400, "arrive whole"),
        (server.post("/check", "application/json", b"{}"), 415, "message/rfc822"),
        (server.post("/check", "message/rfc822", b""), 400, "No mail was chosen"),
        (server.post("/check", "message/rfc822", b"X-State: fault\n"), 503, "temporary problem on our side"),
        (server.post("/check", "message/rfc822", b"X-State: bug\n"), 500, "has not been confirmed"),
        (server.post("/check?format=json", "message/rfc822", b""), 400, "\"error\":\"nothing\""),
    ] {
        assert_eq!(reply.status, status, "{}", reply.body);
        assert!(reply.body.contains(words), "{words}\n{}", reply.body);
        assert!(!reply.body.contains("disk is full"), "a fault is for the log");
    }
}

#[test]
fn of_a_file_with_many_mails_one_is_chosen() {
    let server = server();
    let mbox = b"From a@x Tue Dec  1 00:00:00 2026\nX-State: ALTERED\nFrom: =?UTF-8?B?5L6L56S6?= <a@bank.example>\n\
        Subject: <b>one</b>\nDate: Tue, 1 Dec 2026 00:00:00 +0000\n\nx\n\n\
        From b@x Tue Dec  1 00:00:00 2026\nX-State: REVOKED\nSubject: two\n\n>From y\n";
    let ask = server.form("/check?lang=en", mbox, "");
    assert_eq!(ask.status, 200);
    for shown in ["This file holds 2 mails", "&lt;b&gt;one&lt;/b&gt;", "例示 &lt;a@bank.example&gt;", "(no date)"] {
        assert!(ask.body.contains(shown), "{shown}\n{}", ask.body);
    }
    // by the query, as programs do it, or by the form; the file comes again
    let form = |number: &str| {
        let mut body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\n{number}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\n\r\n\
             --b\r\nContent-Disposition: form-data; name=\"mail\"; filename=\"a.mbox\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(mbox);
        body.extend_from_slice(b"\r\n--b--\r\n");
        server.post("/check?lang=en&format=json", "multipart/form-data; boundary=b", &body)
    };
    let query = |number: &str| server.form(&format!("/check?lang=en&format=json&number={number}"), mbox, "");
    for (reply, state) in
        [(form("1"), "ALTERED"), (form("2"), "REVOKED"), (query("1"), "ALTERED"), (query("2"), "REVOKED")]
    {
        assert!(reply.body.contains(&format!("\"state\": \"{state}\"")), "{}", reply.body);
    }
    // the second is what it was before it was put into the file
    let second = "X-State: REVOKED\nSubject: two\n\nFrom y\n";
    assert!(query("2").body.contains(&format!("\"trust_list\": \"{}\"", second.len())));
    for wrong in [form("3"), query("0"), query("18446744073709551615")] {
        assert_eq!(wrong.status, 400);
        assert!(wrong.body.contains("\"error\":\"number\""), "{}", wrong.body);
    }
    assert!(form(&"1".repeat(21)).body.contains("\"error\":\"broken\""));
    // a file with one mail, and one that is no mbox, need no choice
    let one = mbox.split(|octet| *octet == b'\n').take(6).collect::<Vec<_>>().join(&b'\n');
    assert!(server.form("/check?lang=en", &one, "").body.contains("Changed after it was signed"));
    let reply = server.form("/check?lang=en&number=7", b"X-State: ALTERED\r\n\r\n", "");
    assert!(reply.body.contains("Changed after it was signed"));
    // a program that says nothing is answered about the file as it stands
    assert!(server.form("/check?format=json", mbox, "").body.contains("NOT_A_MAIL"));
}

#[test]
fn more_mails_than_are_offered_are_counted() {
    let server = server();
    let mails = "From a\nSubject: x\n\ny\n\n".repeat(OFFERED + 7);
    let body = server.form("/check?lang=en", mails.as_bytes(), "").body;
    assert!(body.contains("This file holds 507 mails") && body.contains("These are the first 500"), "{body}");
    assert_eq!(body.matches("type=\"radio\"").count(), OFFERED);
}

#[test]
fn a_mail_beyond_the_limit_is_too_big() {
    let server = server();
    let exact = vec![b'x'; MAX_MAIL as usize];
    let more = vec![b'x'; MAX_MAIL as usize + 1];
    assert_eq!(server.post("/check", "message/rfc822", &exact).status, 200);
    for reply in [
        server.post("/check?lang=en", "message/rfc822", &more),
        server.form("/check?lang=en", &more, ""),
        server.form("/check?lang=en", &more, "X-State: ALTERED"),
    ] {
        assert_eq!(reply.status, 413);
        assert!(reply.body.contains("kakitome check"), "{}", reply.body);
    }
}

/// An answer with everything in it, told in a stranger's words.
fn filled(state: State, words: &str) -> Answer {
    let text = || words.to_owned();
    let mut answer = Answer::new(state, Reason::Ok, NOW);
    answer.who = Who {
        class: Class::Org,
        org: Some(text()),
        org_id: Some(OrgId { scheme: text(), country: text(), value: text() }),
        person: Some(text()),
        pseudonym: false,
        address: Some(text()),
        asserted_by: Some(text()),
        issuer: Some(text()),
        from_header: Some(text()),
        from_address: Some(text()),
        looks_like: Some(text()),
    };
    answer.sealed = Sealed { answer: Encrypted::Yes, alg: Some(text()), to: vec![text()], gateway: Some(text()) };
    answer.trust_list = text();
    answer.protected_subject = Some(text());
    answer.expert = Expert {
        tree: vec![Part {
            depth: 65_535,
            content_type: text(),
            bytes: std::ops::Range { start: 9, end: 1 },
            signed: true,
            filename: Some(text()),
        }],
        signature: Some(Signature {
            version: 3,
            digest: text(),
            algorithm: text(),
            attributes: vec![(text(), text())],
            sha256: String::new(),
        }),
        signers: vec![SignedBy {
            subject: Some(text()),
            depth: 65_535,
            holds: true,
            signed_claimed: Some(NOW),
            findings: vec![text()],
        }],
        signer: Some(Certificate {
            subject: text(),
            issuer: text(),
            serial: text(),
            alternative_names: vec![text()],
            key_usage: vec![text()],
            extended_key_usage: vec![text()],
            policies: vec![text()],
            key: text(),
            not_before: Time::from_unix(i64::MIN),
            not_after: Time::from_unix(i64::MAX),
            sha256: text(),
        }),
        path: vec![PathStep { subject: text(), anchor: true, source: text() }],
        revocation: vec![Revocation {
            subject: text(),
            source: text(),
            result: Revoked::Since(NOW, text()),
            this_update: None,
            next_update: None,
        }],
        headers: vec![Header {
            name: text(),
            outer: Some(text()),
            protected: Some(text()),
            state: HeaderState::Differs,
        }],
        checks: Step::ALL.map(|step| Check { step, outcome: CheckOutcome::Failed, detail: text().into() }).to_vec(),
        passage: Passage {
            signatures: vec![DomainSignature {
                domain: text(),
                selector: text(),
                outcome: Dkim::Fail,
                is_aligned: true,
                is_partial: true,
                detail: text(),
            }],
            policy: Some(DomainPolicy { domain: text(), owner: text(), demand: Demand::Reject }),
            claims: vec![Claim { by: text(), method: text(), result: text(), about: text() }],
        },
        lookups: vec![Lookup {
            what: Asked::List,
            about: text(),
            place: text(),
            end: End::Unavailable(Cause::Status),
            detail: text(),
            came: Some(NOW),
            kept: true,
        }],
        findings: vec![Finding { code: text(), detail: text() }],
    };
    answer
}

#[test]
fn a_strangers_words_never_become_markup() {
    let hostile = "</title></pre><script>alert(1)</script>\"'><img src=x onerror=y>\u{202e}\u{2069}\x1b[0m";
    for state in State::ALL {
        for lang in Lang::ALL {
            let page = page::result(&filled(state, hostile), lang).into_string().replace(SCRIPT, "");
            assert!(page.contains("&lt;script&gt;"), "{}", state.name());
            for never in ["<script", "<img", "\u{202e}", "\x1b"] {
                assert!(!page.contains(never), "{} {}: {never:?}", state.name(), lang.tag());
            }
        }
    }
}

#[test]
fn an_answer_says_when_by_what_and_on_whose_word() {
    for (lang, words) in [
        (
            Lang::En,
            [
                "Judged at: <time datetime=\"2026-12-01T00:00:00Z\">1 December 2026, 00:00 UTC",
                "Engine: kakitome 0.",
                "List of issuers: <bdi>own-ca",
                "own authority",
            ],
        ),
        (
            Lang::Ja,
            [
                "判定の時点：<time datetime=\"2026-12-01T00:00:00Z\">2026年12月1日 09:00（日本時間）",
                "エンジン：kakitome 0.",
                "発行元の一覧：<bdi>own-ca",
                "の認証局",
            ],
        ),
    ] {
        let page = page::result(&example(State::LocalConfirmed), lang).into_string();
        let basis = page.split("<p class=\"basis\">").nth(1).unwrap().split("</p>").next().unwrap();
        assert!(words.iter().all(|word| basis.contains(word)), "{basis}");
    }
    // nobody chose an issuer where none was needed
    let mut answer = example(State::NotSigned);
    (answer.trust_list, answer.whose_choice) = (String::new(), None);
    let page = page::result(&answer, Lang::En).into_string();
    let basis = page.split("<p class=\"basis\">").nth(1).unwrap().split("</p>").next().unwrap();
    assert!(basis.contains("Judged at") && !basis.contains("ssuer"), "{basis}");
}

#[test]
fn an_answer_can_be_taken_along() {
    let answer = filled(State::Altered, "例示 \u{202e}");
    let page = page::result(&answer, Lang::En).into_string();
    let link = page.split("href=\"data:application/json;base64,").nth(1).unwrap();
    assert!(link.contains("\" download=\"kakitome-altered.json\""), "{link}");
    let mut decoder = Base64Decoder::new(Vec::new());
    decoder.write_all(link.split('"').next().unwrap().as_bytes()).unwrap();
    let (json, clean) = decoder.finish().unwrap();
    assert!(clean && String::from_utf8(json).unwrap() == wire::json(&answer), "the same as check --json");
    // what no browser takes is not offered
    let page = page::result(&filled(State::Altered, &"x".repeat(100_000)), Lang::En).into_string();
    assert!(!page.contains("href=\"data:") && page.contains("check --json"));
}

/// An unsigned mail with two mails attached, one of which has another one inside.
fn with_attached() -> Answer {
    let attached = |answer: Answer, subject: &str| Attached { name: None, subject: Some(subject.into()), answer };
    let mut inner = example(State::OrgConfirmed);
    inner.attached = vec![attached(example(State::FakeSignature), "deeper")];
    let mut answer = example(State::NotSigned);
    answer.attached = vec![attached(inner, "<b>inner"), attached(example(State::Altered), "second")];
    answer
}

#[test]
fn an_attached_mail_has_a_card_of_its_own() {
    let answer = with_attached();
    for lang in Lang::ALL {
        let page = page::result(&answer, lang).into_string();
        let cards: Vec<&str> =
            page.split("<article class=\"answer tone-").skip(1).map(|card| card.split('"').next().unwrap()).collect();
        assert_eq!(cards, ["grey", "green", "red", "red"], "the mail's own first, then in the order of the parts");
        assert_eq!(page.matches("<h1").count(), 1);
        assert!(page.contains("&lt;b&gt;inner") && page.contains("deeper"));
        // the title of the page is the answer about the mail itself, and so is the state
        let title = page.split("<title>").nth(1).unwrap();
        assert!(title.starts_with(lang.pick("電子署名はありません", "Not signed")), "{title}");
        let mut ids: Vec<&str> = page.split(" id=\"").skip(1).map(|id| id.split('"').next().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "no name twice: {ids:?}");
    }
}

#[test]
fn the_frame_parts_what_is_signed_from_what_is_not() {
    let mut answer = example(State::PartSigned);
    let runs = |answer: &Answer| -> Vec<String> {
        let page = page::result(answer, Lang::En).into_string();
        let frame = page.split("<div class=\"parts\">").nth(1).unwrap().split("</div></div>").next().unwrap();
        let plain =
            |run: &str| run.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect();
        frame.split("<div class=\"run").skip(1).map(|run| plain(run.split_once('>').unwrap().1)).collect()
    };
    let header = "Not signedFrom, addressees, subject and date";
    let name = "Attachment “ご利用明細\\u{202e}fdp.exe” 13 kB";
    let signed = format!("SignedText 2 kB{name}");
    assert_eq!(runs(&answer), [header.to_owned(), signed.clone()]);
    let footer = Part { depth: 1, content_type: "text/plain".into(), bytes: 0..90, signed: false, filename: None };
    answer.expert.tree.push(footer);
    assert_eq!(runs(&answer), [header.to_owned(), signed, "Not signedText 90 B".to_owned()]);
    answer.altered.covers = vec![Covered::Subject];
    let signed = format!("SignedFrom, addressees, subject and dateText 2 kB{name}");
    assert_eq!(runs(&answer), [signed, "Not signedText 90 B".to_owned()]);
}

#[test]
fn every_page_can_be_looked_at() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join("style.css"), page::STYLE).unwrap();
    let write = |name: String, page: String| {
        assert!(page.starts_with("<!DOCTYPE html><html lang=\""));
        std::fs::write(target.join(name), page.replace("href=\"/style.css\"", "href=\"style.css\"")).unwrap();
    };
    let directory = tempfile::tempdir().unwrap();
    let instance = Echo(SpoolDirectory::new(directory.path()).unwrap()).instance();
    for lang in Lang::ALL {
        let tag = lang.tag();
        write(format!("start.{tag}.html"), page::start(&instance, lang).into_string());
        write(
            format!("trouble.{tag}.html"),
            page::trouble("混みあっています", "Please try again.", lang).into_string(),
        );
        let mails = (1..=7).map(|number| Offer {
            from: Some("例示銀行 お客様窓口 <info@bank.example>".into()),
            subject: Some(format!("月例報告 {number} / Your statement")),
            date: Some("Tue, 1 Dec 2026 00:00:00 +0900".into()),
        });
        write(
            format!("choice.{tag}.html"),
            page::choice(&Mails { mails: mails.collect(), all: 612 }, MAX_MAIL, lang).into_string(),
        );
        write(format!("attached.{tag}.html"), page::result(&with_attached(), lang).into_string());
        for state in State::ALL {
            write(format!("{}.{tag}.html", state.name()), page::result(&example(state), lang).into_string());
        }
    }
}

/// What the judge would find in an ordinary mail that leads to `state`.
fn example(state: State) -> Answer {
    let mut answer = filled(state, "");
    let reason = match state {
        State::Altered => Reason::CmsDigest,
        State::NotSigned => Reason::MimeNone,
        State::FakeSignature => Reason::FakeNotCms,
        State::LocalConfirmed => Reason::PathOwnCa,
        State::CertNotValidThen => Reason::TimeExpiredAtSigning,
        _ => Reason::Ok,
    };
    answer.reasons = vec![reason, Reason::BindExact, Reason::RevNoneOffered, Reason::HpClear];
    answer.who = Who {
        class: Class::Org,
        org: Some("株式会社例示銀行".into()),
        person: Some("例示 太郎".into()),
        address: Some("info@bank.example".into()),
        issuer: Some("Kakitome CA of example.test".into()),
        asserted_by: Some("Kakitome CA of example.test".into()),
        from_header: Some("例示銀行 お客様窓口 <info@bank.example>".into()),
        from_address: Some("info@bank.example".into()),
        ..Who::default()
    };
    answer.sealed = Sealed { answer: Encrypted::No, ..Sealed::default() };
    if state.is_confirmed() {
        answer.altered = Altered { answer: Changed::No, covers: vec![Covered::Body, Covered::Attachments] };
    }
    if state == State::Altered {
        answer.altered.answer = Changed::Yes;
    }
    answer.whose_choice = Some(Choice::OwnCa);
    answer.time.signed_claimed = Some(NOW);
    answer.trust_list = "own-ca".into();
    answer.protected_subject = Some("月例報告".into());
    let part = |depth, kind: &str, bytes, signed, name: Option<&str>| Part {
        depth,
        content_type: kind.into(),
        bytes,
        signed,
        filename: name.map(Into::into),
    };
    let subject = "CN=info@bank.example";
    answer.expert = Expert {
        tree: vec![
            part(0, "multipart/signed", 0..18_204, false, None),
            part(1, "multipart/mixed", 612..14_020, true, None),
            part(2, "text/plain", 870..1_930, true, None),
            part(2, "application/pdf", 1_930..14_020, true, Some("ご利用明細\u{202e}fdp.exe")),
            part(1, "application/pkcs7-signature", 14_020..18_204, false, Some("smime.p7s")),
        ],
        signature: Some(Signature {
            version: 1,
            digest: "SHA-256".into(),
            algorithm: "RSASSA-PKCS1-v1_5 with SHA-256".into(),
            attributes: vec![("contentType".into(), "id-data".into()), ("signingTime".into(), NOW.to_string())],
            sha256: String::new(),
        }),
        signers: Vec::new(),
        signer: Some(Certificate {
            subject: subject.into(),
            issuer: "CN=Kakitome CA of example.test".into(),
            serial: "4f1c22a09be7731d".into(),
            alternative_names: vec!["rfc822Name:info@bank.example".into()],
            key_usage: vec!["digitalSignature".into()],
            extended_key_usage: vec!["emailProtection".into()],
            policies: Vec::new(),
            key: "RSA 2048".into(),
            not_before: NOW.plus(-86_400),
            not_after: NOW.plus(86_400 * 365),
            sha256: "9f2c".repeat(16),
        }),
        path: vec![
            PathStep { subject: subject.into(), anchor: false, source: "mail".into() },
            PathStep { subject: "CN=Kakitome CA of example.test".into(), anchor: true, source: "own CA".into() },
        ],
        revocation: vec![Revocation {
            subject: subject.into(),
            source: String::new(),
            result: Revoked::NotOffered,
            this_update: None,
            next_update: None,
        }],
        headers: vec![Header {
            name: "Subject".into(),
            outer: Some("月例報告".into()),
            protected: Some("月例報告".into()),
            state: HeaderState::Signed,
        }],
        checks: Step::ALL.map(|step| Check { step, outcome: CheckOutcome::Ok, detail: String::new().into() }).to_vec(),
        lookups: Vec::new(),
        passage: Passage::default(),
        findings: vec![Finding { code: "hp.clear".into(), detail: String::new() }],
    };
    answer
}
