// What a line may be: its canonical form (a subset of RFC 8785), the members of each kind of event, and
// the forms in which OpenSSH writes keys and signs.

function base64(text, ...lengths) {
  const form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  need(form.test(text), "expected base64");
  const data = ascii(atob(text));
  need(toBase64(data) === text && (!lengths.length || lengths.includes(data.length)), "expected base64 in its one form");
  return data;
}
const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const utf8 = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

function string(data) {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, data.length);
  return join(size, data);
}
const BLOB = join(string(ascii("ssh-ed25519")), Uint8Array.of(0, 0, 0, 32));
const fingerprint = (key) => "SHA256:" + toBase64(sha256(BLOB, key)).replace(/=+$/, "");
function signed(key, space, data, signature) {
  const parts = [ascii(space), ascii(""), ascii("sha256"), sha256(data)];
  return verifies(key, join(ascii("SSHSIG"), ...parts.map(string)), signature);
}
function publicKey(written) {
  need(written.startsWith("ssh-ed25519 "), "expected an Ed25519 key without comment");
  const data = base64(written.slice(12), 51);
  need(same(data.slice(0, 19), BLOB), "expected an Ed25519 key without comment");
  point(data.slice(19));
  return data.slice(19);
}

// What an event may say: its kind, who may sign it beside an owner, and the members of its body
// (`?` may be missing, `:` gives a type where it is no text, `|` are the words to choose from).
const EVENT = "actor body:any env host key:key kind ledger:x outcome:success|failure|denied prev:x run:id seq:u time:time tool v:u";
const PARTS = new Map(Object.entries({
  db: "engine identity name", grant: "name public roles:roles", lost: "root:x size:u",
  holder: "actor host run:id since:time", ci: "commit provider url", forced: "finding reason",
  schema: "digest:x format:u server", error: "code? column?:u line?:u message statement?:u",
}));
const KINDS = new Map();
for (const row of `
ledger.created - database:db key:grant nonce:x
ledger.forked - database:db key?:grant reason
ledger.moved - database:db reason
ledger.rewound - lost:[lost] reason
key.added - name proof:sig public roles:roles
key.retired - compromised_from?:u fingerprint:key reason
lock.acquired operator token:id wait_ms:u / lock.released operator held_ms:u token:id
lock.broken operator holder:holder reason token:id
run.started operator batch?:u ci?:ci command forced:[forced] plan:x policy:x schema?:schema steps:u ticket?
run.refused operator command plan?:x reasons:[s] / run.finished operator done:u duration_ms:u failed:u schema?:schema
migration.started operator attempt:u batch?:u checksum:x direction:up|down mode:atomic|stepwise name script:x self_committing:set statements:u version
migration.step_applied operator direction:up|down duration_ms:u statement:x step:u version
migration.step_resolved operator as:applied|not_applied direction:up|down reason statement:x step:u version
migration.applied operator attempt:u batch:u checksum:x down_script?:x duration_ms:u metadata:meta name script:x statements:u version
migration.rolled_back operator cause:requested|failure|check duration_ms:u name script:x version
migration.failed operator clean:b direction:up|down error:error steps_applied:u version
migration.aborted operator direction:up|down reason version
migration.marked operator as:applied|pending checksum?:x reason version
migration.accepted operator new_checksum:x old_checksum:x reason script:x version
history.squashed operator into reason through / history.adopted operator digest:x rows:u table through tool
validation.finished operator digest:x errors:u warnings:u / check.finished operator detail? name when:before|after
approval.granted approver comment? expires?:time plan:x / approval.revoked approver plan:x reason
backup.taken operator backup:id duration_ms:u encrypted:b ledger_size:u location method name sha256:x size:decimal
backup.failed operator error name / backup.verified operator backup:id
backup.restored operator backup:id duration_ms:u safety_backup?:id sha256:x / backup.accepted operator backup:id reason
backup.removed operator backup:id reason / version.tagged releaser message? migration release schema?:schema
release.created releaser name notes?:x release / drift.detected operator changes:u digest:x expected:x found:x
drift.accepted - found:x reason / object.redacted - digest:x reason / history.exported auditor manifest:x root:x size:u
anchor.recorded auditor digest:x method:file|git|tsa|witness root:x size:u / note.added auditor about?:u text
`.trim().split(/\n| \/ /)) {
  const [kind, role, ...form] = row.split(" ");
  KINDS.set(kind, { role, form: form.join(" ") });
}
const PATTERNS = new Map(Object.entries({
  x: /^[0-9a-f]{64}$/, id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, decimal: /^(0|[1-9][0-9]{0,19})$/,
  time: /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/,
}));
const ROLE = "approver|auditor|operator|owner|releaser";
const TYPES = new Map(Object.entries({ b: "boolean", u: "number", roles: "list", set: "list", meta: "object" }));

