#!/usr/bin/env python3
"""Checks an exported ledger: python3 verify.py [FOLDER or FILE.tar.zst] [--checkpoint FILE]... [--ledger ID] [--trust FILE] [--witness KEY]...

Needs Python 3.8 and nothing else, for a .tar.zst also the program zstd; the package `cryptography` makes it faster.
Exit code 0: intact. 4: something is not what was recorded. 2: wrong usage."""
import argparse, base64, datetime, functools, hashlib, io, json, os, re, shutil, struct, subprocess, sys, tarfile
try: from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError: Ed25519PublicKey = None
LIST, FOUND, ZERO = "MANIFEST.sha256", [], "0" * 64
FILES = {"events.jsonl", "signatures", "checkpoint", "allowed_signers", "verify.py", "README.txt", LIST, LIST + ".sig"}
def found(code, text, seq=None, warning=False):
    level = "warning" if warning or code in ("clock-went-back", "history-rewound", "first-key-not-trusted") else "error"
    FOUND.append(f"{level} {code}{'' if seq is None else f' at seq {seq}'}: {ascii(text)[1:-1]}")
def need(truth, text):
    if not truth: raise ValueError(text)
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def b64(text, *lengths):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text and (not lengths or len(data) in lengths), "expected base64 in its one form")
    return data

# Ed25519 (RFC 8032), strictly: canonical numbers and points, none of small order
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
def point(data):
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    x = x if v * x * x % P == u else x * pow(2, (P - 1) // 4, P) % P
    need(y < P and v * x * x % P == u and not (x == 0 and sign), "no point of the curve")
    x = x if x & 1 == sign else P - x
    eight = times(8, (x, y, 1, x * y % P))
    need(eight[0] or (eight[1] - eight[2]) % P, "a point of small order")
    return x, y, 1, x * y % P
def add(p, q):
    a, b, c, d = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0]), 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P
def times(number, p):
    total = (0, 1, 1, 0)
    while number: total, p, number = add(total, p) if number & 1 else total, add(p, p), number >> 1
    return total
def verifies(key, data, signature):
    try:
        a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
        need(s < L and len(signature) == 64, "S is not reduced")
        if Ed25519PublicKey: return Ed25519PublicKey.from_public_bytes(key).verify(signature, data) is None
        h = int.from_bytes(hashlib.sha512(signature[:32] + key + data).digest(), "little") % L
        left, right = times(s, point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))), add(r, times(h, a))
        return not any((left[i] * right[2] - right[i] * left[2]) % P for i in (0, 1))
    except Exception: return False

# Keys and signatures in the forms of OpenSSH
def string(data): return struct.pack(">I", len(data)) + data
BLOB = string(b"ssh-ed25519") + struct.pack(">I", 32)
def fingerprint(key): return "SHA256:" + base64.b64encode(sha(BLOB, key)).decode().rstrip("=")
def signed(key, space, data, signature): return verifies(key, b"SSHSIG" + b"".join(map(string, (space, b"", b"sha256", sha(data)))), signature)
def public(text):
    need(text[:12] == "ssh-ed25519 " and b64(text[12:], 51)[:19] == BLOB, "expected an Ed25519 key without comment")
    return point(b64(text[12:])[19:]) and b64(text[12:])[19:]

# What an event may say: its kind, who may sign it beside an owner, and the members of its body
# (`?` may be missing, `:` gives a type where it is no text, `|` are the words to choose from)
EVENT = "actor body:any env host key:key kind ledger:x outcome:success|failure|denied prev:x run:id seq:u time:time tool v:u"
PARTS = {"db": "engine identity name", "grant": "name public roles:roles", "lost": "root:x size:u",
         "holder": "actor host run:id since:time", "ci": "commit provider url", "forced": "finding reason",
         "schema": "digest:x format:u server", "error": "code? column?:u line?:u message statement?:u"}
