// The log, entry by entry: chain, keys by their place, signatures, tree, and the heads signed on the way.
// The findings and their codes are those of `mledger verify`.

const ZERO = "0".repeat(64);
const WARNINGS = ["clock-went-back", "history-rewound", "first-key-not-trusted"];
const NAMESPACE = "event-v1@mledger";
const PROOF_NAMESPACE = "key-proof-v1@mledger";

class Check {
  findings = [];
  lifecycle = new Lifecycle();
  keys = [];
  lineage = [];
  openings = [];
  roots = [];
  lost = new Set();
  size = 0;
  next = 0;
  head = ZERO;
  time = "";
  peaks = [];

  // `claims` are checkpoints as `readNote` returns them.
  constructor(claims = []) {
    this.claims = claims;
  }

  found(code, message, seq) {
    this.findings.push({ level: WARNINGS.includes(code) ? "warning" : "error", code, seq, message });
  }

  // Takes the next entry: the line without its end, and the text of its signature.
  push(line, armour) {
    const at = this.size;
    const digest = sha256(Uint8Array.of(0), line, ascii("\n"), armour, ascii("\n"));
    let event = null;
    try {
      event = readLine(line);
    } catch (fault) {
      this.found("line-not-canonical", fault.message, at);
    }
    if (typeof event === "number") {
      this.found("version-unknown", `expected version 1, found ${event}`, at);
      event = null;
    }
    if (event) this.take(at, event, line, armour);
    else this.next += 1;
    const opens = event && (["ledger.forked", "ledger.rewound"].includes(event.kind) || (at === 0 && event.kind === "ledger.created"));
    if (opens) {
      this.lineage.push(hex(digest));
      this.openings.push(event.kind);
    }
    this.head = hex(digest);
    this.grow(digest);
    for (const claim of this.claims) if (claim.size === this.size) this.judge(claim);
  }

  take(at, event, line, armour) {
    const { kind, body } = event;
    const old = this.newest(event.key);
    const expected = { "seq-gap": ["seq", this.next], "prev-mismatch": ["prev", this.head], "ledger-mismatch": ["ledger", this.ledger()] };
    for (const [code, [name, value]] of Object.entries(expected)) {
      if (event[name] !== value) this.found(code, `expected ${name} ${value}, found ${event[name]}`, at);
    }
    if (event.time < this.time) this.found("clock-went-back", `before ${this.time}`, at);
    this.next = event.seq + 1;
    this.time = event.time;

    const creates = kind === "ledger.created" && at === 0;
    const own = creates || kind === "ledger.forked" ? body.key : undefined;
    let takesOver = creates || (own !== undefined && !(old && counts(old, at) && may(old)));
    let raw = old?.raw;
    let fine = true;
    const wrong = (code, message) => {
      fine = false;
      this.found(code, message, at);
    };
    try {
      if (own && !creates) takesOver &&= fingerprint(publicKey(own.public)) === event.key;
      if (takesOver) raw = publicKey(own.public);
    } catch (fault) {
      raw = undefined;
      takesOver = false;
      this.found("key-unknown", fault.message, at);
    }
    const able = takesOver
      ? raw && fingerprint(raw) === event.key && may(own)
      : old && counts(old, at) && (!KINDS.has(kind) || may(old, KINDS.get(kind).role));
    if (!raw) wrong("key-unknown", `expected a key that was let in before, found ${event.key}`);
    else if (!able) wrong("key-not-authorised", `the key may not sign ${kind} here`);
    let signature = new Uint8Array(64);
    try {
      signature = base64(text(armour), 64);
    } catch {
      // what is no signature is found to be none below
    }
    if (raw && !signed(raw, NAMESPACE, join(line, ascii("\n")), signature)) {
      wrong("signature-invalid", "the signature is not the key's over this line");
    }
    if (old) old.last = at;
    if (fine) this.foldKey(at, event, takesOver);
    try {
      this.lifecycle.take(event);
    } catch (fault) {
      this.found("lifecycle-broken", fault.message, at);
    }
    if (!KINDS.has(kind)) this.found("kind-unknown", `expected a kind that is known, found ${kind}`, at);
    if (kind === "ledger.rewound") {
      for (const { size, root } of fine ? body.lost : []) this.lost.add(`${size} ${root}`);
      this.found("history-rewound", "an owner declared what followed lost", at);
    }
  }

