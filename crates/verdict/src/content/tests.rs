use kakitome_testkit::archive::{ZipEntry, compound, pdf, rar_new, rar_old, seven, zip, zip_crypto};

use super::*;

fn entry() -> ZipEntry {
    ZipEntry::new("a.txt", b"0123456789abcdefgh")
}

/// A trailer at the beginning, which the end names, and one at the end that says nothing.
fn linearized(first: &str) -> Vec<u8> {
    let first =
        format!("%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 3 {first} >>\nstartxref\n0\n%%EOF\n");
    let last = "xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 3 >>\nstartxref\n9\n%%EOF\n";
    (first + last).into_bytes()
}

/// Files and what each shows; in pairs of one with a password and one without.
fn table() -> Vec<(&'static str, Vec<u8>, Option<Protection>, bool)> {
    use Protection::{Archive, Office, Pdf, Zip, ZipAes, ZipStrong};
    let program: Vec<u8> = [b"MZ".to_vec(), vec![0; 3_000]].concat();
    let after = |archive: Vec<u8>| [program.clone(), archive].concat();
    let fib = |flags: u16| [vec![0; 10], flags.to_le_bytes().to_vec()].concat();
    let user = |token: u32| [vec![0; 12], token.to_le_bytes().to_vec(), vec![0; 32]].concat();
    let book = |kind: u8| [&b"\x09\x08\x02\x00\x00\x06"[..], &[kind, 0, 2, 0, 0, 0]].concat();
    let long = |name, begin: &[u8]| compound(&[(name, begin, true)]);
    let rows = [
        ("zip", zip_crypto(), Some(Zip)),
        ("zip, in the clear", zip(b"", &[entry()]), None),
        ("zip, the second entry", zip(b"", &[entry(), entry().flags(1, 1)]), Some(Zip)),
        ("zip, a folder", zip(b"", &[ZipEntry::new("a/", b"")]), None),
        ("zip, empty", zip(b"", &[]), None),
        ("zip, the directory alone says so", zip(b"", &[entry().flags(1, 0)]), Some(Zip)),
        ("zip, the directory does not say so", zip(b"", &[entry().flags(0, 1)]), Some(Zip)),
        ("zip, AES", zip(b"", &[entry().aes()]), Some(ZipAes)),
        ("zip, strong", zip(b"", &[entry().flags(0x41, 0x41)]), Some(ZipStrong)),
        ("zip, masked", zip(b"", &[entry().flags(0x2041, 0x2041)]), Some(ZipStrong)),
        ("zip, UTF-8 names", zip(b"", &[entry().flags(0x800, 0x800)]), None),
        ("zip behind a program", zip(&program, &[entry().flags(1, 1)]), Some(Zip)),
        ("zip behind a program, in the clear", zip(&program, &[entry()]), None),
        ("7z", seven(true, false), Some(Archive)),
        ("7z, names hidden", seven(true, true), Some(Archive)),
        ("7z, in the clear", seven(false, false), None),
        ("7z behind a program", after(seven(true, true)), Some(Archive)),
        ("7z behind a program, in the clear", after(seven(false, true)), None),
        ("rar 4, names hidden", rar_old(0x80, 0), Some(Archive)),
        ("rar 4, a file", rar_old(0, 4), Some(Archive)),
        ("rar 4, in the clear", rar_old(0, 0), None),
        ("rar 5, names hidden", rar_new(true, false), Some(Archive)),
        ("rar 5, a file", rar_new(false, true), Some(Archive)),
        ("rar 5, in the clear", rar_new(false, false), None),
        ("atc", b"\x00\x02\x00\x00_AttacheCaseData\x00".to_vec(), Some(Archive)),
        ("text", b"_AttacheCase".to_vec(), None),
        ("docx", compound(&[("EncryptionInfo", b"\x04", false), ("EncryptedPackage", b"", true)]), Some(Office)),
        ("a package alone", long("EncryptedPackage", b""), None),
        ("doc", long("WordDocument", &fib(0x0100)), Some(Office)),
        ("doc, in the clear", long("WordDocument", &fib(0x1000)), None),
        ("xls", long("Workbook", &book(0x2f)), Some(Office)),
        ("xls, in the clear", long("Workbook", &book(0x42)), None),
        ("ppt", compound(&[("-", &[0; 70], false), ("Current User", &user(0xf3d1_c4df), false)]), Some(Office)),
        ("ppt, in the clear", compound(&[("Current User", &user(0xe391_c05f), false)]), None),
        ("pdf", pdf("/Encrypt 2 0 R", false), Some(Pdf)),
        ("pdf, a stream", pdf("/Encrypt 2 0 R", true), Some(Pdf)),
        ("pdf, linearized", linearized("/Encrypt 2 0 R"), Some(Pdf)),
        ("pdf, linearized, in the clear", linearized(""), None),
        ("pdf, in the clear", pdf("", false), None),
        ("pdf, a stream in the clear", pdf("", true), None),
        ("pdf, another name", pdf("/EncryptMetadata false", false), None),
        ("pdf, for certificates", pdf("/Encrypt << /Filter /Adobe.PubSec >>", false), None),
        ("nothing", Vec::new(), None),
    ];
    let nested = |inner: &[u8]| ZipEntry::new("b.zip", inner);
    let inside = [
        ("zip in zip", zip(b"", &[entry(), nested(&zip_crypto())]), Some(Zip)),
        ("zip in zip, deflated", zip(b"", &[nested(&zip_crypto()).deflated()]), Some(Zip)),
        ("pdf in zip", zip(b"", &[nested(&pdf("/Encrypt 2 0 R", false)).deflated()]), Some(Pdf)),
        ("zip in zip, in the clear", zip(b"", &[nested(&zip(b"", &[entry()]))]), None),
        ("two levels are not looked into", zip(b"", &[nested(&zip(b"", &[nested(&zip_crypto())]))]), None),
    ];
    let plain = rows.into_iter().map(|(what, octets, found)| (what, octets, found, false));
    plain.chain(inside.into_iter().map(|(what, octets, found)| (what, octets, found, true))).collect()
}

