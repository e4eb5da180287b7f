//! `events` and `show`: the log as it is.

use std::ops::ControlFlow;
use std::time::Duration;

use ledger::{Direction, Outcome, sshsig};
use mledger::error::{Error, StopReason};
use mledger::report::EventView;
use mledger::request::EventFilter;
use serde_json::{Value, json};

use super::super::app::{App, Opened};
use super::super::args;
use super::super::failure;
use super::super::output::{BAD, CARE, DIM, FORMAT_VERSION, Printer, STRONG, paint};
use super::super::words;

const POLL: Duration = Duration::from_secs(1);

/// Members of a body that say what an event is about, in the order they are shown.
const TELLING: [&str; 16] = [
    "version",
    "name",
    "direction",
    "step",
    "as",
    "command",
    "steps",
    "done",
    "failed",
    "release",
    "backup",
    "through",
    "plan",
    "fingerprint",
    "text",
    "reason",
];

pub(super) async fn events(app: &App, arguments: args::Events) -> Result<u8, Error> {
    let filter = EventFilter {
        since: arguments.since,
        until: arguments.until,
        kind: arguments.kind,
        migration: arguments.migration,
        actor: arguments.actor,
        run: arguments.run,
        from: 0,
    };
    let opened = app.reader().await?;
    if arguments.follow {
        app.signals.watching_begins();
    }
    let mut list = List::new(&app.printer);
    let result = print_all(app, &opened, filter, arguments.follow, &mut list).await;
    list.finish(result)
}

async fn print_all(
    app: &App,
    opened: &Opened,
    mut filter: EventFilter,
    follow: bool,
    list: &mut List<'_>,
) -> Result<u8, Error> {
    let stop = app.signals.stop();
    loop {
        let mut next = filter.from;
        opened
            .migrator
            .events(&filter, &mut |view| {
                next = view.event.seq + 1;
                list.print(&view)
            })
            .await?;
        filter.from = next;
        if !follow || !app.printer.is_open() {
            return Ok(0);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            reason = stop.wait() => {
                return Ok(if reason == StopReason::Terminate { 143 } else { 130 });
            }
        }
    }
}

/// Prints events as they come: lines, or the members of one JSON document.
struct List<'a> {
    printer: &'a Printer,
    begun: bool,
}

impl<'a> List<'a> {
    fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            begun: false,
        }
    }

    fn print(&mut self, view: &EventView) -> ControlFlow<()> {
        if self.printer.is_json() {
            let first = !self.begun;
            self.begin();
            self.printer.part(if first { b"\n" } else { b",\n" });
            self.printer.part(&object(view));
        } else {
            self.printer.answer(line(view));
        }
        if self.printer.is_open() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            let head = format!("{{\"format_version\":\"{FORMAT_VERSION}\",\"events\":[");
            self.printer.part(head.as_bytes());
        }
    }

    /// Ends the document; an error in the middle of the list becomes its last member.
    fn finish(mut self, result: Result<u8, Error>) -> Result<u8, Error> {
        if !self.printer.is_json() || (result.is_err() && !self.begun) {
            return result;
        }
        self.begin();
        match result {
            Ok(code) => {
                self.printer.part(b"\n],\"ok\":true}\n");
                Ok(code)
            }
            Err(error) => {
                let tail = format!(
                    "\n],\"ok\":false,\"error\":{}}}\n",
                    failure::document(&error)
                );
                self.printer.part(tail.as_bytes());
                Ok(error.exit_code())
            }
        }
    }
}

/// Returns the payload's own bytes with two members more.
fn object(view: &EventView) -> Vec<u8> {
    let mut bytes = view.line.strip_suffix(b"}").unwrap_or(&view.line).to_vec();
    let more = format!(
        ",\"hash\":\"{}\",\"verified\":{}}}",
        view.hash, view.verified
    );
    bytes.extend(more.as_bytes());
    bytes
}

