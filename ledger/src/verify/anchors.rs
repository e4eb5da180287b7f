//! The log as a whole, against what comes from outside of it.

use super::list::Findings;
use super::{Anchor, Head, Kept, Opening, Options, Root};
use crate::body::{Lost, Role};
use crate::checkpoint::Checkpoint;
use crate::finding::{Code, Finding};
use crate::hash::Digest;
use crate::merkle::{Tree, TreeHead, verify_consistency};
use crate::note::{Note, Witness};
use crate::trust::{KeyEntry, Keyring};

/// The roles that may sign checkpoints, beside `owner`.
const CHECKPOINT_ROLES: &[Role] = &[Role::Auditor, Role::Operator];

#[derive(Clone, Debug)]
pub(super) struct Anchors {
    /// By size, the largest first, so that the next one to be reached is the last.
    ahead: Vec<Claim>,
    reached: Vec<(Claim, Judgement)>,
    remembered: Option<Head>,
    /// Whether the log had the remembered head at its size, once that was reached.
    remembered_held: Option<bool>,
    witnesses: Vec<Witness>,
    lost: Vec<TreeHead>,
    /// Kept checkpoints that cannot be read: label and reason.
    unreadable: Vec<(String, String)>,
}

/// A checkpoint that the log must fit.
#[derive(Clone, Debug)]
struct Claim {
    checkpoint: Checkpoint,
    note: Note,
    source: Source,
}

/// Where a checkpoint comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// The caller had it from elsewhere.
    Given,
    /// An earlier command kept it, under this label.
    Kept(String),
    /// It came with the log.
    Own,
}

impl Claim {
    /// Names the checkpoint in a sentence about it, where it has a name.
    fn name(&self, sentence: String) -> String {
        match &self.source {
            Source::Kept(label) => format!("`{label}`: {sentence}"),
            Source::Given | Source::Own => sentence,
        }
    }
}

/// What the log said when it had a checkpoint's size.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Judgement {
    /// It is this log's, and counts as an anchor or not.
    Holds { anchors: bool },
    /// The checkpoint itself is wrong.
    Invalid(String),
    /// The log has another root there.
    Differs(Digest),
}

/// What the end of the log is judged by.
pub(super) struct Log<'a> {
    pub(super) options: &'a Options,
    pub(super) head: TreeHead,
    pub(super) lineage: &'a [Digest],
    pub(super) openings: &'a [Opening],
    pub(super) roots: &'a [Root],
    pub(super) keyring: &'a Keyring,
    pub(super) all_signatures: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conclusion {
    pub(super) anchor: Anchor,
    pub(super) size: u64,
    pub(super) trusted: bool,
}

impl Anchors {
    pub(super) fn new(options: &Options, findings: &mut Findings) -> Self {
        let given = options.checkpoints.iter().map(|text| (text, Source::Given));
        let own = options
            .own_checkpoints
            .iter()
            .map(|text| (text, Source::Own));
        let mut ahead = Vec::new();
        for (text, source) in given.chain(own) {
            match read(text) {
                Ok((checkpoint, note)) => ahead.push(Claim {
                    checkpoint,
                    note,
                    source,
                }),
                Err(fault) => findings.push(Finding::new(Code::CheckpointInvalid, None, fault)),
            }
        }
        let mut unreadable = Vec::new();
        for Kept { label, note } in &options.kept {
            match note.clone().and_then(|text| read(&text)) {
                Ok((checkpoint, note)) => ahead.push(Claim {
                    checkpoint,
                    note,
                    source: Source::Kept(label.clone()),
                }),
                Err(fault) => unreadable.push((label.clone(), fault)),
            }
        }
        ahead.sort_by_key(|claim| std::cmp::Reverse(claim.checkpoint.size));
        Self {
            ahead,
            reached: Vec::new(),
            remembered: options.remembered,
            // the head of nothing is zero, and every log begins so
            remembered_held: options
                .remembered
                .filter(|head| head.size == 0)
                .map(|head| head.hash == Digest::ZERO),
            witnesses: options.witnesses.clone(),
            lost: Vec::new(),
            unreadable,
        }
    }