const sortOf = (value) => (Array.isArray(value) ? "list" : value === null ? "null" : typeof value);
const has = (value, name) => Object.prototype.hasOwnProperty.call(value, name);

// Everything that stands in a line has a form, whatever it means.
function plain(value, depth = 0) {
  const sort = sortOf(value);
  need(["boolean", "string", "object", "list"].includes(sort) || Number.isSafeInteger(value), "a value that has no form");
  need(sort !== "string" || !/\0|\p{Surrogate}/u.test(value), "NUL, or half of a character");
  if (sort !== "object" && sort !== "list") return;
  need(depth <= 127, "too deep");
  need(sort === "list" || Object.keys(value).every((name) => /^[a-z0-9_]+$/.test(name)), "the name of a member");
  for (const inner of Object.values(value)) plain(inner, depth + 1);
}
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

function members(value, form) {
  need(sortOf(value) === "object", "expected an object");
  const known = new Map();
  for (const word of form.split(" ")) {
    const [name, sort] = word.split(/:(.*)/);
    known.set(name.replace("?", ""), { sort: sort || "s", optional: name.endsWith("?") });
  }
  need(Object.keys(value).every((name) => known.has(name)), "a member that is not known here");
  for (const [name, { sort, optional }] of known) {
    need(optional || has(value, name), `member ${name} is missing`);
    if (has(value, name)) check(value[name], sort);
  }
}
function check(value, sort) {
  const type = TYPES.get(sort) ?? (sort[0] === "[" ? "list" : PARTS.has(sort) ? "object" : "string");
  if (sort === "any") return;
  need(sortOf(value) === type, `expected ${sort}`);
  if (PARTS.has(sort)) members(value, PARTS.get(sort));
  const inside = sort === "roles" ? ROLE : sort === "set" ? "u" : sort.slice(1, -1);
  for (const inner of type === "list" ? value : []) check(inner, inside);
  const ordered = (list) => list.every((item, index) => index === 0 || list[index - 1] < item);
  need(!["roles", "set"].includes(sort) || ordered(value), "a set that is not sorted");
  for (const inner of sort === "meta" ? Object.values(value) : []) {
    for (const one of Array.isArray(inner) ? inner : [inner]) {
      need(["string", "boolean", "number"].includes(typeof one), "metadata that is not plain");
    }
  }
  need(sort !== "u" || value >= 0, "expected a number that is not negative");
  need(!sort.includes("|") || sort.split("|").includes(value), `expected ${sort}`);
  need(!PATTERNS.has(sort) || PATTERNS.get(sort).test(value), `expected ${sort}`);
  need(sort !== "decimal" || BigInt(value) < 2n ** 64n, "a number that is too large");
  if (sort === "time") need(isTime(value), "expected a moment of the calendar");
  if (sort === "sig") base64(value, 64);
  if (sort === "key") need(value.startsWith("SHA256:") && base64(`${value.slice(7)}=`, 32), "expected a fingerprint");
}
function isTime(value) {
  const [year, month, day, hour, minute, second] = value.split(/[-T:.]/).map(Number);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return year > 0 && day > 0 && day <= days && hour < 24 && minute < 60 && second < 60;
}

// Returns the event of a canonical line, or the number of a version that is not known.
function readLine(line) {
  need(line.length <= 65445, "the line is too long");
  const event = JSON.parse(text(line));
  plain(event);
  need(same(utf8(canonical(event)), line), "the line is not its own canonical form");
  need(sortOf(event) === "object" && has(event, "v"), "member v is missing");
  check(event.v, "u");
  if (event.v !== 1) return event.v;
  members(event, EVENT);
  need(sortOf(event.body) === "object", "expected an object as body");
  if (KINDS.has(event.kind)) members(event.body, KINDS.get(event.kind).form);
  return event;
}