  ledger() {
    return this.lineage[this.lineage.length - 1] ?? ZERO;
  }
  newest(name) {
    for (let place = this.keys.length - 1; place >= 0; place--) {
      if (this.keys[place].name === name) return this.keys[place];
    }
    return undefined;
  }

  foldKey(at, event, takesOver) {
    const { kind, body } = event;
    if (kind === "key.retired" && !this.retire(at, body)) return;
    const grant = kind === "key.added" ? body : takesOver || kind === "ledger.forked" ? body.key : undefined;
    if (!grant) return;
    for (const key of takesOver ? this.keys : []) key.retired ??= at;
    let raw;
    try {
      raw = publicKey(grant.public);
    } catch (fault) {
      this.found(kind === "key.added" ? "key-proof-invalid" : "key-unknown", fault.message, at);
      return;
    }
    const name = fingerprint(raw);
    const known = this.newest(name);
    if (known && !takesOver && (known.retired === null || at <= known.retired)) {
      if (kind === "key.added") this.found("lifecycle-broken", "a key is added that is in already", at);
      return;
    }
    const message = ascii(`${event.ledger} ${name}\n`);
    if (kind === "key.added" && !signed(raw, PROOF_NAMESPACE, message, base64(body.proof))) {
      this.found("key-proof-invalid", "the proof is not the key's over this ledger's id and itself", at);
      return;
    }
    this.keys.push({ raw, name, roles: grant.roles, added: at, retired: null, last: -1 });
    if (takesOver) this.roots.push({ at, name: event.key, openings: this.openings.length + 1 });
  }

  retire(at, body) {
    const key = this.newest(body.fingerprint);
    const another = this.keys.some((other) => other.retired === null && other.name !== body.fingerprint && may(other));
    if (!key || key.retired !== null || !another) {
      this.found("lifecycle-broken", "no key to retire, or the last owner", at);
      return false;
    }
    key.retired = at;
    const since = body.compromised_from;
    if (since !== undefined && this.keys.some((other) => other.name === key.name && other.last >= since)) {
      this.found("key-compromised", `what the key signed from seq ${since} on is suspect`, at);
    }
    return true;
  }

  // The tree of RFC 6962: the roots of the full subtrees so far, largest first.
  grow(leaf) {
    for (let size = this.size; size % 2 === 1; size = Math.floor(size / 2)) {
      leaf = sha256(Uint8Array.of(1), this.peaks.pop(), leaf);
    }
    this.size += 1;
    this.peaks.push(leaf);
  }
  root() {
    if (!this.size) return sha256();
    return this.peaks.reduceRight((top, left) => sha256(Uint8Array.of(1), left, top));
  }

  // Says whether a key that may has signed a checkpoint; a wrong signature of a known key refuses it.
  signers(claim, at) {
    const name = `mledger/${claim.ledger}`;
    let able = false;
    for (const key of this.keys) {
      const id = sha256(ascii(`${name}\n\x01`), key.raw).slice(0, 4);
      for (const { who, blob } of claim.lines) {
        if (who !== name || !same(blob.slice(0, 4), id)) continue;
        need(verifies(key.raw, utf8(claim.text), blob.slice(4)), "a signature of a known key is wrong");
        able ||= at === null || (counts(key, at) && may(key, "auditor", "operator"));
      }
    }
    return able;
  }
  judge(claim) {
    claim.seen = true;
    let fits = false;
    let message = "expected this ledger's id, and a signer that may";
    try {
      fits = this.lineage.length > 0 && this.ledger() === claim.ledger && this.signers(claim, this.size);
    } catch (fault) {
      message = fault.message;
    }
    if (!fits) claim.fault = { code: "checkpoint-invalid", message };
    else if (!same(claim.root, this.root())) {
      claim.fault = { code: "checkpoint-mismatch", message: `another root over the first ${claim.size} events` };
    }
  }