    pub(super) fn retain_kept(&mut self, own: &dyn Fn(&str) -> bool) {
        let stays = |claim: &Claim| match &claim.source {
            Source::Kept(label) => own(label),
            Source::Given | Source::Own => true,
        };
        self.ahead.retain(stays);
        self.reached.retain(|(claim, _)| stays(claim));
        self.unreadable.retain(|(label, _)| own(label));
    }

    /// Judges what claims the size that the log has now.
    pub(super) fn reached(
        &mut self,
        tree: &Tree,
        hash: Digest,
        ledger: Option<&Digest>,
        keyring: &Keyring,
    ) {
        let size = tree.size();
        if let Some(remembered) = self.remembered
            && remembered.size == size
        {
            self.remembered_held = Some(remembered.hash == hash);
        }
        while let Some(claim) = self.ahead.pop_if(|claim| claim.checkpoint.size == size) {
            let judgement = self.judge(&claim, tree, ledger, keyring);
            self.reached.push((claim, judgement));
        }
    }

    pub(super) fn rewound(&mut self, lost: &[Lost]) {
        self.lost.extend(lost.iter().map(|lost| TreeHead {
            size: lost.size,
            root: lost.root,
        }));
    }

    /// Judges everything as if the log ended here.
    pub(super) fn conclude(&self, log: &Log, findings: &mut Findings) -> Conclusion {
        let mut conclusion = Conclusion::default();
        // how far something kept outside vouches for the log, its first key included
        let mut vouched = 0;
        for (claim, judgement) in &self.reached {
            let size = claim.checkpoint.size;
            if self.report_reached(claim, judgement, log, findings) {
                conclusion.extend(Anchor::Checkpoint, size);
                if claim.source == Source::Given {
                    vouched = vouched.max(size);
                }
            }
        }
        for claim in &self.ahead {
            self.report_ahead(claim, log, findings);
        }
        for (label, fault) in &self.unreadable {
            let message = format!("`{label}`: {fault}");
            findings.push(Finding::new(Code::CheckpointInvalid, None, message));
        }
        if let Some(size) = self.conclude_remembered(log, findings) {
            // it was remembered by a command that had taken the first key on trust itself
            conclusion.extend(Anchor::RememberedHead, size);
        }
        let id_covers = conclude_ledger(log, findings);
        conclusion.trusted = conclude_trust(log, vouched, id_covers, findings);
        conclusion
    }

    pub(super) fn holds_remembered(&self) -> bool {
        self.remembered_held == Some(true)
    }

    /// Returns the heads that the log does not hold and no rewind excuses.
    pub(super) fn lost(&self, log: &Log) -> Result<Vec<TreeHead>, String> {
        let unmet = self
            .reached
            .iter()
            .filter(|(_, judgement)| !matches!(judgement, Judgement::Holds { .. }))
            .map(|(claim, _)| claim);
        let mut lost = Vec::new();
        for claim in unmet.chain(&self.ahead) {
            let checkpoint = &claim.checkpoint;
            if self.excuses(checkpoint, log) {
                continue;
            }
            // its id, or its signer, may have been lost with the entries, but not both
            let signed = signed_by(checkpoint, &claim.note, log.keyring, |_| true)?;
            if !signed && !log.lineage.contains(&checkpoint.ledger) {
                return Err(unsigned(checkpoint.size));
            }
            lost.push(checkpoint.head());
        }
        Ok(lost)
    }