KINDS = {line.split()[0]: (line.split()[1], " ".join(line.split()[2:])) for line in re.split(r"\s/\s", """
ledger.created - database:db key:grant nonce:x / ledger.forked - database:db key?:grant reason / ledger.moved - database:db reason /
ledger.rewound - lost:[lost] reason / key.added - name proof:sig public roles:roles / key.retired - compromised_from?:u fingerprint:key reason /
lock.acquired operator token:id wait_ms:u / lock.released operator held_ms:u token:id / lock.broken operator holder:holder reason token:id /
run.started operator batch?:u ci?:ci command forced:[forced] plan:x policy:x schema?:schema steps:u ticket? / run.refused operator command plan?:x
reasons:[s] / run.finished operator done:u duration_ms:u failed:u schema?:schema / migration.started operator attempt:u batch?:u checksum:x
direction:up|down mode:atomic|stepwise name script:x self_committing:set statements:u version / migration.step_applied operator direction:up|down
duration_ms:u statement:x step:u version / migration.step_resolved operator as:applied|not_applied direction:up|down reason statement:x step:u
version / migration.applied operator attempt:u batch:u checksum:x down_script?:x duration_ms:u metadata:meta name script:x statements:u version /
migration.rolled_back operator cause:requested|failure|check duration_ms:u name script:x version / migration.failed operator clean:b
direction:up|down error:error steps_applied:u version / migration.aborted operator direction:up|down reason version / migration.marked operator
as:applied|pending checksum?:x reason version / migration.accepted operator new_checksum:x old_checksum:x reason script:x version /
history.squashed operator into reason through / history.adopted operator digest:x rows:u table through tool / validation.finished operator
digest:x errors:u warnings:u / check.finished operator detail? name when:before|after / approval.granted approver comment? expires?:time plan:x /
approval.revoked approver plan:x reason / backup.taken operator backup:id duration_ms:u encrypted:b ledger_size:u location method name sha256:x
size:decimal / backup.failed operator error name / backup.verified operator backup:id / backup.restored operator backup:id duration_ms:u
safety_backup?:id sha256:x / backup.accepted operator backup:id reason / backup.removed operator backup:id reason / version.tagged releaser
message? migration release schema?:schema / release.created releaser name notes?:x release / drift.detected operator changes:u digest:x expected:x
found:x / drift.accepted - found:x reason / object.redacted - digest:x reason / history.exported auditor manifest:x root:x size:u /
anchor.recorded auditor digest:x method:file|git|tsa|witness root:x size:u / note.added auditor about?:u text
""")}
PATTERNS = {"x": "[0-9a-f]{64}", "id": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "decimal": "0|[1-9][0-9]{0,19}",
            "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"}
TYPES = {"b": bool, "u": int, "roles": list, "set": list, "meta": dict}
def plain(value, depth=0):
    need(type(value) in (bool, str, dict, list) or type(value) is int and abs(value) < 2**53, "a value that has no form")
    need(not (type(value) is str and "\0" in value or type(value) in (dict, list) and depth > 127), "NUL, or too deep")
    need(type(value) is not dict or all(re.fullmatch("[a-z0-9_]+", name) for name in value), "the name of a member")
    for inner in value.values() if type(value) is dict else value if type(value) is list else (): plain(inner, depth + 1)
def members(value, form):
    need(type(value) is dict, "expected an object")
    names = [word.partition(":") for word in form.split()]
    need(set(value) <= {name.rstrip("?") for name, _, _ in names}, "a member that is not known here")
    for name, _, sort in names:
        need(name[-1] == "?" or name in value, f"member {name} is missing")
        if name.rstrip("?") in value: check(value[name.rstrip("?")], sort or "s")
def check(value, sort):
    kind = TYPES.get(sort, list if sort[0] == "[" else dict if sort in PARTS else str)
    need(sort == "any" or type(value) is kind, f"expected {sort}")
    if sort in PARTS: members(value, PARTS[sort])
    for inner in value if kind is list else ():
        check(inner, {"roles": "approver|auditor|operator|owner|releaser", "set": "u"}.get(sort, sort[1:-1]))
    need(sort not in ("roles", "set") or all(a < b for a, b in zip(value, value[1:])), "a set that is not sorted")
    for inner in value.values() if sort == "meta" else ():
        for one in inner if type(inner) is list else [inner]: need(type(one) in (str, bool, int), "metadata that is not plain")
    need(not (sort == "u" and value < 0) and ("|" not in sort or value in sort.split("|")), f"expected {sort}")
    need(sort not in PATTERNS or re.fullmatch(PATTERNS[sort], value, re.A), f"expected {sort}")
    need(sort != "decimal" or int(value) < 2**64, "a number that is too large")
    if sort == "time": datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ")
    if sort == "sig": b64(value, 64)
    if sort == "key": need(value[:7] == "SHA256:" and b64(value[7:] + "=", 32), "expected a fingerprint")
def read(line):
    """Returns the event of a canonical line, or the number of a version that is not known."""
    need(len(line) <= 65445, "the line is too long")
    event = json.loads(line.decode(), parse_float=need, parse_constant=need)
    plain(event)
    form = json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    need(form.encode() == line, "the line is not its own canonical form")
    check(event["v"], "u")
    if event["v"] != 1: return event["v"]
    members(event, EVENT)
    need(type(event["body"]) is dict, "expected an object as body")
    if event["kind"] in KINDS: members(event["body"], KINDS[event["kind"]][1])
    return event

