//! Timestamps of an authority over the bytes of a checkpoint (RFC 3161): the request that is sent, and
//! what of the reply can be checked by who asked.
//!
//! Pure: bytes in, bytes and verdicts out. That the token is signed by an authority whose certificate
//! one trusts is not checked here; `openssl ts -verify` does that, and whoever relies on the time
//! should (docs/decisions/0028).

use der::asn1::AnyRef;
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use ledger::Digest;

/// 2.16.840.1.101.3.4.2.1, SHA-256.
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 1.2.840.113549.1.7.2, signed data (RFC 5652 section 5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4, what a timestamp says (RFC 3161 section 2.4.2).
const TST_INFO: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];

/// The most bytes of a reply that are looked at; one with a long chain of certificates has a tenth.
pub const LONGEST_REPLY: usize = 1 << 20;

/// What was asked for: a timestamp over a digest, under a number that nobody could foresee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The SHA-256 of what is stamped.
    pub imprint: Digest,
    nonce: Vec<u8>,
}

/// What a reply says, its signature not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The digest that was stamped.
    pub imprint: Digest,
    /// When, as the authority says: RFC 3339, in UTC.
    pub time: String,
    /// The token's number, in hexadecimal.
    pub serial: String,
    nonce: Option<Vec<u8>>,
}

impl Request {
    /// Asks for a timestamp over `imprint`; of `random`, the first eight bytes become the nonce.
    #[must_use]
    pub fn new(imprint: Digest, random: &Digest) -> Self {
        let mut nonce: Vec<u8> = random.as_bytes().iter().take(8).copied().collect();
        if let Some(first) = nonce.first_mut() {
            // a positive number whose first byte is not zero has one form only
            *first = (*first & 0x3f) | 0x40;
        }
        Self { imprint, nonce }
    }

    /// Returns the request's bytes (RFC 3161 section 2.4.1); the certificates are asked for, so that
    /// the token can be verified alone.
    ///
    /// # Errors
    ///
    /// A sentence; nothing that can be asked for here is too long to be encoded.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let algorithm = sequence(&[
            element(Tag::ObjectIdentifier, SHA_256)?,
            element(Tag::Null, &[])?,
        ])?;
        let imprint = sequence(&[
            algorithm,
            element(Tag::OctetString, self.imprint.as_bytes())?,
        ])?;
        sequence(&[
            element(Tag::Integer, &[1])?,
            imprint,
            element(Tag::Integer, &self.nonce)?,
            element(Tag::Boolean, &[0xff])?,
        ])
    }

    /// Reads a request that [`Request::encode`] has made.
    ///
    /// # Errors
    ///
    /// A sentence about what was found instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let members = members(one(bytes)?)?;
        let [_, imprint, nonce, _] = members.as_slice() else {
            return Err("expected version, imprint, nonce and a flag in a request".to_owned());
        };
        Ok(Self {
            imprint: digest(*imprint)?,
            nonce: tagged(*nonce, Tag::Integer)?.to_vec(),
        })
    }

    /// Checks that a reply answers this request.
    ///
    /// # Errors
    ///
    /// A sentence about what differs.
    pub fn check(&self, stamp: &Stamp) -> Result<(), String> {
        if stamp.imprint != self.imprint {
            return Err(format!(
                "expected a timestamp over `{}`, found one over `{}`",
                self.imprint, stamp.imprint
            ));
        }
        match &stamp.nonce {
            Some(nonce) if *nonce == self.nonce => Ok(()),
            Some(_) => Err("the nonce is another than was asked with".to_owned()),
            None => Err("expected the nonce that was asked with, found none".to_owned()),
        }
    }
}

impl Stamp {
    /// Reads a reply (RFC 3161 section 2.4.2).
    ///
    /// # Errors
    ///
    /// A sentence: the bytes are no reply, or the authority has refused.
    pub fn parse(reply: &[u8]) -> Result<Self, String> {
        if reply.len() > LONGEST_REPLY {
            return Err(format!(
                "expected at most {LONGEST_REPLY} bytes, found more"
            ));
        }
        let parts = members(one(reply)?)?;
        let (status, rest) = parts.split_first().ok_or("expected a status, found none")?;
        granted(*status)?;
        let token = rest.first().ok_or("expected a token, found none")?;
        let info = info(*token)?;
        let info = members(one(info)?)?;
        let [_, _, imprint, serial, time, more @ ..] = info.as_slice() else {
            return Err("expected version, policy, imprint, serial number and time".to_owned());
        };
        let nonce = more
            .iter()
            .find(|member| member.tag() == Tag::Integer)
            .map(|member| member.value().to_vec());
        let serial = tagged(*serial, Tag::Integer)?;
        Ok(Self {
            imprint: digest(*imprint)?,
            time: readable(tagged(*time, Tag::GeneralizedTime)?)?,
            serial: serial.iter().map(|byte| format!("{byte:02x}")).collect(),
            nonce,
        })
    }
}

