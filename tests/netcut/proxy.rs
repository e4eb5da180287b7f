//! Stands between the program and a server, tells their messages apart, and at one of them does what
//! networks do.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::engines::Wire;

/// How long a server has been at work on a message when the connection is cut meanwhile.
const MEANWHILE: Duration = Duration::from_millis(300);

/// What happens to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The message does not arrive, and both ends see the connection closed.
    CutBefore,
    /// The message arrives; of the answer nothing does, and both ends see the connection closed.
    LoseTheAnswer,
    /// The message arrives; while the server is at work on it, both ends see the connection closed.
    CutMeanwhile,
    /// The message arrives; the answer breaks off in the middle of its first message.
    HalveTheAnswer,
    /// From this message on nothing arrives in either direction, and nobody is told.
    Swallow,
}

/// Which message of the client's it happens at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// The one of this number, counted from 1 over all connections.
    Message(usize),
    /// The one of this number among those that hold the text, in any case of its letters.
    Text(&'static str, usize),
    /// Every one that holds the text, from this number on.
    EachText(&'static str, usize),
}

/// A listener on a port of its own; connections to it reach the server as long as nothing happens.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    server: SocketAddr,
    wire: Wire,
    at: At,
    act: Act,
    messages: AtomicUsize,
    matching: AtomicUsize,
    struck: AtomicBool,
    /// What is swallowed is let go: both ends see the connection closed.
    released: AtomicBool,
    /// The message at which it happened.
    message: Mutex<Vec<u8>>,
}

impl Proxy {
    /// Listens for one run of the program.
    pub(crate) fn start(server: SocketAddr, wire: Wire, at: At, act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            wire,
            at,
            act,
            messages: AtomicUsize::new(0),
            matching: AtomicUsize::new(0),
            struck: AtomicBool::new(false),
            released: AtomicBool::new(false),
            message: Mutex::default(),
        });
        let listening = thread::spawn({
            let shared = Arc::clone(&shared);
            move || listen(&listener, &shared)
        });
        Self {
            address,
            shared,
            listening: Some(listening),
        }
    }

    /// Returns where to connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says whether it has happened.
    pub(crate) fn has_struck(&self) -> bool {
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// Returns how many messages the client sent.
    pub(crate) fn messages(&self) -> usize {
        self.shared.messages.load(Ordering::SeqCst)
    }

    /// Returns how many messages that hold the text the client sent.
    pub(crate) fn matching(&self) -> usize {
        self.shared.matching.load(Ordering::SeqCst)
    }

    /// Returns what the message said at which it happened, as far as it is text.
    pub(crate) fn message(&self) -> String {
        let bytes = self.shared.message.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let printable = text.chars().filter(|letter| !letter.is_control());
        printable.take(120).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.released.store(true, Ordering::SeqCst);
        // the listener sees that it is over with the next connection
        drop(TcpStream::connect(self.address));
        if let Some(listening) = self.listening.take() {
            drop(listening.join());
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.released.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { return };
        let Ok(server) = TcpStream::connect(shared.server) else {
            return;
        };
        // an answer of several small messages would wait for acknowledgements in between
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let link = Arc::new(Link {
            client,
            server,
            one_byte: AtomicBool::new(false),
            fate: Mutex::new(Fate::Passes),
        });
        for direction in [upwards, downwards] {
            let (shared, link) = (Arc::clone(shared), Arc::clone(&link));
            thread::spawn(move || {
                // an end that is gone is what this is about
                drop(direction(&shared, &link));
                link.cut();
            });
        }
    }
}

/// One connection of the program, and the one that goes on to the server.
struct Link {
    client: TcpStream,
    server: TcpStream,
    /// The client asked for encryption, which is answered by a single byte.
    one_byte: AtomicBool,
    fate: Mutex<Fate>,
}

/// What becomes of the server's next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passes,
    IsLost,
    IsHalved,
    IsSwallowed,
}

impl Link {
    fn cut(&self) {
        for end in [&self.client, &self.server] {
            // it may be closed already
            drop(end.shutdown(Shutdown::Both));
        }
    }

    fn fate(&self) -> Fate {
        *self.fate.lock().unwrap()
    }

    fn set_fate(&self, fate: Fate) {
        *self.fate.lock().unwrap() = fate;
    }
}

