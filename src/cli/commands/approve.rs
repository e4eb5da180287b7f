//! `approve` and `approvals`.

use mledger::error::Error;
use mledger::report::{ApprovalView, Approved};
use mledger::request::Approve;
use serde::Serialize;

use super::super::app::App;
use super::super::args;
use super::super::output::{CARE, DIM, GOOD, STRONG, paint};
use super::super::words;
use super::plan;

pub(super) async fn approve(app: &App, arguments: args::Approve) -> Result<u8, Error> {
    let object = match &arguments.plan {
        Some(path) => Some(plan::read(app, path)?),
        None => None,
    };
    let opened = app.writer().await?;
    let approved = match &arguments.revoke {
        Some(reason) => {
            let plan = arguments.plan_digest;
            opened.migrator.revoke_approvals(plan, reason).await
        }
        None => {
            let request = Approve {
                plan: arguments.plan_digest,
                object,
                comment: arguments.comment,
                lasts: arguments.expires,
            };
            opened.migrator.approve(&request).await
        }
    };
    opened.watcher.finish();
    print(app, &approved?);
    Ok(0)
}

fn print(app: &App, approved: &Approved) {
    if app.printer.is_json() {
        app.printer.document(approved);
        return;
    }
    match approved.expires {
        Some(expires) => app.printer.answer(format!(
            "{} the plan {} until {}",
            paint(GOOD, "approved"),
            words::short(&approved.plan),
            words::time(expires)
        )),
        None => app.printer.answer(format!(
            "the approvals of the plan {} are taken back",
            words::short(&approved.plan)
        )),
    }
    if approved.approvals.required > 0 {
        app.printer.answer(format!(
            "approvals: {} of {}",
            approved.approvals.granted.len(),
            approved.approvals.required
        ));
    }
    app.printer.answer(paint(
        DIM,
        format!(
            "recorded as event {}, head {}",
            approved.seq,
            words::short(&approved.head)
        ),
    ));
}

pub(super) async fn approvals(app: &App) -> Result<u8, Error> {
    let approvals = app.reader().await?.migrator.approvals().await?;
    if app.printer.is_json() {
        app.printer.document(&Answer { approvals });
        return Ok(0);
    }
    if approvals.is_empty() {
        app.printer.answer("no approvals yet");
        return Ok(0);
    }
    let mut rows = vec![
        ["PLAN", "BY", "STATE", "ENDS", "EVENT", "MIGRATIONS"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(approvals.iter().map(row));
    for (index, line) in words::columns(&rows).into_iter().enumerate() {
        app.printer.answer(match (index, index.checked_sub(1)) {
            (0, _) => paint(STRONG, line),
            (_, Some(at)) if approvals[at].state == "open" => line,
            _ => paint(CARE, line),
        });
    }
    Ok(0)
}

fn row(approval: &ApprovalView) -> Vec<String> {
    vec![
        words::short(&approval.plan),
        words::line(&approval.by),
        approval.state.to_owned(),
        words::time(approval.expires),
        approval.seq.to_string(),
        approval
            .versions
            .iter()
            .map(|version| words::line(version))
            .collect::<Vec<_>>()
            .join(","),
    ]
}

#[derive(Serialize)]
struct Answer {
    approvals: Vec<ApprovalView>,
}
