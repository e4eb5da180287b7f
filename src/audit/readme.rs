//! The page that tells an auditor how to check a bundle, with commands that work as they stand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ledger::sshsig::EVENT_NAMESPACE;
use ledger::{Digest, Timestamp};

use super::{ABSENT, ALLOWED_SIGNERS, EVENTS, MANIFEST, MANIFEST_SIGNATURE, REPORTS, SIGNATURES};

/// What the page says of one bundle.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The ledger id.
    pub(crate) ledger: Digest,
    /// The number of entries.
    pub(crate) size: u64,
    /// The hash of the last one.
    pub(crate) head: Digest,
    /// The Merkle root over them.
    pub(crate) root: Digest,
    /// The environment that the ledger was opened for.
    pub(crate) environment: String,
    /// When the bundle was made.
    pub(crate) made: Timestamp,
    /// The program that made it.
    pub(crate) tool: String,
    /// The name under which `allowed_signers` lists the key that signed the manifest.
    pub(crate) signer: String,
    /// The same of the key that signed the first event.
    pub(crate) first: String,
    /// That key, in base64.
    pub(crate) first_key: String,
    /// Of some objects only digest and size are kept.
    pub(crate) absent: bool,
    /// The earlier checkpoints by size, and whether each has a timestamp.
    pub(crate) earlier: BTreeMap<u64, bool>,
}

/// Returns the page.
pub(crate) fn readme(facts: &Facts) -> String {
    let Facts {
        ledger,
        size,
        head,
        root,
        environment,
        made,
        tool,
        signer,
        first,
        first_key,
        ..
    } = facts;
    // the name of an environment comes from outside
    let environment: String = environment.escape_debug().take(200).collect();
    let mut page = format!(
        "\
The history of a database, to be checked without the program that wrote it
==========================================================================

ledger        {ledger}
environment   {environment}
events        {size}
head          {head}
root          {root}
made          {made} by {tool}

What is in here
---------------
  {EVENTS}       every event, one a line, oldest first; event 0 is line 1
  {SIGNATURES}         the signature of each, line for line
  checkpoint         a signed statement of how many events there are, and their root
  {ALLOWED_SIGNERS}    the keys that ever signed here, in the form of ssh-keygen
  objects/           scripts, plans and policies, each under its SHA-256
  {REPORTS}           who changed what and what was out of the ordinary; made from the events
"
    );
    if !facts.earlier.is_empty() {
        page.push_str(
            "  checkpoints/       earlier statements, by how many events there were; .tsr: a timestamp\n",
        );
    }
    if facts.absent {
        let _ = writeln!(
            page,
            "  {ABSENT}     digests and sizes of objects whose bytes are not kept"
        );
    }
    let timestamps = timestamps(&facts.earlier);
    let _ = write!(
        page,
        "  verify.py          a program of one page that checks all of this
  {MANIFEST}    the SHA-256 of every other file, and {MANIFEST_SIGNATURE} over it

How to check it
---------------
Run the commands in this folder. They change nothing in it; a file that you add here yourself is
reported as one that does not belong here. They need no account of yours and no network, but a shell with
its usual programs (sha256sum, base64, sed), ssh-keygen 8.2 or later, openssl 3, python3, and jq.

1. Every file is the one that was packed:

    sha256sum --strict --quiet -c {MANIFEST} && echo all files are as packed

2. The list itself was signed by a key of this ledger:

    ssh-keygen -Y verify -f {ALLOWED_SIGNERS} -I '{signer}' -n export-v1@mledger -s {MANIFEST_SIGNATURE} < {MANIFEST}

3. Every event, signature, key and object (Python 3.8 or later; no other package is needed):

    python3 verify.py

   The program above came with what it checks. If you have the tool itself, ask it, too:
   mledger verify --bundle .

What it does not prove, and what does
-------------------------------------
A bundle can be cut: somebody who holds a key can leave the last events out and sign the rest again.
A checkpoint that YOU kept from earlier, or got from somebody else, shows that nothing up to it is
missing or changed. Likewise compare the ledger's id with one that you got some other way:

    python3 verify.py --checkpoint FILE
    python3 verify.py --ledger {ledger}

Keep the file checkpoint of this bundle for the next time.

{timestamps}One event by hand
-----------------
The hash of event 0, which event 1 names as \"prev\":

    {{ printf '\\0'; sed -n 1p {EVENTS}; sed -n 1p {SIGNATURES}; }} | sha256sum

Its signature, with openssl:

    work=$(mktemp -d)
    {{ printf 'SSHSIG\\0\\0\\0\\020{EVENT_NAMESPACE}\\0\\0\\0\\0\\0\\0\\0\\006sha256\\0\\0\\0\\040'; sed -n 1p {EVENTS} | openssl dgst -sha256 -binary; }} > \"$work/message\"
    sed -n 1p {SIGNATURES} | base64 -d > \"$work/signature\"
    {{ printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; echo {first_key} | base64 -d | tail -c 32; }} > \"$work/key\"
    openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey \"$work/key\" -in \"$work/message\" -sigfile \"$work/signature\"

And with ssh-keygen:

    {{ echo '-----BEGIN SSH SIGNATURE-----'; {{ printf 'SSHSIG\\0\\0\\0\\001\\0\\0\\0\\063'; echo {first_key} | base64 -d; printf '\\0\\0\\0\\020{EVENT_NAMESPACE}\\0\\0\\0\\0\\0\\0\\0\\006sha256\\0\\0\\0\\123\\0\\0\\0\\013ssh-ed25519\\0\\0\\0\\100'; sed -n 1p {SIGNATURES} | base64 -d; }} | base64; echo '-----END SSH SIGNATURE-----'; }} > \"$work/armoured\"
    sed -n 1p {EVENTS} | ssh-keygen -Y verify -f {ALLOWED_SIGNERS} -I '{first}' -n {EVENT_NAMESPACE} -s \"$work/armoured\"

Reading it
----------
Who did what, and when, with jq:

    jq -r '[.seq, .time, .kind, .outcome, .actor, .key] | @tsv' {EVENTS}

The script of each migration that was applied lies under its digest:

    jq -r 'select(.kind == \"migration.applied\") | [.body.version, .body.name, \"objects/\" + .body.script] | @tsv' {EVENTS}
"
    );
    page
}

/// Returns the section about timestamps, where there are any.
fn timestamps(earlier: &BTreeMap<u64, bool>) -> String {
    let stamped: Vec<u64> = earlier
        .iter()
        .filter_map(|(size, stamped)| stamped.then_some(*size))
        .collect();
    if stamped.is_empty() {
        return String::new();
    }
    let mut section = "\
Timestamps
----------
An authority has said when it saw these checkpoints. Get its certificate from the authority itself:

"
    .to_owned();
    for size in stamped {
        let _ = writeln!(
            section,
            "    openssl ts -verify -data checkpoints/{size} -in checkpoints/{size}.tsr -CAfile AUTHORITY.pem"
        );
    }
    section.push_str(
        "
What is verified in this way was kept outside the database, and you may check the events against it:

    python3 verify.py --checkpoint checkpoints/SIZE

",
    );
    section
}
