//! For whom backups are encrypted, and who can read them: the age format, X25519 recipients.

use std::fmt;
use std::str::FromStr;

use age::x25519::{Identity, Recipient};

/// The human-readable part of a secret key in the age format, lower case for the checksum.
const SECRET_KEY: &str = "age-secret-key-";

/// The letters of Bech32, by value (BIP 173).
const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The generator of the checksum of Bech32 (BIP 173).
const GENERATOR: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];

/// For whom backups are encrypted, and with which key they are read here.
#[derive(Clone, Default)]
pub struct Cipher {
    recipients: Vec<Recipient>,
    identity: Option<Identity>,
}

impl Cipher {
    /// Reads recipients (`age1…`), and a key: 32 bytes as 64 hex digits, or `AGE-SECRET-KEY-1…`.
    ///
    /// A key is a recipient too, so that whoever writes with it can read what was written.
    ///
    /// # Errors
    ///
    /// A sentence that says what was expected; it never repeats the key.
    pub fn new(recipients: &[String], key: Option<&str>) -> Result<Self, String> {
        let mut known = Vec::with_capacity(recipients.len() + 1);
        for text in recipients {
            let recipient = Recipient::from_str(text.trim()).map_err(|_| {
                format!("expected a recipient of the age format, `age1…`, found `{text}`")
            })?;
            known.push(recipient);
        }
        let identity = key.map(identity).transpose()?;
        if let Some(identity) = &identity {
            known.push(identity.to_public());
        }
        Ok(Self {
            recipients: known,
            identity,
        })
    }

    /// Says whether backups are encrypted.
    pub fn encrypts(&self) -> bool {
        !self.recipients.is_empty()
    }

    /// Returns the recipients.
    pub(super) fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// Returns the key that reads.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Says whether there is a key that reads.
    pub fn decrypts(&self) -> bool {
        self.identity.is_some()
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cipher")
            .field("recipients", &self.recipients.len())
            .field("decrypts", &self.decrypts())
            .finish()
    }
}

fn identity(text: &str) -> Result<Identity, String> {
    let text = text.trim();
    let wrong = || {
        format!(
            "expected the key of backups as 64 hex digits (32 bytes), or as `AGE-SECRET-KEY-1…`, found {} \
             other characters",
            text.chars().count()
        )
    };
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut bytes = Vec::with_capacity(32);
        for start in (0..64).step_by(2) {
            let pair = text.get(start..start + 2).ok_or_else(wrong)?;
            bytes.push(u8::from_str_radix(pair, 16).map_err(|_| wrong())?);
        }
        return Identity::from_str(&bech32(SECRET_KEY, &bytes).to_uppercase()).map_err(|_| wrong());
    }
    Identity::from_str(text).map_err(|_| wrong())
}

/// Writes bytes in Bech32 (BIP 173), the form in which age has its keys.
fn bech32(prefix: &str, bytes: &[u8]) -> String {
    let mut values = Vec::with_capacity(bytes.len() * 8 / 5 + 7);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            values.push(held >> bits & 31);
        }
    }
    if bits > 0 {
        values.push(held << (5 - bits) & 31);
    }
    let mut summed: Vec<u32> = prefix.bytes().map(|byte| u32::from(byte >> 5)).collect();
    summed.push(0);
    summed.extend(prefix.bytes().map(|byte| u32::from(byte & 31)));
    summed.extend(&values);
    summed.extend([0; 6]);
    let sum = checksum(&summed) ^ 1;
    values.extend((0..6).map(|index| sum >> (5 * (5 - index)) & 31));
    let letter = |value: u32| {
        let place = usize::try_from(value).unwrap_or(0);
        char::from(LETTERS.get(place).copied().unwrap_or(b'q'))
    };
    format!(
        "{prefix}1{}",
        values.into_iter().map(letter).collect::<String>()
    )
}

fn checksum(values: &[u32]) -> u32 {
    values.iter().fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = (sum & 0x01ff_ffff) << 5 ^ value;
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(index, _)| top >> index & 1 == 1)
            .fold(shifted, |sum, (_, generator)| sum ^ generator)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const KEY: &str = "5f6c0e2b9a7d4c318e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f";

    #[test]
    fn the_checksum_is_that_of_the_published_vectors() {
        // BIP 173: the human-readable part `a` with no data
        assert_eq!(bech32("a", &[]), "a12uel5l");
    }

    #[test]
    fn a_hexadecimal_key_is_an_age_identity() {
        let cipher = Cipher::new(&[], Some(KEY)).unwrap();
        assert!(cipher.encrypts() && cipher.decrypts());
        let public = cipher.identity().unwrap().to_public().to_string();
        assert!(public.starts_with("age1"));
        let only_for = Cipher::new(&[public], None).unwrap();
        assert!(only_for.encrypts() && !only_for.decrypts());
        assert!(!Cipher::default().encrypts());
    }

    #[test]
    fn no_error_and_no_view_repeats_a_key() {
        for wrong in ["canary", &KEY[1..], "AGE-SECRET-KEY-1CANARY", ""] {
            let error = Cipher::new(&[], Some(wrong)).unwrap_err();
            assert!(!error.to_lowercase().contains("canary"), "{error}");
            assert!(error.contains("64 hex digits"), "{error}");
        }
        let shown = format!("{:?}", Cipher::new(&[], Some(KEY)).unwrap());
        assert!(!shown.contains(KEY), "{shown}");
        assert!(Cipher::new(&["age1x".to_owned()], None).is_err());
    }
}