    fn judge(
        &self,
        claim: &Claim,
        tree: &Tree,
        ledger: Option<&Digest>,
        keyring: &Keyring,
    ) -> Judgement {
        let Claim {
            checkpoint, note, ..
        } = claim;
        let may_sign = |entry: &KeyEntry| {
            entry.counts_at(checkpoint.size) && entry.holds_any(CHECKPOINT_ROLES)
        };
        if ledger != Some(&checkpoint.ledger) {
            return Judgement::Invalid(format!(
                "expected the origin of a checkpoint at {} entries to be the id there, found ledger `{}`",
                checkpoint.size, checkpoint.ledger
            ));
        }
        match signed_by(checkpoint, note, keyring, may_sign) {
            Ok(true) => {}
            Ok(false) => return Judgement::Invalid(unsigned(checkpoint.size)),
            Err(message) => return Judgement::Invalid(message),
        }
        let mut cosigned = false;
        for witness in &self.witnesses {
            match note.verify_cosignature(witness) {
                Some(true) => cosigned = true,
                Some(false) => {
                    return Judgement::Invalid(format!(
                        "the cosignature of witness `{}` is wrong",
                        witness.name
                    ));
                }
                None => {}
            }
        }
        let root = tree.root();
        if root != checkpoint.root {
            return Judgement::Differs(root);
        }
        Judgement::Holds {
            anchors: claim.source != Source::Own || cosigned,
        }
    }

    /// Returns whether a checkpoint holds and anchors; reports one that does not hold.
    fn report_reached(
        &self,
        claim: &Claim,
        judgement: &Judgement,
        log: &Log,
        findings: &mut Findings,
    ) -> bool {
        let size = claim.checkpoint.size;
        let (code, message) = match judgement {
            Judgement::Holds { anchors } => return *anchors,
            // a lost checkpoint may name an id, or be signed by a key, that was lost with it
            _ if self.excuses(&claim.checkpoint, log) => (Code::HistoryRewound, excused(size)),
            Judgement::Differs(root) => (
                Code::CheckpointMismatch,
                format!(
                    "expected root `{}` over the first {size} entries, found `{root}`",
                    claim.checkpoint.root
                ),
            ),
            Judgement::Invalid(message) => (Code::CheckpointInvalid, message.clone()),
        };
        findings.push(Finding::new(code, None, claim.name(message)));
        false
    }

    fn report_ahead(&self, claim: &Claim, log: &Log, findings: &mut Findings) {
        let checkpoint = &claim.checkpoint;
        let size = checkpoint.size;
        if self.excuses(checkpoint, log) {
            let message = claim.name(excused(size));
            findings.push(Finding::new(Code::HistoryRewound, None, message));
            return;
        }
        // its signer or its id may have been cut off with the entries, but where both are
        // unknown it is another ledger's
        let ours = log.lineage.contains(&checkpoint.ledger);
        let (code, message) = match signed_by(checkpoint, &claim.note, log.keyring, |_| true) {
            Err(message) => (Code::CheckpointInvalid, message),
            Ok(false) if !ours => (Code::CheckpointInvalid, unsigned(size)),
            Ok(_) => (
                Code::Truncated,
                format!(
                    "a checkpoint covers {size} entries, the log has {}",
                    log.head.size
                ),
            ),
        };
        findings.push(Finding::new(code, None, claim.name(message)));
    }

    /// Tells whether a rewind names the head, or a proof ties it to one that a rewind names.
    fn excuses(&self, checkpoint: &Checkpoint, log: &Log) -> bool {
        let head = checkpoint.head();
        self.lost.contains(&head)
            || log.options.consistency.iter().any(|proof| {
                proof.old == head
                    && self.lost.contains(&proof.new)
                    && verify_consistency(&proof.old, &proof.new, &proof.path)
            })
    }

    /// Returns the remembered head's size, where the log still has it.
    fn conclude_remembered(&self, log: &Log, findings: &mut Findings) -> Option<u64> {
        let remembered = self.remembered?;
        let size = remembered.size;
        if self.remembered_held == Some(true) {
            return Some(size);
        }
        let named = self.lost.iter().any(|lost| lost.size == size);
        let (code, mut message) = match self.remembered_held {
            // a rewind counts only if its own signature, and all before it, were verified
            _ if named && log.all_signatures => (Code::HistoryRewound, excused(size)),
            Some(_) => (
                Code::CheckpointMismatch,
                format!(
                    "expected entry `{}` as the last of the first {size}, which was seen before",
                    remembered.hash
                ),
            ),
            None => (
                Code::Truncated,
                format!(
                    "the log had {size} entries when it was seen before, it has {}",
                    log.head.size
                ),
            ),
        };
        if named && !log.all_signatures {
            message.push_str("; a rewind may excuse it once all signatures are verified");
        }
        findings.push(Finding::new(code, None, message));
        None
    }
}