/// Refuses a status that is neither `granted` nor `grantedWithMods`, with the authority's words.
fn granted(status: AnyRef<'_>) -> Result<(), String> {
    let parts = members(status)?;
    let (number, rest) = parts.split_first().ok_or("expected a status, found none")?;
    if matches!(tagged(*number, Tag::Integer)?, [0 | 1]) {
        return Ok(());
    }
    let words: Vec<String> = rest
        .iter()
        .filter(|part| part.tag() == Tag::Sequence)
        .filter_map(|texts| members(*texts).ok())
        .flatten()
        .map(|text| ledger::clean(&String::from_utf8_lossy(text.value())))
        .collect();
    let number = number.value().first().copied().unwrap_or_default();
    Err(format!(
        "the authority refused with status {number}: {}",
        if words.is_empty() {
            "it gave no reason".to_owned()
        } else {
            ledger::fit(&words.join("; "), 500)
        }
    ))
}

/// Returns what the token of a reply has signed.
fn info(token: AnyRef<'_>) -> Result<&[u8], String> {
    let content = members(token)?;
    let [kind, signed] = content.as_slice() else {
        return Err("expected a token of two parts".to_owned());
    };
    expect(*kind, SIGNED_DATA, "signed data")?;
    let signed = members(one(tagged(*signed, zero())?)?)?;
    let content = signed.get(2).ok_or("expected signed content, found none")?;
    let content = members(*content)?;
    let [kind, text] = content.as_slice() else {
        return Err("expected signed content of two parts".to_owned());
    };
    expect(*kind, TST_INFO, "a timestamp")?;
    tagged(one(tagged(*text, zero())?)?, Tag::OctetString)
}

fn digest(imprint: AnyRef<'_>) -> Result<Digest, String> {
    let parts = members(imprint)?;
    let [algorithm, hash] = parts.as_slice() else {
        return Err("expected an imprint of two parts".to_owned());
    };
    let algorithm = members(*algorithm)?;
    let name = algorithm
        .first()
        .ok_or("expected an algorithm, found none")?;
    expect(*name, SHA_256, "SHA-256")?;
    let bytes = tagged(*hash, Tag::OctetString)?;
    let bytes = bytes
        .try_into()
        .map_err(|_| format!("expected a digest of 32 bytes, found {}", bytes.len()))?;
    Ok(Digest::from_bytes(bytes))
}

/// Turns `20261121130501.25Z` into `2026-11-21T13:05:01.25Z`.
fn readable(time: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(time);
    let wrong = || format!("expected a time in UTC, found `{}`", ledger::fit(&text, 50));
    let digits = text.get(..14).ok_or_else(wrong)?;
    let rest = text.get(14..).ok_or_else(wrong)?;
    let fraction = rest.strip_suffix('Z').ok_or_else(wrong)?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fine = fraction.is_empty() || fraction.strip_prefix('.').is_some_and(plain);
    if !plain(digits) || !fine {
        return Err(wrong());
    }
    let (date, clock) = digits.split_at(8);
    Ok(format!(
        "{}-{}-{}T{}:{}:{}{fraction}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    ))
}

fn expect(kind: AnyRef<'_>, oid: &[u8], what: &str) -> Result<(), String> {
    if tagged(kind, Tag::ObjectIdentifier)? == oid {
        return Ok(());
    }
    Err(format!("expected {what}, found another kind of content"))
}

const fn zero() -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber::N0,
    }
}

fn tagged(value: AnyRef<'_>, tag: Tag) -> Result<&[u8], String> {
    if value.tag() == tag {
        return Ok(value.value());
    }
    Err(format!("expected {tag}, found {}", value.tag()))
}

/// Reads the one element that the bytes are.
fn one(bytes: &[u8]) -> Result<AnyRef<'_>, String> {
    AnyRef::from_der(bytes).map_err(malformed)
}

