//! The examples under each command's `--help`.

pub(super) const MLEDGER: &str = "\
Examples:
  mledger init                      create configuration, folder, key and ledger
  mledger new \"add users table\"     write a migration
  mledger up                        apply what is pending
  mledger status                    see where things stand
  mledger verify                    check that the history is what was recorded

Exit codes:
  0  done, or nothing to do         5    another run holds the lock
  1  the work failed                6    the database cannot be reached
  2  usage or configuration         7    a person must decide first
  3  refused by a rule              8    with --exit-code: pending, or a difference
  4  integrity                      130, 143  interrupted";

pub(super) const INIT: &str = "\
Examples:
  mledger init
  mledger init -C services/shop --env staging
  mledger init --env production --new-ledger \"the shop goes live\"

Safe to repeat: what is there already stays as it is.";

pub(super) const NEW: &str = "\
Examples:
  mledger new \"add users table\"
  mledger new \"backfill totals\" --type dml --requires 20250101120000
  mledger new \"drop legacy columns\" --breaking --pair";

pub(super) const UP: &str = "\
Examples:
  mledger up
  mledger up --dry-run              show the SQL first
  mledger up --to 20250101120000
  mledger up --to release:1.2.0     exactly what that release holds
  mledger up --plan plan.json       exactly what was planned and approved
  mledger up --wait=60 --json       in a pipeline, while the database starts";

pub(super) const DOWN: &str = "\
Examples:
  mledger down                      roll back the last migration
  mledger down --batch              all that the last `up` applied
  mledger down --to 20250101120000  all that came after it
  mledger down --to 1.2.0           exactly to that release
  mledger down --env production --confirm production";

pub(super) const REDO: &str = "\
Examples:
  mledger redo                      while a migration is being written";

pub(super) const RESET: &str = "\
Examples:
  mledger reset                     begin again; the ledger keeps what happened

Only `development` may be reset, and an environment with `allow_reset = true`.";

pub(super) const APPROVE: &str = "\
Examples:
  mledger plan --env production     read it, and note the digest
  mledger approve DIGEST --env production --comment \"read by lee\"
  mledger approve DIGEST --env production --revoke \"the index is missing\"

An approval holds for one plan in one ledger, is used once, ends, and is void when a file changes.";

pub(super) const STATUS: &str = "\
Examples:
  mledger status
  mledger status --exit-code        8 when something is pending or differs
  mledger status --as-of 2026-01-31   what was applied at the end of that day
  mledger status --graph --output mermaid
  mledger status --json";

pub(super) const HISTORY: &str = "\
Examples:
  mledger history --from 1.1.0 --to 1.2.0
  mledger history --since 2026-01-01 --by dana
  mledger history --json

Every attempt is there, also those that failed or were rolled back later; `mledger events` prints all that \
was recorded.";

pub(super) const PLAN: &str = "\
Examples:
  mledger plan
  mledger plan --out plan.json --exit-code";

pub(super) const RESOLVE: &str = "\
Examples:
  mledger resolve 20250101120000 --applied --reason \"finished by hand, ticket OPS-12\"
  mledger resolve 20250101120000 --accept-change --reason \"comment corrected\"";

pub(super) const VALIDATE: &str = "\
Examples:
  mledger validate
  mledger validate --fix            mend headers, names and IF EXISTS of what is pending
  mledger validate --new-only=main --output github
  mledger validate --output sarif > findings.sarif

A script allows a finding with `-- mledger:allow RULE REASON` before its first statement. Exit code 3 \
says that there are errors. docs/rules.md explains each rule.";

pub(super) const VERIFY: &str = "\
Examples:
  mledger verify
  mledger verify --ledger ID        with the id you noted when the ledger was opened
  mledger verify --checkpoint checkpoints/production-1a2b3c4d.checkpoint
  mledger verify --proof 42.proof --trust allowed_signers

Exit code 4 says that something is not what was recorded. What completeness is anchored to is always \
part of the answer.";

pub(super) const ANALYZE: &str = "\
Examples:
  mledger analyze 20250101120000

Of an applied migration it shows every attempt in the ledger. Of a pending one it shows what each
statement does, what the rules find, and how large the tables are, where the database can say; how long
it takes by their sizes is no more than an estimate.";

pub(super) const HEALTH: &str = "\
Examples:
  mledger health
  mledger health --json --max-backup-age 26h
  mledger health --exit-code        8 when something is pending

