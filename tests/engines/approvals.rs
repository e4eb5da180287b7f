//! Approvals: who may give one, for what it holds, and how each of the others is refused.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mledger::ledger::{Body, Digest, Role};
use mledger::request::{Approve, Authorize, Back, Down, Settings, Up};
use mledger::{Error, Migrator};

use crate::place::on_every_engine;
use crate::shop::{DANA, Person, Shop, TWO, refused};

const LEE: Person = Person(8, "lee");
const OPS: Person = Person(9, "ops");

fn in_production(settings: &mut Settings) {
    settings.environment = Some("production".to_owned());
    settings.backup.before_run = Some(false);
}

fn of(shop: &Shop, person: Person) -> Migrator {
    shop.migrator_of(person, in_production)
}

/// Opens the ledger for `production`, and lets an approver and an operator in.
async fn with_people(shop: &Shop) {
    let reason = Some("the shop goes live".to_owned());
    of(shop, DANA).init(reason).await.unwrap();
    for (person, role) in [(LEE, Role::Approver), (OPS, Role::Operator)] {
        let request = Authorize {
            proof: of(shop, person).prove_key(None).await.unwrap(),
            name: person.1.to_owned(),
            roles: vec![role],
        };
        of(shop, DANA).authorize_key(&request).await.unwrap();
    }
}

async fn plan(shop: &Shop) -> (Digest, Vec<u8>) {
    let report = of(shop, OPS).plan_up(&Up::default()).await.unwrap();
    assert_eq!(report.refusals, [], "what is missing only refuses a run");
    (report.plan, report.object)
}

fn approval(plan: Digest) -> Approve {
    Approve {
        plan,
        object: None,
        comment: None,
        lasts: None,
    }
}

async fn approve(shop: &Shop, person: Person) -> Digest {
    let (plan, _) = plan(shop).await;
    let approved = of(shop, person).approve(&approval(plan)).await.unwrap();
    assert_eq!(approved.plan, plan);
    plan
}

async fn up(shop: &Shop) -> Result<u64, Error> {
    let report = of(shop, OPS).up(&Up::default()).await?;
    Ok(report.applied)
}

/// The reasons of the last `run.refused`, and the plan that it names.
async fn last_refusal(shop: &Shop) -> (Vec<String>, Option<Digest>) {
    let mut last = (Vec::new(), None);
    shop.events(|event| {
        if let Body::RunRefused(body) = &event.body {
            last = (body.reasons.clone(), body.plan);
        }
    })
    .await;
    last
}

