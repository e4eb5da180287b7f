// What may follow what: locks and runs, migrations and their steps, backups.

const IN_LOCK = /^(run\.(started|finished)|migration\..*|history\.adopted|check\.finished|backup\.restored)$/;
const OUTCOMES = new Map([["run.refused", "denied"], ["migration.failed", "failure"], ["drift.detected", "failure"]]);
const SETTLED = { up: 0, down: 0, part: [] };
const FRESH = { applied: null, sum: null, open: null, adopted: false, ...SETTLED };

// Versions are compared part by part, as numbers where they are some.
function isUpTo(version, other) {
  const parts = (name) => name.split(".").map((part) => Array.from(part.replace(/^0+/, "")));
  const [these, those] = [parts(version), parts(other)];
  for (let index = 0; index < Math.min(these.length, those.length); index++) {
    const [a, b] = [these[index], those[index]];
    if (a.length !== b.length) return a.length < b.length;
    if (a.join("") !== b.join("")) return a.join("") < b.join("");
  }
  return these.length <= those.length;
}

class Lifecycle {
  begun = false;
  held = null;
  running = false;
  waiting = null;
  versions = new Map();
  changes = [];
  backups = new Map();

  version(name) {
    return this.versions.get(name) ?? FRESH;
  }
  change(seq, name, settings) {
    this.changes.push({ seq, name, old: this.version(name) });
    this.versions.set(name, { ...this.version(name), ...settings });
  }

  // Throws where an event may not follow those before it.
  take(event) {
    const { kind, body, run } = event;
    const [group, verb] = kind.split(/\.(.*)/);
    const first = !this.begun;
    this.begun = true;
    need(first === (kind === "ledger.created"), "ledger.created stands in the first entry, and only there");
    const outcome = OUTCOMES.get(kind) ?? event.outcome;
    need(event.outcome === outcome, `expected ${kind} with outcome ${outcome}`);
    if (!KINDS.has(kind)) return;
    need(!IN_LOCK.test(kind) || this.held?.run === run, `${kind} stands outside of the lock of its run`);
    if (group === "lock") this.lock(verb, run, body.token);
    else if (kind === "run.started" || kind === "run.finished") {
      const before = this.running;
      this.running = verb === "started";
      need(before !== this.running, "a run starts once, and then it finishes");
    } else if (group === "backup" && ["taken", "restored", "removed", "accepted"].includes(verb)) {
      this.backup(event.seq, verb, body);
    } else if (group === "migration" || kind === "history.squashed" || kind === "history.adopted") {
      this.migration(event.seq, verb, body);
    }
  }

  lock(verb, run, token) {
    const held = this.held;
    if (verb === "acquired") {
      this.held = { run, token };
      this.running = false;
      need(!held, "the lock is acquired while it is held");
      return;
    }
    const fits = held?.token === token;
    need(verb === "broken" || (fits && held.run === run), "a lock is released that is not held so");
    if (fits) {
      this.held = null;
      this.running = false;
    }
  }

  backup(seq, verb, body) {
    const id = body.backup;
    need(this.backups.has(id) === (verb !== "taken") || verb === "accepted", "a backup that is not there, or is taken twice");
    need((body.ledger_size ?? 0) <= seq, "a backup of more than there is");
    need(verb !== "accepted" || this.waiting === id, "another backup was restored last");
    if (verb === "taken") this.backups.set(id, body.ledger_size);
    if (verb === "removed") this.backups.delete(id);
    if (verb === "accepted") this.waiting = null;
    if (verb === "restored") {
      // the oldest state since then is written last, and stays
      const earlier = new Map();
      for (const { seq: at, name, old } of this.changes.slice().reverse()) {
        if (at >= this.backups.get(id)) earlier.set(name, old);
      }
      for (const [name, old] of earlier) this.change(seq, name, old);
      this.waiting = id;
    }
  }

  migration(seq, verb, body) {
    const version = body.version ?? body.into ?? body.through;
    const way = body.direction ?? (verb === "rolled_back" ? "down" : "up");
    const now = this.version(version);
    const ends = ["step_applied", "applied", "rolled_back", "failed", "aborted"].includes(verb);
    const needsStart = ends || (verb === "step_resolved" && !now.part.includes(way));
    need(!needsStart || now.open?.way === way, `expected an open start ${way} of version ${version}`);
    if (verb === "started") {
      need(way === "down" || !this.waiting, "the restored backup is not accepted yet");
      need(!now.open, `version ${version} is started while a start of it is open`);
      this.change(seq, version, { open: { way, mode: body.mode } });
    } else if (verb === "step_applied" || verb === "step_resolved") {
      need(verb === "step_resolved" || now.open.mode === "stepwise", "a step of an atomic start");
      need(body.step === now[way] + 1, `expected step ${now[way] + 1} of version ${version}`);
      if (body.as !== "not_applied") this.change(seq, version, { [way]: body.step });
    } else if (verb === "applied") {
      const again = version.startsWith("R:") && now.sum !== body.checksum;
      need(!now.applied || again, `version ${version} is applied that is applied`);
      this.change(seq, version, { open: null, applied: true, sum: body.checksum, ...SETTLED });
    } else if (verb === "rolled_back") {
      const adopted = () => Array.from(this.versions).some(([name, old]) => old.adopted && isUpTo(version, name));
      need(now.applied || (now.applied === null && adopted()), `version ${version} is rolled back that is not applied`);
      this.change(seq, version, { open: null, applied: false, sum: null, ...SETTLED });
    } else if (verb === "failed") {
      const part = now.part.filter((other) => other !== way);
      this.change(seq, version, { open: null, ...(body.clean ? { [way]: 0, part } : { part: [...part, way] }) });
    } else if (verb === "aborted") {
      need(now[way] === 0, `version ${version} is aborted, of which steps are done`);
      this.change(seq, version, { open: null });
    } else if (verb === "marked" || verb === "squashed") {
      this.change(seq, version, { applied: body.as !== "pending", sum: body.checksum ?? null, ...SETTLED });
    } else if (verb === "adopted") {
      this.change(seq, version, { adopted: true });
    } else if (verb === "accepted" && now.applied) {
      this.change(seq, version, { sum: body.new_checksum });
    }
  }
}
