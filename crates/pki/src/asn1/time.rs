//! Time as the standards write it: UTCTime and GeneralizedTime (RFC 5280 §4.1.2.5), RFC 3339, and the Date of a mail.
//!
//! There is no clock here: "now" is an argument wherever it matters.

use std::fmt;
use std::str::FromStr;

use super::der::Tlv;
use super::{Malformed, tag, write};

/// Where the seconds begin. Arithmetic is done on civil dates: the library's timestamps end a day before
/// 9999-12-31T23:59:59Z, which is what a certificate without an end says (RFC 5280 §4.1.2.5).
const EPOCH: jiff::civil::DateTime = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A moment, in whole seconds since 1970-01-01T00:00:00Z; may lie before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// From Unix seconds.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Unix seconds.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This moment moved by `seconds`, stopping at the ends of the range.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// How many seconds lie between this moment and another, always positive.
    pub const fn distance(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }

    /// The Date header field of a mail (RFC 5322 §3.3), its obsolete forms included; `None` if it is none.
    pub fn from_mail_date(text: &str) -> Option<Self> {
        let text = text.trim();
        // RFC 5322 §3.3 allows comments; the one that occurs is the zone's name at the end.
        let text = text.split_once('(').map_or(text, |(before, _)| before).trim();
        let mut words = text.split_ascii_whitespace().collect::<Vec<_>>();
        if words.first().is_some_and(|word| word.ends_with(',') || word.contains(',')) {
            // The day of the week is redundant, and often wrong: the date decides.
            let first = words.remove(0);
            if let Some((_, day)) = first.split_once(',').filter(|(_, day)| !day.is_empty()) {
                words.insert(0, day);
            }
        }
        let mut text = words.join(" ");
        // An hour of one digit is none of the grammar's, and can be read in one way only.
        if let Some(at) =
            text.find(':').filter(|at| text.get(at.saturating_sub(2)..).is_some_and(|c| c.starts_with(' ')))
        {
            text.insert(at.saturating_sub(1), '0');
        }
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&text).ok().map(|time| Self(time.as_second()))
    }

    /// As the Date header field of a mail, in UTC.
    pub fn to_mail_date(self) -> String {
        let zoned = self.civil().to_zoned(jiff::tz::TimeZone::UTC);
        zoned.ok().and_then(|zoned| jiff::fmt::rfc2822::to_string(&zoned).ok()).unwrap_or_default()
    }

    /// Reads UTCTime or GeneralizedTime in the forms that DER and RFC 5280 allow: seconds present, `Z`, no fraction.
    ///
    /// # Errors
    /// Another form, or a date that does not exist.
    pub fn from_der(element: &Tlv<'_>) -> Result<Self, Malformed> {
        const WRONG: Malformed = Malformed::new("a time is not in the form of RFC 5280 §4.1.2.5");
        let text = std::str::from_utf8(element.value).map_err(|_| WRONG)?;
        let digits = text.strip_suffix('Z').ok_or(WRONG)?;
        if !digits.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(WRONG);
        }
        let (century, digits) = match (element.tag, digits.len()) {
            // RFC 5280 §4.1.2.5.1: 50 to 99 is 19YY.
            (tag::UTC_TIME, 12) if digits.as_bytes().first().is_some_and(|octet| *octet >= b'5') => ("19", digits),
            (tag::UTC_TIME, 12) => ("20", digits),
            (tag::GENERALIZED_TIME, 14) => digits.split_at_checked(2).ok_or(WRONG)?,
            _ => return Err(WRONG),
        };
        let century = century.parse::<i16>().map_err(|_| WRONG)?;
        let number = |from: usize| digits.get(from..from.saturating_add(2)).and_then(|part| part.parse::<i8>().ok());
        let (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) =
            (number(0), number(2), number(4), number(6), number(8), number(10))
        else {
            return Err(WRONG);
        };
        let year = century.saturating_mul(100).saturating_add(i16::from(year));
        let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0)
            .map_err(|_| Malformed::new("a time names a date that does not exist"))?;
        Ok(Self(civil.duration_since(EPOCH).as_secs()))
    }

    /// As DER: UTCTime through 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5).
    pub fn to_der(self) -> Vec<u8> {
        let civil = self.civil();
        let rest = format!(
            "{:02}{:02}{:02}{:02}{:02}Z",
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        match civil.year() {
            year @ 1950..=2049 => {
                write::element(tag::UTC_TIME, &[format!("{:02}", year.rem_euclid(100)).as_bytes(), rest.as_bytes()])
            }
            year => write::element(tag::GENERALIZED_TIME, &[format!("{year:04}").as_bytes(), rest.as_bytes()]),
        }
    }

    /// As GeneralizedTime whatever the year is: OCSP knows no other form (RFC 6960 §4.2.2.1).
    pub fn to_generalized(self) -> Vec<u8> {
        let civil = self.civil();
        let text = format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}Z",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        write::element(tag::GENERALIZED_TIME, &[text.as_bytes()])
    }

    fn civil(self) -> jiff::civil::DateTime {
        EPOCH.saturating_add(jiff::SignedDuration::from_secs(self.0))
    }
}