/// Reads the elements of a sequence.
fn members(value: AnyRef<'_>) -> Result<Vec<AnyRef<'_>>, String> {
    let bytes = tagged(value, Tag::Sequence)?;
    let mut reader = SliceReader::new(bytes).map_err(malformed)?;
    let mut members = Vec::new();
    while !reader.is_finished() {
        members.push(AnyRef::decode(&mut reader).map_err(malformed)?);
    }
    Ok(members)
}

fn element(tag: Tag, bytes: &[u8]) -> Result<Vec<u8>, String> {
    AnyRef::new(tag, bytes)
        .and_then(|value| value.to_der())
        .map_err(malformed)
}

fn sequence(members: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    element(Tag::Sequence, &members.concat())
}

fn malformed(error: der::Error) -> String {
    format!("expected DER (X.690), found other bytes: {error}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn request() -> Request {
        Request::new(Digest::of(b"a checkpoint"), &Digest::of(b"a nonce"))
    }

    /// A reply without a signature, as somebody who is no authority could make it.
    fn reply(status: u8, request: &Request) -> Vec<u8> {
        let constructed = |inner: &[u8]| element(zero(), inner).unwrap();
        let encoded = request.encode().unwrap();
        let asked = members(one(&encoded).unwrap()).unwrap();
        let info = sequence(&[
            element(Tag::Integer, &[1]).unwrap(),
            element(Tag::ObjectIdentifier, &[0x2a, 0x03]).unwrap(),
            asked[1].to_der().unwrap(),
            element(Tag::Integer, &[0x0f]).unwrap(),
            element(Tag::GeneralizedTime, b"20261121130501.25Z").unwrap(),
            asked[2].to_der().unwrap(),
        ])
        .unwrap();
        let text = element(Tag::OctetString, &info).unwrap();
        let content = sequence(&[
            element(Tag::ObjectIdentifier, TST_INFO).unwrap(),
            constructed(&text),
        ])
        .unwrap();
        let signed = sequence(&[
            element(Tag::Integer, &[3]).unwrap(),
            element(Tag::Set, &[]).unwrap(),
            content,
        ])
        .unwrap();
        let token = sequence(&[
            element(Tag::ObjectIdentifier, SIGNED_DATA).unwrap(),
            constructed(&signed),
        ])
        .unwrap();
        let why = sequence(&[element(Tag::Utf8String, "not today".as_bytes()).unwrap()]).unwrap();
        let status = sequence(&[element(Tag::Integer, &[status]).unwrap(), why]).unwrap();
        sequence(&[status, token]).unwrap()
    }

    #[test]
    fn a_reply_is_held_against_its_request() {
        let request = request();
        assert_eq!(
            Request::parse(&request.encode().unwrap()),
            Ok(request.clone())
        );
        for status in [0, 1] {
            let stamp = Stamp::parse(&reply(status, &request)).unwrap();
            assert_eq!(request.check(&stamp), Ok(()));
            assert_eq!(stamp.time, "2026-11-21T13:05:01.25Z");
            assert_eq!(stamp.serial, "0f");
        }
        let stamp = Stamp::parse(&reply(0, &request)).unwrap();
        let replayed = Request::new(request.imprint, &Digest::of(b"another nonce"));
        assert!(replayed.check(&stamp).unwrap_err().contains("nonce"));
        let other = Request::new(Digest::of(b"other"), &Digest::of(b"a nonce"));
        assert!(other.check(&stamp).unwrap_err().contains("over"));
        let bare = Stamp {
            nonce: None,
            ..stamp
        };
        assert!(request.check(&bare).unwrap_err().contains("found none"));
        let refused = Stamp::parse(&reply(2, &request)).unwrap_err();
        assert!(refused.contains("status 2: not today"), "{refused}");
    }

    #[test]
    fn no_bytes_make_it_stumble() {
        let whole = reply(0, &request());
        for end in 0..whole.len() {
            assert!(Stamp::parse(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                // what matters here is that there is an answer, whichever
                let _ = Stamp::parse(&changed).map(|stamp| request().check(&stamp));
            }
        }
        assert!(Stamp::parse(&vec![0x30; LONGEST_REPLY + 1]).is_err());
        assert!(Request::parse(b"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn random_bytes_are_no_reply(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            assert!(Stamp::parse(&bytes).is_err());
        }
    }
}
