// SHA-2 (FIPS 180-4) and Ed25519 (RFC 8032), strictly: canonical numbers and points, none of small order.
//
// Browsers have both built in, but not on every page that is opened from a disk, and they differ in which
// unusual signatures they let through. These here are the same everywhere.

const need = (truth, text) => {
  if (!truth) throw new Error(text);
};
const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const same = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// The constants are the first 64 bits of the fractional parts of roots of the first primes.
const WORD = (1n << 64n) - 1n;
function integerRoot(number, degree) {
  let root = 1n << BigInt(Math.ceil(number.toString(2).length / Number(degree)));
  for (;;) {
    const next = ((degree - 1n) * root + number / root ** (degree - 1n)) / degree;
    if (next >= root) return root;
    root = next;
  }
}
const PRIMES = [];
for (let number = 2; PRIMES.length < 80; number++) {
  if (PRIMES.every((prime) => number % prime)) PRIMES.push(number);
}
const START = PRIMES.slice(0, 8).map((prime) => integerRoot(BigInt(prime) << 128n, 2n) & WORD);
const ROUNDS = PRIMES.map((prime) => integerRoot(BigInt(prime) << 192n, 3n) & WORD);
const START_32 = START.map((word) => Number(word >> 32n));
const ROUNDS_32 = Int32Array.from(ROUNDS.slice(0, 64), (word) => Number(word >> 32n));

function padded(data, block) {
  const size = Math.ceil((data.length + 1 + block / 8) / block) * block;
  const whole = new Uint8Array(size);
  whole.set(data);
  whole[data.length] = 0x80;
  new DataView(whole.buffer).setBigUint64(size - 8, BigInt(data.length) * 8n);
  return new DataView(whole.buffer);
}
function sha256(...parts) {
  const view = padded(join(...parts), 64);
  const state = Int32Array.from(START_32);
  const w = new Int32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS_32[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, index) => { state[index] += word; });
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => out.setInt32(4 * index, word));
  return new Uint8Array(out.buffer);
}
function sha512(...parts) {
  const view = padded(join(...parts), 128);
  const state = BigUint64Array.from(START);
  const w = new BigUint64Array(80);
  const turn = (x, n) => BigInt.asUintN(64, (x >> n) | (x << (64n - n)));
  for (let at = 0; at < view.byteLength; at += 128) {
    for (let i = 0; i < 16; i++) w[i] = view.getBigUint64(at + 8 * i);
    for (let i = 16; i < 80; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + (turn(x, 1n) ^ turn(x, 8n) ^ (x >> 7n)) + w[i - 7] + (turn(y, 19n) ^ turn(y, 61n) ^ (y >> 6n));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 80; i++) {
      const one = h + (turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n)) + ((e & f) ^ ((e ^ WORD) & g)) + ROUNDS[i] + w[i];
      const two = (turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) & WORD, c, b, a, (one + two) & WORD];
    }
    [a, b, c, d, e, f, g, h].forEach((word, index) => { state[index] += word; });
  }
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, index) => out.setBigUint64(8 * index, word));
  return new Uint8Array(out.buffer);
}

// A point is (X, Y, Z, T) with x = X/Z, y = Y/Z and xy = T/Z.
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const modulo = (number) => ((number % P) + P) % P;
function power(base, exponent) {
  let result = 1n;
  for (; exponent; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}
const D = modulo(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const NEUTRAL = [0n, 1n, 1n, 0n];
function add(p, q) {
  const a = modulo((p[1] - p[0]) * (q[1] - q[0])), b = ((p[1] + p[0]) * (q[1] + q[0])) % P;
  const c = ((2n * p[3] * q[3]) % P) * D % P, d = (2n * p[2] * q[2]) % P;
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [modulo(e * f), (g * h) % P, modulo(f * g), modulo(e * h)];
}
function little(bytes) {
  return BigInt("0x" + hex(Uint8Array.from(bytes).reverse()));
}
function point(bytes) {
  need(bytes.length === 32, "expected a point of 32 bytes");
  const whole = little(bytes), y = whole & ((1n << 255n) - 1n), sign = whole >> 255n;
  const u = modulo(y * y - 1n), v = (D * y * y + 1n) % P;
  let x = u * power(v, 3n) % P * power(u * power(v, 7n) % P, (P - 5n) / 8n) % P;
  if (modulo(v * x * x - u)) x = x * ROOT_OF_MINUS_ONE % P;
  need(y < P && !modulo(v * x * x - u) && !(x === 0n && sign), "no point of the curve");
  if ((x & 1n) !== sign) x = P - x;
  const found = [x, y, 1n, x * y % P];
  let eight = found;
  for (let turn = 0; turn < 3; turn++) eight = add(eight, eight);
  need(eight[0] || modulo(eight[1] - eight[2]), "a point of small order");
  return found;
}

// The multiples of a point that sums are made of: of 16^i times the point, the first sixteen.
function multiples(base) {
  const table = [];
  for (let row = 0; row < 64; row++) {
    const line = [NEUTRAL];
    for (let column = 1; column < 17; column++) line.push(add(line[column - 1], base));
    base = line[16];
    table.push(line);
  }
  return table;
}
function times(number, table) {
  let sum = NEUTRAL;
  for (let row = 0; row < 64; row++, number >>= 4n) sum = add(sum, table[row][Number(number & 15n)]);
  return sum;
}
const tables = new Map();
function tableOf(bytes) {
  const name = hex(bytes);
  if (!tables.has(name)) tables.set(name, multiples(point(bytes)));
  return tables.get(name);
}
const BASE = multiples(point(Uint8Array.from({ length: 32 }, (_, index) => (index ? 0x66 : 0x58))));

function verifies(key, data, signature) {
  try {
    need(signature.length === 64, "expected 64 bytes");
    const table = tableOf(key), r = point(signature.slice(0, 32)), s = little(signature.slice(32));
    need(s < L, "S is not reduced");
    const h = little(sha512(signature.slice(0, 32), key, data)) % L;
    const left = times(s, BASE), right = add(r, times(h, table));
    return !modulo(left[0] * right[2] - right[0] * left[2]) && !modulo(left[1] * right[2] - right[1] * left[2]);
  } catch {
    return false;
  }
}