impl Conclusion {
    fn extend(&mut self, anchor: Anchor, size: u64) {
        if size > 0 && (size, anchor) > (self.size, self.anchor) {
            self.anchor = anchor;
            self.size = size;
        }
    }
}

/// Reads a checkpoint that can be held against a log.
fn read(text: &str) -> Result<(Checkpoint, Note), String> {
    match Checkpoint::parse(text) {
        Ok((checkpoint, _)) if checkpoint.size == 0 => {
            Err("expected a checkpoint over at least one entry, found one over none".to_owned())
        }
        Ok(read) => Ok(read),
        Err(fault) => Err(fault.to_string()),
    }
}

fn excused(size: u64) -> String {
    format!("a head over {size} entries is excused by a rewind and anchors nothing")
}

fn unsigned(size: u64) -> String {
    format!(
        "expected the checkpoint over {size} entries to be signed by an `auditor`, `operator` or `owner` of that size, found none"
    )
}

/// Tells whether a key that may has signed; an error where a known key's signature is wrong,
/// which refuses the whole note.
fn signed_by(
    checkpoint: &Checkpoint,
    note: &Note,
    keyring: &Keyring,
    may_sign: impl Fn(&KeyEntry) -> bool,
) -> Result<bool, String> {
    let origin = checkpoint.origin();
    let mut signed = false;
    for entry in keyring.entries() {
        match note.verify(&origin, &entry.public) {
            Some(true) => signed |= may_sign(entry),
            Some(false) => {
                return Err(format!(
                    "the checkpoint's signature by key `{}` is wrong",
                    entry.fingerprint
                ));
            }
            None => {}
        }
    }
    Ok(signed)
}

/// Checks the id that the caller expects; returns how many openings it vouches for.
fn conclude_ledger(log: &Log, findings: &mut Findings) -> usize {
    let Some(expected) = log.options.ledger else {
        return 0;
    };
    let place = log.lineage.iter().position(|id| *id == expected);
    let later = place.and_then(|place| log.openings.get(place + 1..));
    match (place, later) {
        (Some(place), Some(later)) if later.iter().all(|opening| *opening == Opening::Rewound) => {
            return place + 1;
        }
        (Some(_), _) => findings.push(Finding::new(
            Code::LedgerMismatch,
            None,
            format!("the log is a fork of ledger `{expected}`, not that ledger"),
        )),
        (None, _) => {
            let found = match log.lineage.last() {
                Some(id) => format!("`{id}`"),
                None => "none".to_owned(),
            };
            findings.push(Finding::new(
                Code::LedgerMismatch,
                None,
                format!("expected ledger `{expected}`, found {found}"),
            ));
        }
    }
    0
}

/// Tells whether every key that only vouches for itself is known from outside.
fn conclude_trust(log: &Log, vouched: u64, id_covers: usize, findings: &mut Findings) -> bool {
    let mut trusted = !log.roots.is_empty();
    for root in log.roots {
        let key = root.key.fingerprint();
        if let Some(signers) = &log.options.trust {
            if !signers.trusts(&key) {
                trusted = false;
                findings.push(Finding::new(
                    Code::KeyUnknown,
                    root.seq,
                    format!("expected the first key to be an allowed signer, found `{key}`"),
                ));
            }
            continue;
        }
        if root.openings > id_covers && root.seq >= vouched {
            trusted = false;
            findings.push(Finding::new(
                Code::FirstKeyNotTrusted,
                root.seq,
                format!("key `{key}` was taken on trust; compare it with one from elsewhere"),
            ));
        }
    }
    trusted
}
