//! Timestamps over checkpoints, by an authority of our own: `openssl ts`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use mledger::ledger::verify::Anchor;
use mledger::ledger::{AnchorMethod, Body, Digest};
use mledger::request::{Export, Settings, Verify};
use mledger::{Migrator, audit, checkpoints};

use crate::shop::{Shop, refused};
use crate::support::engines::SQLITE;

/// An authority in a folder: a key, its certificate, and how it stamps.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let authority = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        authority.write(
            "ts.cnf",
            "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\nsigner_digest = sha256\n\
             default_policy = 1.2.3.4\ndigests = sha256\naccuracy = secs:1\n\
             ess_cert_id_alg = sha256\n",
        );
        authority.write("serial", "0a\n");
        authority.openssl(&[
            "req",
            "-x509",
            "-new",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-days",
            "2",
            "-subj",
            "/CN=authority",
            "-addext",
            "extendedKeyUsage=critical,timeStamping",
        ]);
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {said}");
    }

    fn stamp(&self, request: &[u8]) -> Vec<u8> {
        fs::write(self.path("ask.tsq"), request).unwrap();
        self.openssl(&[
            "ts",
            "-reply",
            "-config",
            "ts.cnf",
            "-queryfile",
            "ask.tsq",
            "-inkey",
            "key.pem",
            "-signer",
            "cert.pem",
            "-out",
            "answer.tsr",
        ]);
        fs::read(self.path("answer.tsr")).unwrap()
    }

    /// Verifies as an auditor does.
    fn assert_stamped(&self, checkpoint: &Path, token: &Path) {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        self.openssl(&[
            "ts",
            "-verify",
            "-data",
            &text(checkpoint),
            "-in",
            &text(token),
            "-CAfile",
            "cert.pem",
        ]);
    }

    /// Answers one question over HTTP; returns the address.
    fn serve(&self, status: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsr", listener.local_addr().unwrap());
        let folder = self.folder.path().to_owned();
        let answering = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                    length = number.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let mut request = vec![0; length];
            reader.read_exact(&mut request).unwrap();
            fs::write(folder.join("ask.tsq"), request).unwrap();
            let stamped = Command::new("openssl")
                .args(["ts", "-reply", "-config", "ts.cnf", "-queryfile", "ask.tsq"])
                .args([
                    "-inkey",
                    "key.pem",
                    "-signer",
                    "cert.pem",
                    "-out",
                    "answer.tsr",
                ])
                .current_dir(&folder)
                .output()
                .unwrap();
            assert!(stamped.status.success());
            let reply = fs::read(folder.join("answer.tsr")).unwrap();
            let length = reply.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/timestamp-reply\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            stream.write_all(&reply).unwrap();
            head
        });
        (url, answering)
    }
}

fn keeping(shop: &Shop, folder: &Path) -> Migrator {
    let folder = folder.join("checkpoints");
    shop.migrator_with(move |settings: &mut Settings| {
        settings.checkpoints = Some(checkpoints::Settings {
            folder,
            in_development: true,
        });
    })
}

async fn shop_with_one() -> (Shop, tempfile::TempDir) {
    let shop = Shop::with(
        SQLITE.fresh(),
        &[("1_a", "CREATE TABLE a (id INTEGER);", "")],
    );
    shop.up().await.unwrap();
    (shop, tempfile::tempdir().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_is_asked_for_held_against_the_request_kept_and_recorded() {
    let authority = Authority::new();
    let (shop, folder) = shop_with_one().await;
    let migrator = keeping(&shop, folder.path());
    let asked = migrator.request_timestamp().await.unwrap();
    let reply = authority.stamp(&asked.request);

    // a reply to another request, though over the same bytes
    shop.skip_an_id();
    let mut foreign = reply.clone();
    let last = foreign.len() - 1;
    foreign.truncate(last);
    refused(
        migrator.record_timestamp(&foreign).await,
        "timestamp-invalid",
        4,
    );
    refused(
        migrator.record_timestamp(b"no reply").await,
        "timestamp-invalid",
        4,
    );
    let (other, elsewhere) = shop_with_one().await;
    let theirs = keeping(&other, elsewhere.path());
    refused(
        theirs.record_timestamp(&reply).await,
        "timestamp-invalid",
        4,
    );

    let stamped = migrator.record_timestamp(&reply).await.unwrap();
    assert_eq!((stamped.size, stamped.root), (asked.size, asked.root));
    assert_eq!(stamped.digest, Digest::of(&reply));
    assert_eq!(stamped.serial, "0b");
    assert!(stamped.time.ends_with('Z'), "{stamped:?}");
    authority.assert_stamped(Path::new(&stamped.checkpoint), Path::new(&stamped.token));
    let mut recorded = Vec::new();
    shop.events(|event| {
        if let Body::AnchorRecorded(body) = &event.body {
            recorded.push((event.seq, body.method, body.size, body.digest));
        }
    })
    .await;
    assert_eq!(
        recorded,
        [(stamped.seq, AnchorMethod::Tsa, asked.size, stamped.digest)]
    );
    refused(
        migrator.record_timestamp(&reply).await,
        "timestamp-invalid",
        4,
    );
    let report = migrator.verify(&Verify::default()).await.unwrap();
    assert_eq!(report.anchored_to, Anchor::Checkpoint);
    Shop::assert_intact(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_asks_the_authority_and_the_export_has_what_it_said() {
    let authority = Authority::new();
    let (shop, folder) = shop_with_one().await;
    let migrator = keeping(&shop, folder.path());
    let (url, answering) = authority.serve("200 OK");
    let stamped = migrator.timestamp(&url).await.unwrap();
    let head = answering.join().unwrap().to_lowercase();
    assert!(
        head.contains("content-type: application/timestamp-query"),
        "{head}"
    );

    let (url, answering) = authority.serve("503 Service Unavailable");
    refused(migrator.timestamp(&url).await, "timestamp-not-answered", 2);
    answering.join().unwrap();
    refused(
        migrator.timestamp("http://127.0.0.1:1/").await,
        "timestamp-not-answered",
        2,
    );
    let off = shop.migrator().timestamp(&url).await;
    refused(off, "checkpoints-not-kept", 2);

    let path = folder.path().join("bundle");
    let request = Export {
        path: path.clone(),
        record: true,
        asked: mledger::compliance::Asked::default(),
    };
    migrator.export(&request).await.unwrap();
    let note = path.join(format!("checkpoints/{}", stamped.size));
    authority.assert_stamped(&note, &note.with_extension("tsr"));
    let readme = fs::read_to_string(path.join("README.txt")).unwrap();
    assert!(readme.contains(&format!(
        "openssl ts -verify -data checkpoints/{0} -in checkpoints/{0}.tsr",
        stamped.size
    )));
    let own = Verify {
        checkpoints: vec![fs::read_to_string(&note).unwrap()],
        ..Verify::default()
    };
    for (request, anchored) in [
        (Verify::default(), Anchor::Nothing),
        (own, Anchor::Checkpoint),
    ] {
        let report = audit::verify(&path, &request).unwrap();
        assert_eq!(
            report.anchored_to, anchored,
            "what a bundle brings along anchors nothing"
        );
        Shop::assert_intact(&report);
    }
    let other = Command::new("python3")
        .arg("verify.py")
        .current_dir(&path)
        .output()
        .unwrap();
    assert!(
        other.status.success(),
        "{}",
        String::from_utf8_lossy(&other.stdout)
    );
}
