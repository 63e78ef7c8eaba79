//! mutt as the reader: mail that left `kakitome up`, opened on a terminal with Debian's own settings for S/MIME.
//!
//! mutt shows through a pager; ours keeps what it is given. Everything else is as at somebody's desk: his certificate comes
//! out of a PKCS#12 file by `smime_keys`, the password is typed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod peers;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use instance::{Instance, mail, run, settings};

const SUITE: &str = "mutt";
const ALICE: &str = "alice@example.test";
/// Where Debian tells mutt how S/MIME is read.
const DEBIAN: &str = "/etc/Muttrc.d/smime.rc";
/// What a reader sets.
const MUTTRC: &str = "\
set crypt_use_gpgme=no
set smime_is_default=yes
set mbox_type=Maildir
set folder=.
set spoolfile=box
set record=\"\"
set prompt_after=no
set wait_key=no
set delete=no
set move=no
set pager=\"sh keep.sh\"
";
/// The bank's certificate, by a CA of its own: `smime_keys` takes none without a chain.
const BANK: [&str; 4] = [
    "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=Banks -keyout banks.key -out banks.pem",
    "req -new -newkey rsa:2048 -nodes -subj /CN=Bank/emailAddress=desk@bank.example -keyout bank.key -out bank.csr",
    "x509 -req -in bank.csr -CA banks.pem -CAkey banks.key -days 30 -extfile bank.cnf -out bank.pem",
    "pkcs12 -export -inkey bank.key -in bank.pem -certfile banks.pem -passout pass:secret -out bank.p12",
];

#[test]
fn mutt_confirms_what_we_sign_and_opens_what_we_encrypt() {
    let names = ["mutt", "smime_keys", "script", "openssl"];
    let Some([mutt, smime_keys, script, openssl]) = peers::programs(SUITE, names) else { return };
    if peers::files(SUITE, [DEBIAN]).is_none() {
        return;
    }
    let house = tempfile::tempdir().unwrap();
    let desk = Desk { folder: house.path(), script, mutt };
    let others = "[members]\ndomains = ['example.test']\nkey = 'p-256'\n\
                  [policy]\nrules = [{ to = ['opaque.example'], sign = 'opaque' }]\n";
    let up = Instance::start(house.path(), &settings("", others));
    desk.furnish(&openssl, &up.anchors());
    let password = "opened";
    let talk = [("Import Password:", "secret"), ("phrase:", password), ("phrase:", password), ("label:", "bank")];
    let took = desk.converse(&format!("{} add_p12 bank.p12", smime_keys.display()), &talk);
    assert!(took.contains("added private key"), "{took}");
    let import = run(house.path(), &["directory", "import", "--for", "bank.example", "bank.pem"]);
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));

    let text = "Content-Type: text/plain; charset=utf-8\r\n";
    let written = |to: &str, subject: &str| {
        let mail = mail(ALICE, subject, "\u{304a}\u{306f}\u{3088}\u{3046}.\r\n").replace("bob@example.net", to);
        mail.replacen("Date: ", &format!("MIME-Version: 1.0\r\n{text}Content-Transfer-Encoding: 8bit\r\nDate: "), 1)
    };
    let sent = |to: &str, subject: &str| -> String {
        let stored = desk.send(&up, to, &written(to, subject));
        String::from_utf8(stored).unwrap()
    };
    let signed = sent("bob@example.net", "signed");
    let opaque = sent("bob@opaque.example", "opaque");
    let sealed = sent("desk@bank.example", "sealed");
    assert!(signed.contains("multipart/signed") && opaque.contains("signed-data") && sealed.contains("enveloped-data"));
    let changed = signed.replacen("44GK", "44Gv", 1);
    assert_ne!(changed, signed);

    let good = "Verification successful";
    for (what, mail, is_good) in [("signed", &signed, true), ("opaque", &opaque, true), ("changed", &changed, false)] {
        let shown = desk.read(mail, &[]);
        assert_eq!(shown.contains(good), is_good, "{what}: {shown}");
        assert_eq!(shown.contains("\u{304a}\u{306f}\u{3088}\u{3046}."), what != "changed", "{what}: {shown}");
    }
    let shown = desk.read(&sealed, &[("passphrase:", password)]);
    assert!(shown.contains("S/MIME encrypted") && shown.contains("\u{304a}\u{306f}\u{3088}\u{3046}."), "{shown}");
    assert!(shown.contains(good) && shown.contains("Subject: sealed"), "{shown}");
    // With another key it stays closed.
    assert!(!desk.read(&sealed, &[("passphrase:", "wrong")]).contains("\u{304a}"));
    // Who does not know our CA is not told that it is good.
    fs::copy(house.path().join("banks.pem"), house.path().join(".smime/ca-certificates.crt")).unwrap();
    assert!(!desk.read(&signed, &[]).contains(good));
}