  // Ends the check; returns how many events checkpoints from outside vouch for.
  conclude(ledger) {
    const anchors = this.claims.filter((claim) => claim.outside && claim.seen && !claim.fault);
    const anchored = Math.max(0, ...anchors.map((claim) => claim.size));
    for (const claim of this.claims) {
      if (!claim.seen) claim.fault = this.unseen(claim);
      if (!claim.fault) continue;
      const excused = this.lost.has(`${claim.size} ${hex(claim.root)}`);
      this.found(excused ? "history-rewound" : claim.fault.code, claim.fault.message);
    }
    const place = this.lineage.indexOf(ledger);
    const fits = place >= 0 && this.openings.slice(place + 1).every((kind) => kind === "ledger.rewound");
    if (ledger && !fits) this.found("ledger-mismatch", `expected ledger ${ledger}, found ${this.ledger()}`);
    for (const { at, name, openings } of this.roots) {
      if (at >= anchored && openings > (fits ? place + 1 : 0)) {
        this.found("first-key-not-trusted", `${name} was taken on trust`, at);
      }
    }
    return anchored;
  }
  unseen(claim) {
    let ours = false;
    try {
      ours = this.signers(claim, null) || this.lineage.includes(claim.ledger);
    } catch {
      // a signature that is wrong makes it nobody's
    }
    const message = `a checkpoint covers ${claim.size} events, there are ${this.size}`;
    return { code: ours ? "truncated" : "checkpoint-invalid", message };
  }
}

const counts = (key, at) => key.added < at && (key.retired === null || at <= key.retired);
const may = (key, ...roles) => ["owner", ...roles].some((role) => key.roles.includes(role));

// Reads a C2SP signed note that holds a checkpoint.
function readNote(note, outside) {
  const cut = note.lastIndexOf("\n\n");
  need(cut >= 0, "expected a signed note");
  const body = note.slice(0, cut + 1);
  const block = note.slice(cut + 2).split("\n");
  need(block.pop() === "" && block.length > 0 && block.length < 101, "expected a signed note of at most 100 signatures");
  const lines = block.map((line) => /^\u2014 ([^\s+]+) (\S+)$/u.exec(line));
  need(lines.every(Boolean), "expected a line for each signature");
  need(!/[\0-\t\x0b-\x1f]/.test(body), "expected a signed note without control characters");
  const claim = /^mledger\/([0-9a-f]{64})\n([1-9][0-9]{0,18})\n(\S+)\n$/.exec(body);
  need(claim, "expected a checkpoint over at least one entry");
  return {
    text: body, ledger: claim[1], size: Number(claim[2]), root: base64(claim[3], 32), outside, fault: null, seen: false,
    lines: lines.map((line) => ({ who: line[1], blob: base64(line[2]) })),
  };
}

// Checks a whole log, given as the bytes of its entries: a line and its signature, in turn.
//
// `notes` are checkpoints as texts, `{text, outside}`; `pause` is called between entries and may wait.
async function checkLog(entries, notes, ledger, pause = () => {}) {
  const check = new Check();
  for (const { text: note, outside } of notes) {
    try {
      check.claims.push(readNote(note, outside));
    } catch (fault) {
      check.found("checkpoint-invalid", fault.message);
    }
  }
  const lines = [];
  for (let begin = 0; begin < entries.length; ) {
    const end = entries.indexOf(10, begin);
    lines.push(entries.subarray(begin, end < 0 ? entries.length : end));
    begin = end < 0 ? entries.length : end + 1;
  }
  for (let index = 0; index + 1 < lines.length; index += 2) {
    check.push(lines[index], lines[index + 1]);
    await pause(index / lines.length);
  }
  if (!lines.length || lines.length % 2 || entries[entries.length - 1] !== 10) {
    check.found("bundle-incomplete", `events and signatures do not both end after ${check.size} lines`);
  }
  const anchored = check.conclude(ledger);
  const intact = check.findings.every((finding) => finding.level !== "error");
  return { intact, anchored, findings: check.findings, size: check.size, head: check.head, root: hex(check.root()), ledger: check.ledger() };
}