# What may follow what: locks and runs, migrations and their steps, backups
NOW, VERSIONS, CHANGES, BACKUPS = {}, {}, [], {}
SETTLED = {"up": 0, "down": 0, "part": ()}
FRESH = {"applied": None, "sum": None, "open": None, "adopted": False, **SETTLED}
IN_LOCK = re.compile(r"run\.(started|finished)|migration\..*|history\.adopted|check\.finished|backup\.restored")
def order(version): return [(len(part.lstrip("0")), part.lstrip("0")) for part in version.split(".")]
def change(seq, version, **new):
    CHANGES.append((seq, version, VERSIONS.get(version, FRESH)))
    VERSIONS[version] = {**VERSIONS.get(version, FRESH), **new}
def lifecycle(event, body):
    kind, seq, run, held = event["kind"], event["seq"], event["run"], NOW.get("held")
    group, _, verb = kind.partition(".")
    first, NOW["begun"] = "begun" not in NOW, True
    need(first == (kind == "ledger.created"), "ledger.created stands in the first entry, and only there")
    wanted = {"run.refused": "denied", "migration.failed": "failure", "drift.detected": "failure"}.get(kind, event["outcome"])
    need(event["outcome"] == wanted, f"expected {kind} with outcome {wanted}")
    need(not (kind in KINDS and IN_LOCK.fullmatch(kind)) or held and held[0] == run, f"{kind} stands outside of the lock of its run")
    if kind == "lock.acquired":
        NOW.update(held=(run, body["token"]), run=False)
        need(not held, "the lock is acquired while it is held")
    elif kind in ("lock.released", "lock.broken"):
        need(verb == "broken" or held == (run, body["token"]), "a lock is released that is not held so")
        if held and held[1] == body["token"]: NOW.update(held=None, run=False)
    elif kind in ("run.started", "run.finished"):
        before, NOW["run"] = NOW.get("run", False), verb == "started"
        need(before != NOW["run"], "a run starts once, and then it finishes")
    elif group == "backup" and verb in ("taken", "restored", "removed", "accepted"):
        backup = body["backup"]
        need((backup in BACKUPS) == (verb != "taken") or verb == "accepted", "a backup that is not there, or is taken twice")
        need(body.get("ledger_size", 0) <= seq, "a backup of more than there is")
        need(verb != "accepted" or NOW.get("waiting") == backup, "another backup was restored last")
        if verb == "taken": BACKUPS[backup] = body["ledger_size"]
        if verb == "removed": del BACKUPS[backup]
        if verb == "restored":
            earlier = {version: old for at, version, old in reversed(CHANGES) if at >= BACKUPS[backup]}
            for version, old in earlier.items(): change(seq, version, **old)
        if verb in ("restored", "accepted"): NOW["waiting"] = backup if verb == "restored" else None
    elif kind in KINDS and (group == "migration" or kind in ("history.squashed", "history.adopted")):
        version = body.get("version", body.get("into", body.get("through")))
        way = body.get("direction", "down" if verb == "rolled_back" else "up")
        now = VERSIONS.get(version, FRESH)
        needs_start = verb in ("step_applied", "applied", "rolled_back", "failed", "aborted")
        needs_start |= verb == "step_resolved" and way not in now["part"]
        need(not needs_start or now["open"] and now["open"][0] == way, f"expected an open start {way} of version {version}")
        if verb == "started":
            need(way == "down" or not NOW.get("waiting"), "the restored backup is not accepted yet")
            need(not now["open"], f"version {version} is started while a start of it is open")
            change(seq, version, open=(way, body["mode"]))
        elif verb in ("step_applied", "step_resolved"):
            need(verb == "step_resolved" or now["open"][1] == "stepwise", "a step of an atomic start")
            need(body["step"] == now[way] + 1, f"expected step {now[way] + 1} of version {version}")
            if body.get("as") != "not_applied": change(seq, version, **{way: body["step"]})
        elif verb == "applied":
            again = version[:2] == "R:" and now["sum"] != body["checksum"]
            need(not now["applied"] or again, f"version {version} is applied that is applied")
            change(seq, version, open=None, applied=True, sum=body["checksum"], **SETTLED)
        elif verb == "rolled_back":
            adopted = any(old["adopted"] and order(version) <= order(name) for name, old in VERSIONS.items())
            need(now["applied"] or now["applied"] is None and adopted, f"version {version} is rolled back that is not applied")
            change(seq, version, open=None, applied=False, sum=None, **SETTLED)
        elif verb == "failed":
            part = tuple(other for other in now["part"] if other != way)
            change(seq, version, open=None, **({way: 0, "part": part} if body["clean"] else {"part": part + (way,)}))
        elif verb == "aborted":
            need(now[way] == 0, f"version {version} is aborted, of which steps are done")
            change(seq, version, open=None)
        elif verb in ("marked", "squashed"): change(seq, version, applied=body.get("as") != "pending", sum=body.get("checksum"), **SETTLED)
        elif verb == "adopted": change(seq, version, adopted=True)
        elif verb == "accepted" and now["applied"]: change(seq, version, sum=body["new_checksum"])