Exit codes:
  0  healthy; warnings are shown, and pending migrations are no problem
  1  the last attempt at a migration failed, or the newest backup is too old
  4  the ledger, or the file of an applied migration, is not what was recorded
  6  the database cannot be reached
  7  a person must decide first: a step's outcome is unknown, a migration stopped in the middle, or
     a restored backup was not accepted
Of several the first of 4, 7, 1 counts. It writes nothing to the database.";

pub(super) const DRIFT: &str = "\
Examples:
  mledger drift
  mledger drift --exit-code            8 when something was changed by other means
  mledger drift --accept FINGERPRINT --reason \"an index that the on-call added\"

Compared are fingerprints of all definitions: the one that the last run left, and the one that is there. What
is accepted is no warning any more; it stays among the exceptions of a report, with who accepted it and why.";

pub(super) const EVENTS: &str = "\
Examples:
  mledger events
  mledger events --kind migration.failed --since 2026-01-01
  mledger events --follow";

pub(super) const SHOW: &str = "\
Examples:
  mledger show 5";

pub(super) const EXPORT: &str = "\
Examples:
  mledger export audit-2026                   a folder
  mledger export audit-2026.tar.zst           one file
  mledger export audit-2026 --no-record       with read-only rights
  mledger export audit-2026 --since 2026-01-01  its report covers this year; its events are all
  mledger verify --bundle audit-2026.tar.zst  anywhere, without the database

The key must be an auditor's or an owner's. README.txt in it says how to check it without this tool.
The export is recorded, and that event will be in the next one.";

pub(super) const REPORT: &str = "\
Examples:
  mledger report
  mledger report --since 2026-01-01 --until 2026-03-31 --framework soc2
  mledger report --from 1.1.0 --to 1.2.0                      what came with a release
  mledger report --output xlsx --out changes-2026-q1.xlsx
  mledger report --output csv --out changes-2026-q1           a folder
  mledger report --bundle audit-2026.tar.zst                  anywhere, without the database
  mledger report sample --n 25 --seed 2026-q1

Everything is verified first; where something is not what was recorded, the report says so and the exit
code is 4. The same events and the same question give the same report. It writes nothing to the database.";

pub(super) const REPORT_SAMPLE: &str = "\
Examples:
  mledger report sample --n 25 --seed 2026-q1
  mledger report sample --n 10 --seed 4711 --since 2026-01-01 --bundle audit-2026.tar.zst

Drawn are the changes whose SHA-256 of seed, line feed and event number is smallest:
  printf '%s\\n%s' 2026-q1 17 | sha256sum";

pub(super) const CHECKPOINT: &str = "\
Examples:
  mledger checkpoint
  mledger checkpoint --out checkpoints/production.checkpoint
  mledger verify --checkpoint checkpoints/production.checkpoint
  mledger checkpoint --tsa https://timestamps.example/tsr
  mledger checkpoint --tsa-request ask.tsq, and later --tsa-reply answer.tsr

A timestamp is kept beside the checkpoint that it is over, and recorded. The authority's signature is for \
`openssl ts -verify`.";

pub(super) const PROVE: &str = "\
Examples:
  mledger prove 42 --out 42.proof
  mledger verify --proof 42.proof --trust allowed_signers
  mledger prove 42 --checkpoint checkpoints/production-1a2b3c4d.checkpoint

A proof shows the event, and that it stands in the ledger. Keys are not part of it: who checks it has \
them, or a checkpoint, from elsewhere.";

pub(super) const KEY: &str = "\
Examples:
  mledger key list
  mledger key new --out deploy_key --comment \"deploy pipeline\"
  mledger key show
  mledger key prove --out lee.proof                                   (the new person)
  mledger key authorize lee.proof --name lee --role approver          (an owner)
  mledger key retire lee --reason \"left the team\"
  mledger key retire ci --reason \"stolen\" --compromised-from 2026-01-31T12:00:00Z";

pub(super) const BACKUP: &str = "\
Examples:
  mledger backup create nightly
  mledger backup list
  mledger backup verify latest
  mledger backup verify latest --restore-test
  mledger backup restore latest
  mledger backup accept latest --reason \"the orders are there again\"
  mledger backup prune --keep 7

With a key in the variable BACKUP_ENCRYPTION_KEY (64 hex digits: `openssl rand -hex 32`), or with
`recipients` under `[backup]`, backups are encrypted in the age format; without, only compressed.";

