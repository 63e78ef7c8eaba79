use super::*;

fn address(path: &str, parameters: &[(Keyword, &str)]) -> Address {
    let parameters =
        parameters.iter().map(|(keyword, value)| Parameter { keyword: *keyword, value: (*value).to_owned() }).collect();
    Address { path: path.to_owned(), parameters }
}

#[test]
fn commands() {
    use Keyword::{Body, Envid, Notify, Orcpt, Ret, Size, Smtputf8};
    let cases: &[(&str, Result<Command, u16>)] = &[
        ("EHLO client.example", Ok(Command::Hello(Hello::Ehlo, "client.example".into()))),
        ("ehlo [127.0.0.1] trailing", Ok(Command::Hello(Hello::Ehlo, "[127.0.0.1]".into()))),
        ("LHLO a", Ok(Command::Hello(Hello::Lhlo, "a".into()))),
        ("HELO", Err(501)),
        ("DATA", Ok(Command::Data)),
        ("data ", Ok(Command::Data)),
        ("DATA now", Err(501)),
        ("NOOP anything", Ok(Command::Noop)),
        ("RSET", Ok(Command::Rset)),
        ("QUIT", Ok(Command::Quit)),
        ("VRFY someone", Ok(Command::Vrfy)),
        ("MAIL FROM:<>", Ok(Command::Mail(address("", &[])))),
        ("mail from:<a@b.test>", Ok(Command::Mail(address("a@b.test", &[])))),
        ("MAIL FROM: <a@b.test>", Ok(Command::Mail(address("a@b.test", &[])))),
        ("MAIL FROM:<\"a b\"@c.test>", Ok(Command::Mail(address("\"a b\"@c.test", &[])))),
        ("MAIL FROM:<\"a>\\\" <b\"@c.test>", Ok(Command::Mail(address("\"a>\\\" <b\"@c.test", &[])))),
        ("MAIL FROM:<@a.test,@b.test:c@d.test>", Ok(Command::Mail(address("@a.test,@b.test:c@d.test", &[])))),
        ("MAIL FROM:<用@例.test> SMTPUTF8", Ok(Command::Mail(address("用@例.test", &[(Smtputf8, "")])))),
        (
            "MAIL FROM:<a@b.test> size=12 BODY=8bitmime RET=HDRS ENVID=x+3Dy",
            Ok(Command::Mail(address(
                "a@b.test",
                &[(Size, "12"), (Body, "8bitmime"), (Ret, "HDRS"), (Envid, "x+3Dy")],
            ))),
        ),
        (
            "RCPT TO:<a@b.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40b",
            Ok(Command::Rcpt(address("a@b.test", &[(Notify, "SUCCESS,DELAY"), (Orcpt, "rfc822;a+40b")]))),
        ),
        ("RCPT TO:<Postmaster>", Ok(Command::Rcpt(address("Postmaster", &[])))),
        ("RCPT TO:<>", Err(501)),
        ("RCPT FROM:<a@b.test>", Err(501)),
        ("RCPT TO:<a@b.test> SIZE=1", Err(555)),
        ("RCPT TO:<a@b.test> NOTIFY=NEVER,DELAY", Err(501)),
        ("MAIL", Err(501)),
        ("MAIL FROM:", Err(501)),
        ("MAIL FRÖM:<a@b.test>", Err(501)),
        ("MAIL FROM:a@b.test", Err(501)),
        ("MAIL FROM:<a@b.test", Err(501)),
        ("MAIL FROM:<a@b.test>x", Err(501)),
        ("MAIL FROM:<a b@c.test>", Err(501)),
        ("MAIL FROM:<a<b@c.test>", Err(501)),
        ("MAIL FROM:<\"a@b.test>", Err(501)),
        ("MAIL FROM:<a@b.test> SIZE", Err(501)),
        ("MAIL FROM:<a@b.test> SIZE=", Err(501)),
        ("MAIL FROM:<a@b.test> SIZE=-1", Err(501)),
        ("MAIL FROM:<a@b.test> SIZE=1 SIZE=2", Err(501)),
        ("MAIL FROM:<a@b.test> SMTPUTF8=yes", Err(501)),
        ("MAIL FROM:<a@b.test> BODY=BINARYMIME", Err(501)),
        ("MAIL FROM:<a@b.test> AUTH=<>", Err(555)),
        ("MAIL FROM:<a@b.test> REQUIRETLS", Ok(Command::Mail(address("a@b.test", &[(Keyword::Requiretls, "")])))),
        ("MAIL FROM:<a@b.test> REQUIRETLS=1", Err(501)),
        ("RCPT TO:<a@b.test> REQUIRETLS", Err(555)),
        ("STARTTLS", Ok(Command::StartTls)),
        ("STARTTLS a", Err(501)),
        (
            "XFORWARD NAME=spike.example ADDR=192.0.2.1 ident=4F",
            Ok(Command::Xforward(vec![
                ("NAME".into(), "spike.example".into()),
                ("ADDR".into(), "192.0.2.1".into()),
                ("IDENT".into(), "4F".into()),
            ])),
        ),
        ("XFORWARD", Err(501)),
        ("XFORWARD NAME", Err(501)),
        ("XFORWARD LOGIN=me", Err(501)),
        ("BDAT 5 LAST", Ok(Command::Bdat { size: 5, last: true })),
        ("bdat 18446744073709551615 ", Ok(Command::Bdat { size: u64::MAX, last: false })),
        ("BDAT 0  last", Ok(Command::Bdat { size: 0, last: true })),
        ("BDAT", Err(421)),
        ("BDAT LAST", Err(421)),
        ("BDAT +5", Err(421)),
        ("BDAT 18446744073709551616", Err(421)),
        ("BDAT 5 LAST 6", Err(421)),
        ("BDAT 5 FIRST", Err(421)),
        ("BDAT\t5", Err(421)),
        ("BDATA 5", Err(421)),
        ("FOO", Err(500)),
        ("", Err(500)),
        ("NO\0OP", Err(500)),
        ("NOOP \u{1b}[2J", Err(500)),
        ("NO\rOP", Err(500)),
        ("POST / HTTP/1.1", Err(421)),
        ("get / HTTP/1.1", Err(421)),
        ("Host: 127.0.0.1:2525", Err(421)),
    ];
    for (line, expected) in cases {
        assert_eq!(&parse(line.as_bytes()).map_err(|reply| reply.code()), expected, "{line:?}");
    }
    assert_eq!(parse(b"MAIL FROM:<\xff@b.test>").map_err(|reply| reply.code()), Err(500));
}

