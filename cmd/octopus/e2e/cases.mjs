// Runs named cases one after another and prints one line of JSON for each, {"name", "ok", "ms", "detail"}. The Go test
// that started the script turns every line into a subtest.
import { inspect } from 'node:util';

// How long one case may take. Longer than any promise: what must be quick is asserted where it is measured.
const limit = 20_000;

export async function run(cases) {
  for (const [name, body] of Object.entries(cases)) {
    await runOne(name, body);
  }
}

// Runs one case. What the body returns is added to its line.
export async function runOne(name, body) {
  const begun = performance.now();
  let outcome;
  try {
    outcome = { ok: true, ...(await within(limit, body())) };
  } catch (error) {
    outcome = { ok: false, detail: inspect(error, { breakLength: 120 }) };
  }
  print({ name, ms: Math.round(performance.now() - begun), ...outcome });
}

export function print(line) {
  console.log(JSON.stringify(line));
}

async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