pub(super) const TAG: &str = "\
Examples:
  mledger tag 1.2.0
  mledger tag 1.2.0 --message \"spring release\"
  mledger tag 1.1.0 --at 20250101120000

The release holds what is applied, up to and including the last migration that is named. A release is
never moved, and each holds all that those before it hold, unless they were rolled back.";

pub(super) const RELEASE: &str = "\
Examples:
  mledger release 1.2.0 \"Spring\" --notes notes.md

The notes are kept in the ledger's objects, and their digest in the event.";

pub(super) const RELEASES: &str = "\
Examples:
  mledger releases
  mledger releases --next           the name that the next one could have
  mledger releases --json";

pub(super) const CHANGELOG: &str = "\
Examples:
  mledger changelog > CHANGES.md
  mledger changelog --from 1.1.0 --to 1.2.0
  mledger changelog --full          rollbacks and failed attempts too
  mledger changelog --output html > changes.html
  mledger changelog --check CHANGES.md

The same log gives the same bytes. The last line says from which events it was made; `--check` makes it
again and exits with 4 where a word is another one.";

pub(super) const LOCK: &str = "\
Examples:
  mledger lock status
  mledger lock break --reason \"runner was deleted\"

A lock whose holder is gone is taken over by the next run without being broken by hand.";

pub(super) const PROMOTE: &str = "\
Examples:
  mledger promote --from staging.tar.zst          an export of the other ledger
  mledger promote --from postgres://db/staging --exit-code
  mledger promote --from staging.tar.zst --checkpoint staging.checkpoint --json

The other ledger is verified first. `require_promotion_from = \"staging\"` under `[environments.NAME]`
lets `up` apply there only what the ledger of `staging` has applied.";

pub(super) const ADOPT: &str = "\
Examples:
  mledger adopt --dry-run           what is there, and a verdict on each row
  mledger adopt --from sqlx
  mledger adopt --from goose --table audit.goose_db_version
  mledger adopt --from alembic --through 0001

Nothing runs, and the other tool's table is only read. Afterwards `mledger up` applies what is pending. \
docs/guides says for each tool what maps to what.";

pub(super) const BASELINE: &str = "\
Examples:
  mledger baseline 20250101120000 --reason \"restored from the old system\"";

pub(super) const EXPORT_HISTORY: &str = "\
Examples:
  mledger export-history --to sqlx

The table must not be there yet, or be empty. The ledger stays, and notes it; `verify` tells of the \
new table as a schema change that no run made, until the next run.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  mledger completions bash > /etc/bash_completion.d/mledger
  mledger completions zsh > ~/.zfunc/_mledger
  mledger completions fish > ~/.config/fish/completions/mledger.fish";

pub(super) const MAN: &str = "\
Examples:
  mledger man | man -l -
  mledger man --out /usr/local/share/man/man1";

pub(super) const FORK: &str = "\
Examples:
  mledger fork --env staging --reason \"refreshed from production\"
  mledger fork --env staging --new-key --reason \"the owners' keys stay with production\"

Until then a copy on another server is refused by every command that writes. The past stays provable, and
nothing that the copy records can be replayed into the original. Where the copy cannot be told from the
original (a file, a schema of MySQL) and that is protected, `--confirm NAME` takes its environment's name.";

pub(super) const MOVE: &str = "\
Examples:
  mledger move --env production --confirm production --reason \"failover to db2\"

The ledger keeps its id. If the database that takes the place is shorter than what was seen before,
`mledger rewind` comes first.";

pub(super) const REWIND: &str = "\
Examples:
  mledger rewind --reason \"restored the dump of Monday, ticket OPS-12\"
  mledger rewind --checkpoint checkpoints/production-1a2b3c4d.checkpoint --reason \"...\"

The head that this machine remembers is named by itself. What is named is excused from then on as
`history-rewound`; anything else that does not fit stays an error.";

pub(super) const GRANTS: &str = "\
Examples:
  mledger grants --runner deploy --approver release --auditor revision | psql shop

Nothing is executed. The roles must be there; what each may sign is another matter, which the roles of
their keys say.";

pub(super) const REDACT: &str = "\
Examples:
  mledger redact DIGEST --reason \"a customer's address stood in it\"

For what should never have been written down. `verify` shows that it is missing, and that an owner has
decided so. The database's own files may keep the bytes until it has cleared them away, and so do backups
and exports that were made before; a rollback of that migration needs its file from now on.";