# The keys, by their place in the log
KEYS, LINEAGE, OPENINGS, ROOTS, LOST = [], [], [], [], set()
def newest(name): return next((key for key in reversed(KEYS) if key["name"] == name), None)
def counts(key, at): return key["added"] < at and (key["retired"] is None or at <= key["retired"])
def may(key, *roles): return not {"owner", *roles}.isdisjoint(key["roles"])
def fold_key(at, event, body, takes_over):
    kind = event["kind"]
    if kind == "key.retired":
        key, since = newest(body["fingerprint"]), body.get("compromised_from")
        others = [other for other in KEYS if other["retired"] is None and other["name"] != body["fingerprint"] and may(other)]
        if not key or key["retired"] is not None or not others: return found("lifecycle-broken", "no key to retire, or the last owner", at)
        key["retired"] = at
        if since is not None and any(k["name"] == key["name"] and k["last"] >= since for k in KEYS):
            found("key-compromised", f"what the key signed from seq {since} on is suspect", at)
    grant = body if kind == "key.added" else body.get("key") if takes_over or kind == "ledger.forked" else None
    if not grant: return
    for key in KEYS if takes_over else []: key["retired"] = at if key["retired"] is None else key["retired"]
    try: raw = public(grant["public"])
    except ValueError as fault: return found("key-proof-invalid" if kind == "key.added" else "key-unknown", str(fault), at)
    name, known = fingerprint(raw), newest(fingerprint(raw))
    if known and not takes_over and (known["retired"] is None or at <= known["retired"]):
        return found("lifecycle-broken", "a key is added that is in already", at) if kind == "key.added" else None
    message = f"{event['ledger']} {name}\n".encode()
    if kind == "key.added" and not signed(raw, b"key-proof-v1@mledger", message, b64(body["proof"])):
        return found("key-proof-invalid", "the proof is not the key's over this ledger's id and itself", at)
    KEYS.append({"raw": raw, "name": name, "roles": grant["roles"], "added": at, "retired": None, "last": -1})
    if takes_over: ROOTS.append((at, event["key"], len(OPENINGS) + 1))

# The log, entry by entry, and the heads that were signed on the way
class Log: size, next, head, time, peaks = 0, 0, ZERO, "", []
def push(leaf):
    size, Log.size = Log.size, Log.size + 1
    while size & 1: leaf, size = sha(b"\1", Log.peaks.pop(), leaf), size >> 1
    Log.peaks.append(leaf)
def root(): return functools.reduce(lambda top, left: sha(b"\1", left, top), reversed(Log.peaks))
def entry(line, armour, needed):
    at, event, signature = Log.size, None, bytes(64)
    try: signature = b64(armour.decode(), 64)
    except ValueError: found("signature-invalid", "expected a signature as 88 characters of base64", at)
    digest = sha(b"\0", line, b"\n", base64.b64encode(signature), b"\n")
    try: event = read(line)
    except Exception as fault: found("line-not-canonical", str(fault), at)
    if type(event) is int: event = found("version-unknown", "expected version 1", at)
    if event: take(at, event, event["body"], line, signature, needed)
    else: Log.next += 1
    if event and event["kind"] in ("ledger.forked", "ledger.rewound") or at == 0 and event and event["kind"] == "ledger.created":
        LINEAGE.append(digest.hex())
        OPENINGS.append(event["kind"])
    Log.head = digest.hex()
    push(digest)