#[test]
fn files_show_what_they_are() {
    for (what, octets, by, is_nested) in table() {
        let found = file(&octets).unwrap();
        assert_eq!(found, by.map(|by| Protected { by, is_nested }), "{what}");
    }
}

#[test]
fn what_is_cut_off_or_changed_anywhere_is_read_all_the_same() {
    for (_, octets, _, _) in table() {
        let step = if octets.len() > 1_000 { 37 } else { 1 };
        for cut in (0..octets.len()).step_by(step) {
            let _ = file(&octets[..cut].to_vec()).unwrap();
            for value in [0, 0xff] {
                let mut changed = octets.clone();
                changed[cut] = value;
                let _ = file(&changed).unwrap();
            }
        }
    }
}

#[test]
fn places_beyond_the_end_end_the_search() {
    // Everything that counts or points, as large as it can be.
    let archive = zip(b"", &[entry()]);
    let end = archive.len() - 22;
    let mut lies = archive.clone();
    lies[end + 8..end + 20].fill(0xff);
    assert_eq!(file(&lies).unwrap(), None);
    // A Zip64 record whose directory is nowhere (APPNOTE §4.3.14).
    let record = [&b"PK\x06\x06"[..], &[0xff; 52]].concat();
    let locator = [&b"PK\x06\x07\0\0\0\0"[..], &u64::try_from(end).unwrap().to_le_bytes(), &[1, 0, 0, 0]].concat();
    let long = [&archive[..end], &record, &locator, &lies[end..]].concat();
    assert_eq!(file(&long).unwrap(), None);
    // A directory that goes round, and one of more entries than are looked at.
    let mut round = compound(&[("WordDocument", &[0; 12], true)]);
    round[512 + 8..512 + 12].copy_from_slice(&1_u32.to_le_bytes());
    assert_eq!(file(&round).unwrap(), None);
    assert_eq!(file(&zip(b"", &vec![ZipEntry::new("a", b""); 3_000])).unwrap(), None);
}

/// More parts than are looked into are told, and are no password by themselves.
#[test]
fn parts_beyond_the_limit_are_told() {
    use kakitome_smime::cms::recipient::NoKeys;
    use kakitome_smime::message::open::open;
    use kakitome_smime::octets::InMemory;

    for (count, told) in [(PART_LIMIT, false), (PART_LIMIT + 1, true)] {
        let parts = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n".repeat(count);
        let mail = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n").into_bytes();
        let opened = open(&mail, &InMemory, &NoKeys).unwrap();
        let findings = examine(&mail, &opened).unwrap();
        assert_eq!(findings.iter().map(|found| found.code).collect::<Vec<_>>(), vec![TOO_MANY; usize::from(told)]);
        assert!(!findings.iter().any(is_protected));
    }
}
