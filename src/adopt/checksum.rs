//! Sums that other tools record and no library here makes: small, frozen, and no protection against
//! anybody.

/// Returns the CRC-32 of ISO 3309, as in gzip and zip.
pub(super) fn crc32(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> u32 {
    let mut sum = u32::MAX;
    for part in parts {
        for byte in part.as_ref() {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 {
                    (sum >> 1) ^ 0xedb8_8320
                } else {
                    sum >> 1
                };
            }
        }
    }
    !sum
}

/// Returns SipHash-1-3 with the key 0, as `siphasher` and older standard libraries of Rust make it.
pub(super) fn siphash13(bytes: &[u8]) -> u64 {
    let mut state = Sip {
        v0: 0x736f_6d65_7073_6575,
        v1: 0x646f_7261_6e64_6f6d,
        v2: 0x6c79_6765_6e65_7261,
        v3: 0x7465_6462_7974_6573,
    };
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        state.compress(word);
    }
    // the last word has the length in its highest byte
    let mut last = [0; 8];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len().to_le_bytes()[0];
    state.compress(&last);
    state.v2 ^= 0xff;
    for _ in 0..3 {
        state.round();
    }
    state.v0 ^ state.v1 ^ state.v2 ^ state.v3
}

struct Sip {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl Sip {
    fn compress(&mut self, word: &[u8]) {
        let word = word
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        self.v3 ^= word;
        self.round();
        self.v0 ^= word;
    }

    fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v2 = self.v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_value_of_crc_32_comes_out() {
        assert_eq!(crc32(["123456789"]), 0xcbf4_3926);
        assert_eq!(crc32(["1234", "", "56789"]), 0xcbf4_3926);
        assert_eq!(crc32([""]), 0);
    }

    proptest! {
        /// The standard library's own hasher is SipHash-1-3 with the key 0 today.
        #[test]
        fn siphash_is_that_of_the_standard_library(bytes: Vec<u8>) {
            let mut hasher = std::hash::DefaultHasher::new();
            hasher.write(&bytes);
            prop_assert_eq!(siphash13(&bytes), hasher.finish());
        }
    }
}