def take(at, event, body, line, signature, needed):
    kind, old, ledger = event["kind"], newest(event["key"]), (LINEAGE or [ZERO])[-1]
    for code, name, expected in (("seq-gap", "seq", Log.next), ("prev-mismatch", "prev", Log.head), ("ledger-mismatch", "ledger", ledger)):
        if event[name] != expected: found(code, f"expected {name} {expected}, found {event[name]}", at)
    if event["time"] < Log.time: found("clock-went-back", f"before {Log.time}", at)
    Log.next, Log.time = event["seq"] + 1, event["time"]
    own = body.get("key") if kind == "ledger.forked" or kind == "ledger.created" and at == 0 else None
    takes_over = kind == "ledger.created" and at == 0 or bool(own) and not (old and counts(old, at) and may(old))
    ok, raw = True, old and old["raw"]
    try:
        if own: takes_over &= at == 0 or fingerprint(public(own["public"])) == event["key"]
        raw = public(own["public"]) if takes_over else raw
    except ValueError as fault: raw, takes_over = None, found("key-unknown", str(fault), at)
    if not raw: ok = found("key-unknown", f"expected a key that was let in before, found {event['key']}", at)
    elif takes_over and not (fingerprint(raw) == event["key"] and may(own)) or not takes_over and not (
            counts(old, at) and (kind not in KINDS or may(old, KINDS[kind][0]))):
        ok = found("key-not-authorised", f"the key may not sign {kind} here", at)
    if raw and not signed(raw, b"event-v1@mledger", line + b"\n", signature):
        ok = found("signature-invalid", "the signature is not the key's over this line", at)
    if old: old["last"] = at
    if ok is True: fold_key(at, event, body, takes_over)
    try: lifecycle(event, body)
    except Exception as fault: found("lifecycle-broken", str(fault), at)
    if kind not in KINDS: found("kind-unknown", f"expected a kind that is known, found {kind}", at)
    if kind == "ledger.rewound":
        LOST.update((lost["size"], lost["root"]) for lost in body["lost"] if ok is True)
        found("history-rewound", "an owner declared what followed lost", at)
    if kind in ("run.started", "validation.finished", "migration.started", "migration.applied", "migration.accepted"):
        for name in ("plan", "policy", "script", "down_script", "digest"):
            if name in body: needed.setdefault(body[name], False)
    if kind == "object.redacted": needed[body["digest"]] = True

# Checkpoints, and what else comes from outside: keys to trust, witnesses
def allowed(text):
    """Returns the Ed25519 keys of an allowed-signers file (ssh-keygen(1)), each with whether it may sign events."""
    keys, word, authority = [], r'(?:[^" \t]|"[^"]*")+', ("cert-authority", "", "")
    for line in filter(lambda line: line and line[0] != "#", map(str.strip, text.split("\n"))):
        parts = re.fullmatch(rf'{word}[ \t]+(?:(?!ssh-|ecdsa-|sk-)({word})[ \t]+)?((?:ssh-|ecdsa-|sk-).*)', line)
        need(parts, "expected lines of principals, options and a public key")
        options = [option.partition("=") for option in re.findall(r'(?:[^",]|"[^"]*")+', parts[1] or "")]
        fit = options[:options.index(authority)] if authority in options else options
        need(all(name == "namespaces" and equals and "!" not in value for name, equals, value in fit), "an option but namespaces")
        if parts[2][:12] != "ssh-ed25519 " or fit != options: continue
        spaces = "*" if not options else options[-1][2].strip('"')
        forms = [re.escape(form).replace(r"\*", ".*").replace(r"\?", ".") for form in spaces.split(",")]
        keys.append((public(" ".join(parts[2].split(" ")[:2])), any(re.fullmatch(form, "event-v1@mledger") for form in forms)))
    return keys
def witness(text):
    """Reads a verifier key of a C2SP signed note, of the type of cosignatures."""
    name, given, key = text.split("+", 2)
    mark = sha(name.encode(), b"\n", b64(key, 33))[:4]
    need(b64(key)[0] == 4 and point(b64(key)[1:]) and re.fullmatch(r"\S+", name) and given == mark.hex(), "expected a witness's key")
    return name, mark, b64(key)[1:]
def note(text, outside):
    """Reads a C2SP signed note that holds a checkpoint."""
    need(len(text.encode()) <= 1 << 20 and not re.search("[\0-\t\x0b-\x1f]", text), "too long, or control characters")
    text, _, block = text.rpartition("\n\n")
    need(block[-1:] == "\n" and block.count("\n") <= 100, "expected a signed note of at most 100 signatures")
    lines = [re.fullmatch("\u2014 ([^\\s+]+) (\\S+)", line) for line in block[:-1].split("\n")]
    claim = re.fullmatch("mledger/([0-9a-f]{64})\n([1-9][0-9]{0,18})\n(\\S+)", text)
    need(claim and all(line and len(b64(line[2])) > 4 for line in lines), "expected a signed checkpoint over at least one entry")
    return {"text": text + "\n", "lines": [(line[1], b64(line[2])) for line in lines], "ledger": claim[1], "size": int(claim[2]),
            "root": b64(claim[3], 32), "outside": outside, "anchors": outside, "fault": None, "seen": False}