impl Shared {
    /// Counts a message of the client's and says whether it is the one.
    fn strikes(&self, message: &[u8]) -> bool {
        let number = self.messages.fetch_add(1, Ordering::SeqCst) + 1;
        let strikes = match self.at {
            At::Message(at) => number == at,
            At::Text(text, at) => self.matches(message, text) == Some(at),
            At::EachText(text, from) => self
                .matches(message, text)
                .is_some_and(|number| number >= from),
        };
        if strikes {
            *self.message.lock().unwrap() = message.to_vec();
            self.struck.store(true, Ordering::SeqCst);
        }
        strikes
    }

    /// Counts a message that holds the text and returns its number among those.
    fn matches(&self, message: &[u8], text: &str) -> Option<usize> {
        let upper = message.to_ascii_uppercase();
        let wanted = text.to_ascii_uppercase();
        let mut windows = upper.windows(wanted.len());
        let holds = windows.any(|window| window == wanted.as_bytes());
        holds.then(|| self.matching.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// Keeps both ends open and silent until they are let go.
    fn hold(&self) {
        while !self.released.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// From the program to the server.
fn upwards(shared: &Shared, link: &Link) -> io::Result<()> {
    let mut begun = shared.wire == Wire::Packets;
    loop {
        let message = match shared.wire {
            Wire::Letters if !begun => {
                let message = letter(&link.client, 0)?;
                let asks_for_encryption = message[4..] == 80_877_103_u32.to_be_bytes();
                link.one_byte.store(asks_for_encryption, Ordering::SeqCst);
                begun = !asks_for_encryption;
                message
            }
            Wire::Letters => letter(&link.client, 1)?,
            Wire::Packets => packet(&link.client)?,
        };
        if link.fate() == Fate::IsSwallowed {
            continue;
        }
        if shared.strikes(&message) {
            match shared.act {
                Act::CutBefore => return Ok(()),
                Act::CutMeanwhile => {
                    (&link.server).write_all(&message)?;
                    thread::sleep(MEANWHILE);
                    return Ok(());
                }
                Act::LoseTheAnswer => link.set_fate(Fate::IsLost),
                Act::HalveTheAnswer => link.set_fate(Fate::IsHalved),
                Act::Swallow => {
                    link.set_fate(Fate::IsSwallowed);
                    shared.hold();
                    return Ok(());
                }
            }
        }
        (&link.server).write_all(&message)?;
    }
}

/// From the server to the program.
fn downwards(shared: &Shared, link: &Link) -> io::Result<()> {
    loop {
        // only when something has come it is known which form it has
        if link.server.peek(&mut [0])? == 0 {
            return Ok(());
        }
        let message = if link.one_byte.swap(false, Ordering::SeqCst) {
            exactly(&link.server, 1)?
        } else {
            match shared.wire {
                Wire::Letters => letter(&link.server, 1)?,
                Wire::Packets => packet(&link.server)?,
            }
        };
        match link.fate() {
            Fate::Passes => (&link.client).write_all(&message)?,
            Fate::IsLost => return Ok(()),
            Fate::IsHalved => return (&link.client).write_all(&message[..message.len() / 2]),
            Fate::IsSwallowed => {
                shared.hold();
                return Ok(());
            }
        }
    }
}

/// Reads a message of PostgreSQL's protocol (version 3.0, section "Message Formats"), whose length
/// stands behind `before` bytes.
fn letter(mut from: &TcpStream, before: usize) -> io::Result<Vec<u8>> {
    let mut message = exactly(from, before + 4)?;
    let length: [u8; 4] = message[before..].try_into().unwrap();
    let rest = u32::from_be_bytes(length).saturating_sub(4);
    read_on(&mut from, &mut message, rest)?;
    Ok(message)
}

/// Reads a packet of MySQL's protocol ("MySQL Packets").
fn packet(mut from: &TcpStream) -> io::Result<Vec<u8>> {
    let mut message = exactly(from, 4)?;
    let rest = u32::from_le_bytes([message[0], message[1], message[2], 0]);
    read_on(&mut from, &mut message, rest)?;
    Ok(message)
}

fn exactly(mut from: &TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_on(from: &mut &TcpStream, message: &mut Vec<u8>, rest: u32) -> io::Result<()> {
    let read = from.take(u64::from(rest)).read_to_end(message)?;
    if read == usize::try_from(rest).unwrap() {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