impl fmt::Display for Time {
    /// RFC 3339, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.civil())
    }
}

impl FromStr for Time {
    type Err = Malformed;

    /// RFC 3339, with any offset.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        const WRONG: Malformed = Malformed::new("not a time in RFC 3339, such as 2026-12-01T00:00:00Z");
        let pieces = jiff::fmt::temporal::Pieces::parse(text.trim()).map_err(|_| WRONG)?;
        let (Some(time), Some(offset)) = (pieces.time(), pieces.to_numeric_offset()) else { return Err(WRONG) };
        let civil = pieces.date().to_datetime(time);
        Ok(Self(civil.duration_since(EPOCH).as_secs()).plus(i64::from(offset.seconds()).saturating_neg()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::der::Der;
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, der) in [
            ("2026-11-22T17:00:00Z", &b"\x17\x0d261122170000Z"[..]),
            ("1955-01-01T00:00:00Z", b"\x17\x0d550101000000Z"),
            ("2050-01-01T00:00:00Z", b"\x18\x0f20500101000000Z"),
        ] {
            let time: Time = text.parse().unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(time.to_der(), der);
            assert_eq!(Time::from_der(&Der::only(der).unwrap()), Ok(time));
        }
        for bad in [&b"\x17\x0d260230000000Z"[..], b"\x17\x0b2611221700Z", b"\x18\x1120261122170000.5Z"] {
            assert!(Time::from_der(&Der::only(bad).unwrap()).is_err());
        }
    }

    #[test]
    fn the_end_of_a_certificate_without_end_is_a_time() {
        let der = b"\x18\x0f99991231235959Z";
        let time = Time::from_der(&Der::only(der).unwrap()).unwrap();
        assert_eq!((time.to_string().as_str(), time.unix()), ("9999-12-31T23:59:59Z", 253_402_300_799));
        assert_eq!(time.to_der(), der);
        assert_eq!("9999-12-31T23:59:59Z".parse(), Ok(time), "what is written is read again");
        assert_eq!("2026-12-01T09:00:00.5+09:00".parse(), Ok(Time::from_unix(1_796_083_200)));
        for bad in ["2026-12-01", "2026-12-01T00:00:00", "2026-02-30T00:00:00Z", "now", ""] {
            assert!(bad.parse::<Time>().is_err(), "{bad}");
        }
        assert_eq!(time.plus(1).to_der(), der, "there is no year 10000");
        assert_eq!(time.to_mail_date(), "");
    }

    #[test]
    fn the_date_of_a_mail_is_read_in_the_forms_that_occur() {
        let expected: Time = "2026-11-22T08:00:00Z".parse().unwrap();
        for text in [
            "Sun, 22 Nov 2026 17:00:00 +0900",
            "Sun, 22 Nov 2026 8:00:00 +0000",
            "22 Nov 2026 08:00:00 +0000",
            "Sun, 22 Nov 2026 17:00:00 +0900 (JST)",
            "Mon, 22 Nov 2026 08:00:00 GMT",
            " Sun,22 Nov 2026 08:00 -0000",
        ] {
            assert_eq!(Time::from_mail_date(text), Some(expected), "{text}");
        }
        assert_eq!(Time::from_mail_date("yesterday"), None);
        assert_eq!(Time::from_mail_date(&expected.to_mail_date()), Some(expected));
    }
}