/// Somebody at a terminal, whose home is this folder.
struct Desk<'a> {
    folder: &'a Path,
    script: PathBuf,
    mutt: PathBuf,
}

impl Desk<'_> {
    fn furnish(&self, openssl: &Path, anchors: &[u8]) {
        let at = |name: &str| self.folder.join(name);
        for name in [".smime/keys", ".smime/certificates", "box/cur", "box/new", "box/tmp"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::write(at("keep.sh"), "for file; do :; done\ncp \"$file\" shown\n").unwrap();
        fs::write(
            at("bank.cnf"),
            "subjectAltName=email:desk@bank.example\nkeyUsage=critical,keyEncipherment,digitalSignature\n\
             basicConstraints=critical,CA:FALSE\nextendedKeyUsage=emailProtection\n",
        )
        .unwrap();
        for line in BANK {
            let made = Command::new(openssl).current_dir(self.folder).args(line.split(' ')).output().unwrap();
            assert!(made.status.success(), "{line}: {}", String::from_utf8_lossy(&made.stderr));
        }
        let known = [anchors, &fs::read(at("banks.pem")).unwrap()].concat();
        fs::write(at(".smime/ca-certificates.crt"), known).unwrap();
        for index in [".smime/keys/.index", ".smime/certificates/.index"] {
            fs::write(at(index), "").unwrap();
        }
        fs::write(at(".muttrc"), MUTTRC).unwrap();
    }

    /// What leaves for this recipient.
    fn send(&self, up: &Instance, to: &str, mail: &str) -> Vec<u8> {
        let mut client = instance::Client::connect(up.door("SMTP", "outbound")).unwrap();
        client.greet("SMTP").unwrap();
        for command in [&format!("MAIL FROM:<{ALICE}> BODY=8BITMIME"), &format!("RCPT TO:<{to}>"), "DATA"] {
            let reply = client.ask(command).unwrap();
            assert!(reply.starts_with(['2', '3']), "{command}: {reply}");
        }
        client.write(format!("{mail}.\r\n").as_bytes()).unwrap();
        let reply = client.reply().unwrap();
        let stored = instance::stored(&reply).unwrap_or_else(|| panic!("{reply}\n{}", up.log()));
        fs::read(up.maildir().join("new").join(stored)).unwrap()
    }

    /// What mutt shows of a mail.
    fn read(&self, mail: &str, talk: &[(&str, &str)]) -> String {
        let at = |name: &str| self.folder.join(name);
        for name in ["box/new", "box/cur"] {
            fs::remove_dir_all(at(name)).unwrap();
            fs::create_dir(at(name)).unwrap();
        }
        let _ = fs::remove_file(at("shown"));
        fs::write(at("box/new/1"), mail.replace("\r\n", "\n")).unwrap();
        let index = fs::read_to_string(at(".smime/keys/.index")).unwrap();
        let key = index.split(' ').nth(1).unwrap();
        let settings = format!("set smime_default_key=\"{key}\"\npush \"<display-message><exit>\"\n");
        fs::write(at("reading"), format!("{MUTTRC}{settings}")).unwrap();
        let screen = self.converse(&format!("{} -F reading", self.mutt.display()), talk);
        fs::read_to_string(at("shown")).unwrap_or(screen)
    }

    /// Runs a program on a terminal, and types each answer when its question stands there; what was on the screen.
    fn converse(&self, line: &str, talk: &[(&str, &str)]) -> String {
        let mut command = Command::new(&self.script);
        // a program that waits for a word that nobody says is ended
        command.args(["-qefc", &format!("timeout --foreground 300 {line}"), "/dev/null"]).current_dir(self.folder);
        command.env("HOME", self.folder).env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut keys, mut screen) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (mut all, mut heard, mut talk) = (Vec::new(), 0, talk.iter());
        let mut next = talk.next();
        let mut some = [0; 4096];
        // One that ends has nothing more to say.
        while let Ok(count @ 1..) = screen.read(&mut some) {
            all.extend_from_slice(&some[..count]);
            let Some((question, answer)) = next else { continue };
            let news = String::from_utf8_lossy(&all[heard..]).into_owned();
            if news.contains(question) {
                heard = all.len();
                keys.write_all(format!("{answer}\r").as_bytes()).unwrap();
                next = talk.next();
            }
        }
        drop(keys);
        process.wait().unwrap();
        String::from_utf8_lossy(&all).into_owned()
    }
}