def signers(claim, at):
    """Says whether a key that may has signed a checkpoint; a wrong signature of a known key refuses it."""
    name, able = "mledger/" + claim["ledger"], False
    for key in KEYS:
        for who, blob in claim["lines"]:
            if who == name and blob[:4] == sha(name.encode(), b"\n\1", key["raw"])[:4]:
                need(verifies(key["raw"], claim["text"].encode(), blob[4:]), "a signature of a known key is wrong")
                able |= at is None or counts(key, at) and may(key, "auditor", "operator")
    return able
def judge(claim, witnesses):
    claim["seen"] = True
    try:
        need(LINEAGE[-1:] == [claim["ledger"]] and signers(claim, Log.size), "expected this ledger's id, and a signer that may")
        for name, mark, key in witnesses:
            for blob in (blob for who, blob in claim["lines"] if (who, blob[:4]) == (name, mark)):
                text = f"cosignature/v1\ntime {int.from_bytes(blob[4:12], 'big')}\n{claim['text']}"
                need(verifies(key, text.encode(), blob[12:]), f"the cosignature of {name} is wrong")
                claim["anchors"] = True
    except ValueError as fault: claim["fault"] = ("checkpoint-invalid", str(fault))
    if claim["root"] != root() and not claim["fault"]: claim["fault"] = "checkpoint-mismatch", f"another root over the first {claim['size']} events"
def conclude(claims, ledger, trust):
    held = [claim for claim in claims if claim["anchors"] and claim["seen"] and not claim["fault"]]
    anchored, vouched = (max([claim["size"] for claim in held if claim[way]], default=0) for way in ("anchors", "outside"))
    for claim in claims:
        if not claim["seen"]:
            try: ours = signers(claim, None) or claim["ledger"] in LINEAGE
            except ValueError: ours = False
            claim["fault"] = "truncated" if ours else "checkpoint-invalid", f"a checkpoint covers {claim['size']} of {Log.size} events"
        if claim["fault"]:
            found("history-rewound" if (claim["size"], claim["root"].hex()) in LOST else claim["fault"][0], claim["fault"][1])
    place = LINEAGE.index(ledger) if ledger in LINEAGE else -1
    fits = ledger and place >= 0 and set(OPENINGS[place + 1:]) <= {"ledger.rewound"}
    if ledger and not fits: found("ledger-mismatch", f"expected ledger {ledger}, found {LINEAGE[-1:]}")
    for at, key, openings in ROOTS:
        if trust is not None:
            if key not in trust: found("key-unknown", f"expected the first key to be an allowed signer, found {key}", at)
        elif at >= vouched and openings > (place + 1 if fits else 0): found("first-key-not-trusted", f"{key} was taken on trust", at)
    return anchored

# The bundle, a folder or one archive of it: its files by name, each with its digest, its size and what opens it
NAME, BUNDLE = r"[A-Za-z0-9_][A-Za-z0-9_.-]*", {}
def is_name(name): return len(name) <= 150 and re.fullmatch(f"{NAME}(/{NAME})?", name)
def odd(name): found("manifest-invalid", f"expected only the files of a bundle, each once, found {name}")
def hashed(stream, left):
    """Reads at most so many bytes; returns their digest, and how many there were."""
    hasher, size = hashlib.sha256(), 0
    while chunk := stream.read(min(left - size, 1 << 16)): size += hasher.update(chunk) or len(chunk)
    return hasher.hexdigest(), size
def read_folder(path, within=""):
    for place in os.scandir(path):
        name = within + place.name
        if place.is_dir(follow_symlinks=False) and not within: read_folder(place.path, name + "/")
        elif place.is_file(follow_symlinks=False) and is_name(name):
            with open(place.path, "rb") as file: BUNDLE[name] = *hashed(file, 1 << 62), functools.partial(open, place.path, "rb")
        else: odd(name)
