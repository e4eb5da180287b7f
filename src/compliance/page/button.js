// The page: runs the check over the events in it, and says what was found in words.

const element = (id) => document.getElementById(id);
// taken at once: opening a detail, or a translator, changes the document later
const printed = Array.from(document.querySelectorAll(".report"), (part) => part.innerHTML).join("");

function make(name, content, className) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...[content].flat());
  return made;
}
// Marks that nobody sees, or that turn text around, are shown as their numbers.
function visible(words) {
  const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
  return words.replace(hidden, (mark) => `\\u{${mark.codePointAt(0).toString(16)}}`);
}
// The inverse of how the entries are written here: a byte that is not plain is % and two digits.
function unescaped(words) {
  const bytes = new Uint8Array(words.length);
  let size = 0;
  for (let at = 0; at < words.length; at++) {
    const escaped = words[at] === "%";
    bytes[size++] = escaped ? parseInt(words.slice(at + 1, at + 3), 16) : words.charCodeAt(at);
    if (escaped) at += 2;
  }
  return bytes.subarray(0, size);
}

// What the page says of itself, compared with what is on it and in it.
function differences(result) {
  const { report, size, root, head, ledger } = document.body.dataset;
  const found = [];
  if (hex(sha256(utf8(printed))) !== report) found.push("the report's own words were changed after it was written");
  if (String(result.size) !== size) found.push(`the report was made from ${size} events, there are ${result.size} in here`);
  for (const [name, value] of Object.entries({ root, head, ledger })) {
    if (result[name] !== value) found.push(`the report was made from events whose ${name} is ${value}, found ${result[name]}`);
  }
  return found.map((message) => ({ level: "error", code: "page-changed", message }));
}
async function checkPage(progress) {
  const given = element("kept-checkpoint").value.replace(/\r\n/g, "\n").replace(/\s*$/, "\n");
  const notes = Array.from(document.querySelectorAll("pre.checkpoint"), (note) => {
    return { text: text(unescaped(note.textContent)), outside: false };
  });
  if (given.trim()) notes.unshift({ text: given, outside: true });
  let resumed = performance.now();
  const result = await checkLog(unescaped(element("entries").textContent), notes, element("known-ledger").value.trim(), async (share) => {
    if (performance.now() - resumed < 50) return;
    progress(share);
    await new Promise((resume) => { setTimeout(resume); });
    resumed = performance.now();
  });
  result.findings.push(...differences(result));
  result.intact &&= result.findings.every((finding) => finding.level !== "error");
  return result;
}

function show(result) {
  const { intact, anchored, findings } = result;
  const verdict = intact
    ? "Intact: every event in this page is what was signed, and the report is as it was written."
    : "Not intact: something is not what was recorded.";
  const completeness = anchored
    ? `anchored to the checkpoint that you gave, ${anchored} of ${result.size} events`
    : "anchored to nothing: events may be missing at the end. Give a checkpoint that you kept.";
  const facts = make("dl", [], "facts");
  const values = { Ledger: result.ledger, Events: String(result.size), Head: result.head, Root: result.root, Completeness: completeness };
  for (const [label, value] of Object.entries(values)) {
    facts.append(make("dt", label), make("dd", /^[0-9a-f]{64}$/.test(value) ? make("code", value) : value));
  }
  const list = make("ul", findings.slice(0, 200).map(({ level, code, seq, message }) => {
    const place = seq === undefined ? "" : ` at event ${seq}`;
    return make("li", [make("strong", level), " ", make("code", code), visible(`${place}: ${message}`)], level);
  }));
  const count = make("p", findings.length === 1 ? "1 finding" : `${findings.length} findings`);
  element("verdict").replaceChildren(make("p", make("strong", verdict), intact ? "intact" : "broken"), facts, count, list);
}

async function press() {
  const button = element("check-button"), bar = make("progress", []);
  button.disabled = true;
  element("verdict").replaceChildren(bar);
  try {
    show(await checkPage((share) => { bar.value = share; }));
  } catch (fault) {
    element("verdict").replaceChildren(make("p", `Not checked: ${visible(String(fault))}`, "broken"));
  }
  button.disabled = false;
}

if (element("entries")) {
  element("check-form").hidden = false;
  element("verdict").textContent = "Not checked yet.";
  element("check-button").addEventListener("click", press);
  // an address that ends in #check asks for it at once
  if (location.hash === "#check") press();
}