fn line(view: &EventView) -> String {
    let event = &view.event;
    let style = match event.outcome {
        Outcome::Success => STRONG,
        Outcome::Failure => BAD,
        Outcome::Denied => CARE,
    };
    let kind = words::pad(event.body.kind(), 22);
    let mark = if view.verified { "" } else { "  not verified" };
    format!(
        "{:>5}  {}  {}  {}  {}{}",
        event.seq,
        paint(DIM, words::time(event.time)),
        paint(style, kind),
        words::pad(&words::cut(&about(view), 44), 44),
        words::pad(&words::cut(&words::line(&event.actor), 16), 16),
        paint(DIM, format!("  {}", words::short(&view.hash))) + &paint(BAD, mark),
    )
}

/// Returns what an event is about, from the members of its body.
fn about(view: &EventView) -> String {
    let payload: Value = serde_json::from_slice(&view.line).unwrap_or_default();
    let body = payload.get("body").unwrap_or(&Value::Null);
    let telling = TELLING.iter().filter_map(|member| {
        let text = match body.get(*member)? {
            Value::String(text) if text.len() == 64 => text.chars().take(12).collect(),
            Value::String(text) => text.clone(),
            Value::Number(number) => format!("{member} {number}"),
            _ => return None,
        };
        let default = Direction::Up.to_string();
        (*member != "direction" || text != default).then_some(text)
    });
    let nested = [
        ("error", "message"),
        ("database", "name"),
        ("holder", "actor"),
    ];
    let nested = nested
        .iter()
        .filter_map(|(outer, inner)| Some(body.get(outer)?.get(inner)?.as_str()?.to_owned()));
    words::line(&telling.chain(nested).collect::<Vec<_>>().join(" "))
}

pub(super) async fn show(app: &App, arguments: &args::Show) -> Result<u8, Error> {
    let opened = app.reader().await?;
    let (view, key) = opened.migrator.show(arguments.seq).await?;
    let event = &view.event;
    let public = key
        .as_ref()
        .and_then(|key| ledger::PublicKey::from_openssh(&key.public).ok());
    let armored = public
        .as_ref()
        .map(|public| sshsig::armor(public, sshsig::EVENT_NAMESPACE, &view.signature));
    let text = String::from_utf8_lossy(&view.line);
    if app.printer.is_json() {
        let payload: Value = serde_json::from_slice(&object(&view)).unwrap_or_default();
        app.printer.document(&json!({
            "event": payload,
            "line": text,
            "signature": view.signature.to_string(),
            "public": public.map(|public| public.to_openssh()),
            "armored": armored,
        }));
        return Ok(0);
    }
    let payload: Value = serde_json::from_slice(&view.line).unwrap_or_default();
    let pretty = serde_json::to_string_pretty(&payload).unwrap_or_else(|_| text.to_string());
    let printer = &app.printer;
    printer.answer(
        pretty
            .split('\n')
            .map(words::line)
            .collect::<Vec<_>>()
            .join("\n"),
    );
    printer.answer("");
    printer.answer(format!("hash       {}", view.hash));
    printer.answer(format!("prev       {}", event.prev));
    printer.answer(format!("signature  {}", view.signature));
    let name = key.map_or_else(String::new, |key| format!("  {}", words::line(&key.name)));
    printer.answer(format!("key        {}{name}", event.key));
    printer.answer(format!(
        "verified   {}",
        if view.verified {
            "chain and signature"
        } else {
            "no: run `mledger verify`"
        }
    ));
    printer.answer("");
    printer.answer(by_hand(event.seq));
    Ok(0)
}

/// An auditor needs none of our code (docs/format.md, second promise).
fn by_hand(seq: u64) -> String {
    format!(
        "Check it by hand with `jq`, `sha256sum` and `ssh-keygen`:\n\
         \x20 mledger show {seq} --json > show.json\n\
         \x20 jq -j '.line + \"\\n\"' show.json > event.json\n\
         \x20 jq -r .signature show.json > signature\n\
         \x20 {{ printf '\\0'; cat event.json signature; }} | sha256sum     # the hash\n\
         \x20 jq -r .armored show.json > event.json.sig\n\
         \x20 jq -r '\"signer \" + .public' show.json > signers\n\
         \x20 ssh-keygen -Y verify -f signers -I signer -n {} -s event.json.sig < event.json",
        sshsig::EVENT_NAMESPACE
    )
}