#[track_caller]
fn assert_reason(refusal: &(Vec<String>, Option<Digest>), code: &str) {
    assert!(refusal.0.iter().any(|reason| reason == code), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_runs_once_when_somebody_else_has_approved_it() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &TWO);
        let fresh = refused(up(&shop).await, "new-ledger-not-stated", 3);
        assert!(format!("{fresh:?}").contains("mledger init --env production --new-ledger"));
        let unasked = of(&shop, DANA).init(None).await;
        refused(unasked, "new-ledger-not-stated", 3);
        assert!(shop.database_is_untouched(kind), "{}", kind.name);
        with_people(&shop).await;
        assert_eq!(shop.kinds().await[..2], ["ledger.created", "note.added"]);
        let (plan, _) = plan(&shop).await;
        let missing = refused(up(&shop).await, "approval-missing", 3).to_string();
        assert!(
            missing.contains("it can come from `dana@example.com`, `lee`"),
            "{missing}"
        );
        let refusal = last_refusal(&shop).await;
        assert_eq!(refusal, (vec!["approval-missing".to_owned()], Some(plan)));
        refused(
            of(&shop, OPS).approve(&approval(plan)).await,
            "key-not-authorised",
            3,
        );
        assert_eq!(approve(&shop, LEE).await, plan);
        assert_eq!(up(&shop).await.unwrap(), 2);
        let spent = of(&shop, OPS).approvals().await.unwrap();
        assert_eq!((spent[0].state, spent[0].versions.len()), ("spent", 2));
        // the same plan again, once all of it was rolled back
        let all = Down {
            back: Back::All,
            ticket: None,
            timeout: None,
        };
        of(&shop, OPS).down(&all).await.unwrap();
        refused(up(&shop).await, "approval-spent", 3);
        assert_reason(&last_refusal(&shop).await, "approval-spent");
        approve(&shop, LEE).await;
        assert_eq!(up(&shop).await.unwrap(), 2, "a new approval counts");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_approval_that_does_not_count_says_why() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &TWO);
        with_people(&shop).await;
        // by the one who runs it
        approve(&shop, DANA).await;
        let by_runner = of(&shop, DANA).up(&Up::default()).await;
        refused(by_runner, "approval-by-runner", 3);
        assert_reason(&last_refusal(&shop).await, "approval-by-runner");
        let plan = approve(&shop, DANA).await;
        // taken back
        of(&shop, LEE)
            .revoke_approvals(plan, "read again")
            .await
            .unwrap();
        refused(up(&shop).await, "approval-revoked", 3);
        assert_reason(&last_refusal(&shop).await, "approval-revoked");
        // over
        let over = Approve {
            lasts: Some(Duration::ZERO),
            ..approval(plan)
        };
        of(&shop, LEE).approve(&over).await.unwrap();
        let error = refused(up(&shop).await, "approval-revoked", 3);
        assert!(format!("{error:?}").contains("approval-expired"));
        assert_reason(&last_refusal(&shop).await, "approval-expired");
        // of what was edited since
        approve(&shop, LEE).await;
        shop.migration(
            TWO[1].0,
            "CREATE TABLE orders (id INTEGER, paid INTEGER);",
            TWO[1].2,
        );
        let void = refused(up(&shop).await, "approval-void", 3);
        assert!(format!("{void:?}").contains("the script of `2` was edited"));
        assert_reason(&last_refusal(&shop).await, "approval-void");
        // by the author
        shop.write(
            "2_orders.sql",
            "-- @metadata { \"author\": \"Lee\" }\n-- UP\nCREATE TABLE orders (id INTEGER);\n",
        );
        approve(&shop, LEE).await;
        let by_author = up(&shop).await;
        let by_author = format!("{:?}", refused(by_author, "approval-void", 3));
        assert!(by_author.contains("approval-by-author"), "{by_author}");
        assert_reason(&last_refusal(&shop).await, "approval-by-author");
        approve(&shop, DANA).await;
        assert_eq!(up(&shop).await.unwrap(), 2);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_finishes_the_rest_of_its_plan_and_no_more() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &TWO);
        shop.migration(
            "3_last",
            "CREATE TABLE last (id INTEGER);",
            "DROP TABLE last;",
        );
        with_people(&shop).await;
        shop.ask("CREATE TABLE gate (id INTEGER PRIMARY KEY)");
        shop.ask("INSERT INTO gate VALUES (1)");
        shop.migration("2_orders", "INSERT INTO gate VALUES (1);", "");
        let whole = approve(&shop, LEE).await;
        refused(up(&shop).await, "migration-failed", 1);
        shop.ask("DELETE FROM gate");
        shop.migration(
            "3_last",
            "CREATE TABLE last (x INTEGER);",
            "DROP TABLE last;",
        );
        refused(up(&shop).await, "approval-void", 3);
        shop.migration(
            "3_last",
            "CREATE TABLE last (id INTEGER);",
            "DROP TABLE last;",
        );
        assert_eq!(up(&shop).await.unwrap(), 2);
        let mut plans = Vec::new();
        shop.events(|event| {
            if let Body::RunStarted(body) = &event.body {
                plans.push((body.plan, body.steps));
            }
        })
        .await;
        assert_eq!(plans, [(whole, 3), (whole, 2)], "one plan, in two runs");
        assert_eq!(of(&shop, OPS).approvals().await.unwrap()[0].state, "spent");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exact_plan_runs_as_it_was_made_or_says_what_changed() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &TWO);
        with_people(&shop).await;
        let (digest, object) = plan(&shop).await;
        let exactly = Up {
            plan: Some(object.clone()),
            ..Up::default()
        };
        shop.migration("1.5_between", "CREATE TABLE between_ (id INTEGER);", "");
        let changed = refused(of(&shop, OPS).up(&exactly).await, "plan-changed", 3);
        assert!(
            changed.to_string().contains("`1.5` is pending too"),
            "{changed}"
        );
        shop.remove("1.5_between");
        shop.migration("3_later", "CREATE TABLE later (id INTEGER);", "");
        let with_text = Approve {
            object: Some(object.clone()),
            ..approval(digest)
        };
        of(&shop, LEE).approve(&with_text).await.unwrap();
        let report = of(&shop, OPS).up(&exactly).await.unwrap();
        assert_eq!((report.applied, report.plan), (2, Some(digest)));
        let again = refused(of(&shop, OPS).up(&exactly).await, "plan-changed", 3);
        assert!(
            again.to_string().contains("`1` is not pending any more"),
            "{again}"
        );
        assert_eq!(last_refusal(&shop).await.0, ["plan-changed"]);
        // what was made for one ledger neither runs nor is approved in another
        let other = Shop::with(kind.fresh(), &TWO);
        other.skip_an_id();
        with_people(&other).await;
        refused(
            of(&other, OPS).up(&exactly).await,
            "plan-of-another-ledger",
            3,
        );
        assert_eq!(
            last_refusal(&other).await.0,
            ["approval-missing", "plan-of-another-ledger"]
        );
        refused(
            of(&other, DANA).approve(&with_text).await,
            "plan-of-another-ledger",
            3,
        );
        assert_eq!(last_refusal(&other).await.0, ["plan-of-another-ledger"]);
        Shop::assert_intact(&other.verify().await);
    })
    .await;
}