#[test]
fn sizes() {
    let size = |text: &str| match parse(format!("MAIL FROM:<> SIZE={text}").as_bytes()) {
        Ok(Command::Mail(mail)) => mail.declared_size(),
        other => panic!("{other:?}"),
    };
    assert_eq!(size("0"), Some(0));
    assert_eq!(size("18446744073709551615"), Some(u64::MAX));
    assert_eq!(size("99999999999999999999"), Some(u64::MAX));
}

/// Reads `input` in two pieces, cut at `split`, as a session does; a line or its reply's code.
fn lines(input: &[u8], split: usize) -> Vec<Result<Vec<u8>, u16>> {
    let mut reader = Lines::default();
    let mut buffer = Vec::new();
    let mut out = Vec::new();
    for piece in [&input[..split], &input[split..]] {
        buffer.extend_from_slice(piece);
        loop {
            let (used, line) = reader.next(&buffer);
            let line = line.map(|line| line.map(<[u8]>::to_vec).map_err(|reply| reply.code()));
            buffer.drain(..used);
            match line {
                Some(line) => out.push(line),
                None => break,
            }
        }
        assert!(buffer.len() < LINE_LIMIT);
    }
    out
}

#[test]
fn lines_end_with_cr_lf_whatever_the_split() {
    let input = b"NOOP\r\nRSET\nQ\rUIT\r\n\r\nrest";
    for split in 0..=input.len() {
        let expected = [Ok(b"NOOP".to_vec()), Err(500), Ok(b"Q\rUIT".to_vec()), Ok(Vec::new())];
        assert_eq!(lines(input, split), expected, "at {split}");
    }
    let mut long = vec![b'x'; LINE_LIMIT - 2];
    long.extend_from_slice(b"\r\nNOOP\r\n");
    let longer = [b"x".as_slice(), &long].concat();
    for split in [0, 1, 2045, 2046, 2047, 2048, 2049, 2050, 2053] {
        assert_eq!(lines(&long, split), [Ok(vec![b'x'; LINE_LIMIT - 2]), Ok(b"NOOP".to_vec())], "at {split}");
        assert_eq!(lines(&longer, split), [Err(500), Ok(b"NOOP".to_vec())], "at {split}");
    }
}
