//! Programs and addresses, asked in earnest.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::io::Write;
use std::net::TcpListener;

use super::*;

fn shell(script: &str) -> Probe {
    Probe::Command(["sh", "-c", script].map(str::to_owned).to_vec())
}

fn check(probe: Probe) -> Check {
    Check {
        name: "smoke".to_owned(),
        probe,
        timeout: Duration::from_millis(1500),
    }
}

fn secrets() -> Secrets {
    Secrets::new(["S3cr3t".to_owned()])
}

async fn answer(probe: Probe) -> Answer {
    ask(&check(probe), None, &Stop::default(), &secrets())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_program_says_by_its_status_whether_it_holds() {
    let fine = answer(shell("echo ready")).await;
    assert!(
        fine.holds && fine.detail.ends_with("exit status 0: ready"),
        "{fine:?}"
    );
    let bad = answer(shell("echo token S3cr3t >&2; exit 3")).await;
    assert!(!bad.holds);
    assert_eq!(bad.detail, "`sh` ended with exit status 3: token ***");
    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join("smoke.sh"), "exit 4").unwrap();
    let script = Probe::Command(vec!["sh".to_owned(), "smoke.sh".to_owned()]);
    let stop = Stop::default();
    let found = ask(&check(script), Some(here.path()), &stop, &secrets()).await;
    assert!(
        found.unwrap().detail.ends_with("exit status 4"),
        "in its folder"
    );
    let missing = answer(Probe::Command(vec!["no-such-program-here".to_owned()])).await;
    assert!(!missing.holds && missing.detail.contains("could not be started"));
    let endless = answer(shell("exec sleep 30")).await;
    assert!(endless.detail.contains("did not end within"), "{endless:?}");
    let talkative = answer(shell("yes | head -c 100000; echo end")).await;
    assert!(talkative.detail.len() < 3000 && talkative.detail.ends_with("end"));
}

#[tokio::test]
async fn a_request_to_stop_ends_a_program() {
    let stop = Stop::default();
    stop.request(StopReason::Interrupt);
    let stopped = ask(&check(shell("sleep 30")), None, &stop, &Secrets::default()).await;
    assert_eq!(stopped, Err(StopReason::Interrupt));
}

#[tokio::test]
async fn an_address_says_by_its_status_whether_it_holds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::thread::spawn(move || {
        for line in ["200 OK", "301 Moved", "503 Busy"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let _some = stream.read(&mut request).unwrap();
            let answer = format!(
                "HTTP/1.1 {line}\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let url = |status| Probe::Url {
        url: format!("http://{address}/health"),
        status,
    };
    assert!(answer(url(200)).await.holds);
    assert!(answer(url(301)).await.holds, "no redirection is followed");
    let busy = answer(url(200)).await;
    assert_eq!(busy.detail, "expected status 200, found 503");
    served.join().unwrap();
    let gone = answer(url(200)).await;
    assert!(!gone.holds && gone.detail.contains("no answer"), "{gone:?}");
}
