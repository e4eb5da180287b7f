//! An ssh-agent that holds the key: two messages of the SSH agent protocol (draft-ietf-sshm-ssh-agent).
//!
//! What it signs are the bytes that a key in memory would sign, so nobody can tell the two apart.

use std::path::PathBuf;
use std::time::Duration;

use ledger::{PublicKey, SignError, Signature, Signer};

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// The name of the one algorithm, as it stands before a signature.
const ALGORITHM: &[u8] = b"ssh-ed25519";

/// A key whose private half is in an agent.
#[derive(Debug)]
pub(super) struct Agent {
    socket: PathBuf,
    public: PublicKey,
    limit: Duration,
}

impl Agent {
    /// Creates a signer for a key of the agent that listens at `socket`; each answer may take `limit`.
    pub(super) fn new(socket: PathBuf, public: PublicKey, limit: Duration) -> Self {
        Self {
            socket,
            public,
            limit,
        }
    }

    /// Says whether the agent holds the key.
    pub(super) fn holds(&self) -> Result<bool, String> {
        let answer = self.ask(&[REQUEST_IDENTITIES])?;
        let Some((&IDENTITIES_ANSWER, mut rest)) = answer.split_first() else {
            return Err("the agent did not list its keys".to_owned());
        };
        let unreadable = || "the agent's list of keys cannot be read".to_owned();
        let count = number(&mut rest).ok_or_else(unreadable)?;
        let wanted = self.public.to_blob();
        for _ in 0..count {
            let blob = string(&mut rest).ok_or_else(unreadable)?;
            string(&mut rest).ok_or_else(unreadable)?;
            if blob == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, String> {
        talk::ask(&self.socket, request, self.limit).map_err(|error| {
            format!(
                "the agent at `{}` did not answer: {error}",
                self.socket.display()
            )
        })
    }
}

impl Signer for Agent {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, preimage: &[u8]) -> Result<Signature, SignError> {
        let mut request = vec![SIGN_REQUEST];
        put_string(&mut request, &self.public.to_blob());
        put_string(&mut request, preimage);
        request.extend_from_slice(&0_u32.to_be_bytes());
        let answer = self.ask(&request).map_err(SignError::Refused)?;
        let refused = |why: &str| SignError::Refused(why.to_owned());
        let mut rest = match answer.split_first() {
            Some((&SIGN_RESPONSE, rest)) => rest,
            Some((&FAILURE, _)) => return Err(refused("the agent would not sign with this key")),
            _ => return Err(refused("the agent's answer is no signature")),
        };
        let signature = string(&mut rest).and_then(|mut inner| {
            let algorithm = string(&mut inner)?;
            let bytes = string(&mut inner)?;
            (algorithm == ALGORITHM)
                .then(|| Signature::try_from(bytes).ok())
                .flatten()
        });
        let signature =
            signature.ok_or_else(|| refused("the agent's signature is not one of Ed25519"))?;
        super::checked(&self.public, preimage, signature)
    }
}

fn put_string(bytes: &mut Vec<u8>, text: &[u8]) {
    // what is signed is some hundred bytes long
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text);
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

#[cfg(unix)]
mod talk {
    use std::io::{self, Read, Write};
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::time::{Duration, Instant};

    /// The longest answer that is read; agents have the same limit.
    const LONGEST: usize = 256 * 1024;

    /// Sends one request and returns the answer to it; both have their length before them.
    pub(super) fn ask(socket: &Path, request: &[u8], limit: Duration) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + limit;
        let mut stream = UnixStream::connect(socket)?;
        let length = u32::try_from(request.len()).map_err(io::Error::other)?;
        stream.set_write_timeout(Some(limit))?;
        stream.write_all(&[&length.to_be_bytes(), request].concat())?;
        let mut length = [0; 4];
        read(&mut stream, &mut length, deadline)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
        if length > LONGEST {
            return Err(io::Error::other("its answer is too long"));
        }
        let mut answer = vec![0; length];
        read(&mut stream, &mut answer, deadline)?;
        Ok(answer)
    }

    /// Fills `bytes`; the limit is for all of it, not for each piece.
    fn read(stream: &mut UnixStream, mut bytes: &mut [u8], deadline: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod talk {
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    /// Agents of other systems are reached in other ways.
    pub(super) fn ask(_: &Path, _: &[u8], _: Duration) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