class Part:
    """So many bytes of what a Zstandard file holds, from a place on; no more of it is kept than what is asked for."""
    def __init__(self, path, place=0, left=1 << 62):
        with open(path, "rb") as file:
            self.program = subprocess.Popen(["zstd", "-dcq"], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        need(hashed(self.program.stdout, place)[1] == place, "the archive is not what it was")
        self.left = left
    def readline(self, most): return self.taken(self.program.stdout.readline(min(most, self.left)))
    def read(self, most=1 << 62): return self.taken(self.program.stdout.read(min(most, self.left)))
    def taken(self, data):
        self.left -= len(data)
        return data
def read_archive(path):
    """Reads an archive (POSIX ustar) to its end; nothing is unpacked, and no name in it is taken for a path."""
    whole, place, members = Part(path), 0, []
    while (head := whole.read(512)).strip(b"\0"):
        member = tarfile.TarInfo.frombuf(head, "utf-8", "replace")
        size, filler = member.size, -member.size % 512
        digest, there = hashed(whole, max(size, 0))
        need(there == size and len(whole.read(filler)) == filler and len(members) < 10**6, "its end within a file, or too many")
        if head[156] in b"\x000": members.append((member.name, digest, size, functools.partial(Part, path, place + 512, size)))
        elif head[156] != ord("5"): odd(member.name)
        place += 512 + size + filler
    rest = whole.read((1 << 20) + 1)
    need(len(head) in (0, 512) and len(rest) <= 1 << 20 and not rest.strip(b"\0") and whole.program.wait() == 0, "no end, or more behind it")
    top = next((name[:-len(LIST)] for name, *_ in members if re.fullmatch("([^/]*/)?" + re.escape(LIST), name)), "")
    for name, *what in members:
        below = name[len(top):] if name.startswith(top) else ""
        if not is_name(below) or below in BUNDLE: odd(name)
        else: BUNDLE[below] = what
def small(name, most=1 << 20):
    need(BUNDLE[name][1] <= most, f"{name} is too long")
    return BUNDLE[name][2]().read().decode()
def listed(text):
    """Returns what the list says."""
    lines = [re.fullmatch("([0-9a-f]{64})  (.*)", line) for line in text.split("\n")[:-1]]
    need(text[-1:] == "\n" and all(line and is_name(line[2]) for line in lines), "expected lines of a digest and the name of a file")
    names = {line[2]: line[1] for line in lines}
    need(len(names) == len(lines) and not {LIST, LIST + ".sig"} & set(names), "a file that is listed twice, or the list itself")
    return names
def check_signature(text):
    armour = small(LIST + ".sig")
    blob = base64.b64decode("".join(armour.split("\n")[1:-2]))
    raw, signature = blob[33:65], blob[-64:]
    parts = (BLOB + raw, b"export-v1@mledger", b"", b"sha256", string(b"ssh-ed25519") + string(signature))
    lines = re.findall(".{1,70}", base64.b64encode(b"SSHSIG\0\0\0\1" + b"".join(map(string, parts))).decode())
    one_form = ["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]
    need(armour == "\n".join(one_form), "another form of signature, or another namespace")
    need(signed(raw, b"export-v1@mledger", text.encode(), signature), "the signature is not one over this list")
    need([key for key in KEYS if key["raw"] == raw and counts(key, Log.size) and may(key, "auditor")], "expected an auditor's or owner's")
def check_files(needed):
    names, absent = {}, set()
    for name in FILES - set(BUNDLE): found("bundle-incomplete", f"the bundle has no {name}")
    for name, judge_it in ((LIST, listed), (LIST + ".sig", check_signature)) if LIST in BUNDLE else ():
        try: names = (judge_it(small(LIST, 1 << 28)) if name in BUNDLE else None) or names
        except ValueError as fault: found("manifest-invalid", f"{name}: {fault}")
    for name in set(names) - set(BUNDLE): found("bundle-incomplete", f"the list names {name}, which is not here")
    for name in set(BUNDLE) - {LIST, LIST + ".sig"} if names else ():
        if BUNDLE[name][0] != names.get(name): found("manifest-invalid", f"{name} is not what was packed")
    for name in BUNDLE:
        if name[:8] == "objects/" and name[8:] != BUNDLE[name][0]: found("object-mismatch", f"{name} holds other bytes than its name says")
    try:
        for line in io.StringIO(small("objects.absent", 1 << 28), "\n") if "objects.absent" in BUNDLE else ():
            need(re.fullmatch("[0-9a-f]{64} [0-9]{1,19}(\r?\n)?", line), "expected lines of a digest and a size")
            if int(line[65:]) > 16 << 20: absent.add(line[:64])
    except ValueError as fault: found("manifest-invalid", f"objects.absent: {fault}")
    try:
        keys = {raw for raw, _ in allowed(small("allowed_signers", 1 << 28))} if "allowed_signers" in BUNDLE else None
        need(keys is None or keys == {key["raw"] for key in KEYS}, "other keys than the ledger's")
    except ValueError as fault: found("manifest-invalid", f"allowed_signers: {fault}")
    for digest in (set(needed) | absent) - {name[8:] for name in BUNDLE if name[:8] == "objects/"}:
        found("object-missing", f"objects/{digest} is not here", None, digest in absent or needed.get(digest))

def next_line(file):
    """Returns a line and whether it has an end; of one that is too long only its beginning."""
    line = rest = file.readline(131070)
    while rest and rest[-1:] != b"\n": rest = file.readline(1 << 16)
    return line[:-1] if line[-1:] == b"\n" else line, line[-1:] == b"\n" or len(line) == 131070, bool(line)
def read_log(claims, needed, witnesses):
    events, signatures = (BUNDLE[name][2]() for name in ("events.jsonl", "signatures"))
    while True:
        (line, whole, more), (armour, whole_too, more_too) = next_line(events), next_line(signatures)
        if not (more and more_too): break
        if not (whole and whole_too): found("bundle-incomplete", f"line {Log.size + 1} has no end")
        entry(line, armour, needed)
        for claim in claims:
            if claim["size"] == Log.size: judge(claim, witnesses)
    if more or more_too or not Log.size: found("bundle-incomplete", f"events and signatures do not both end after {Log.size} lines")
def text_of(path):
    try:
        with open(path, encoding="utf-8", newline="") as file: return file.read()
    except OSError as fault: raise argparse.ArgumentTypeError(str(fault))
def ledger_id(text): return need(re.fullmatch(PATTERNS["x"], text), "expected 64 hexadecimal digits") or text
def trusted(path): return {fingerprint(raw) for raw, may_sign in allowed(text_of(path)) if may_sign}
def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("bundle", nargs="?", default=".")
    options.add_argument("--checkpoint", action="append", default=[], metavar="FILE", type=text_of)
    options.add_argument("--ledger", metavar="ID", type=ledger_id)
    options.add_argument("--trust", metavar="FILE", type=trusted)
    options.add_argument("--witness", action="append", default=[], metavar="KEY", type=witness)
    given, claims, needed, anchored = options.parse_args(), [], {}, 0
    is_folder = os.path.isdir(given.bundle)
    if not os.path.exists(given.bundle): options.error(f"no such folder or file: {given.bundle}")
    if not (is_folder or shutil.which("zstd")): options.error("install zstd, or unpack it: tar --zstd -xf FILE")
    try:
        (read_folder if is_folder else read_archive)(given.bundle)
        earlier = sorted(name for name in BUNDLE if name[:12] == "checkpoints/" and name[-4:] != ".tsr")[:1000]
        for text, name in [(text, "") for text in given.checkpoint] + [(None, name) for name in ["checkpoint"] + earlier if name in BUNDLE]:
            try: claims.append(note(text.replace("\r\n", "\n") if text is not None else small(name), text is not None))
            except ValueError as fault: found("checkpoint-invalid", f"{name}: {fault}")
            else: claims[-1]["all"] = name == "checkpoint"
        if {"events.jsonl", "signatures"} <= set(BUNDLE): read_log(claims, needed, given.witness)
        if any(claim["all"] and claim["size"] < Log.size for claim in claims):
            found("checkpoint-mismatch", "the bundle's checkpoint does not cover all of it")
        check_files(needed)
        anchored = conclude(claims, given.ledger, given.trust)
    except Exception as fault:
        FOUND[:] = []
        found("bundle-incomplete", f"it cannot be read to its end: {fault}")
    broken, unknown = ([line for line in FOUND if re.match(form, line)] for form in ("error", "warning first-key|error key-unknown"))
    print(f"ledger    {(LINEAGE or ['none'])[-1]}\nevents    {Log.size}\nhead      {Log.head}")
    nothing = "anchored to nothing: events may be missing at the end"
    print("complete  " + (f"anchored to a checkpoint from outside, {anchored} events" if anchored else nothing))
    print("trust     the first key " + ("was taken on trust" if unknown or not ROOTS else "is known from outside"))
    print("\n".join(sorted(FOUND, key=lambda line: line[0] != "e")[:1000] + [f"{len(FOUND)} findings"]))
    print("not intact: something is not what was recorded" if broken else "intact: this is what was signed")
    return 4 if broken else 0
if __name__ == "__main__": sys.exit(main())
