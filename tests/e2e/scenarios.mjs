// node scenarios.mjs VERSION URL SCENARIO
//
// Runs one scenario with socket.io-client VERSION (3 or 4) against a server with the handlers of app.py and
// exits 0, or 1 with a message. URL "reference" starts the reference server in this process; SCENARIO "all"
// runs every one. At the end it prints, as JSON, why the reference's sockets disconnected in each scenario.

import * as data from "./data.mjs";
import * as life from "./life.mjs";
import { Harness, within } from "./harness.mjs";
import { startReference } from "./reference.mjs";

const isScenario = ([, value]) => typeof value === "function";
const scenarios = Object.fromEntries([...Object.entries(data), ...Object.entries(life)].filter(isScenario));

async function run(version, url, name) {
  const reference = url === "reference" ? await startReference(name) : null;
  const harness = new Harness(Number(version), reference?.url ?? url);
  harness.tolerant = reference === null;
  try {
    await within(scenarios[name](harness), "the end of the scenario", 30_000);
  } finally {
    harness.close();
  }
  return reference?.reasons();
}

const [version, url, wanted] = process.argv.slice(2);
const reasons = {};
for (const name of wanted === "all" ? Object.keys(scenarios) : [wanted]) {
  try {
    reasons[name] = await run(version, url, name);
  } catch (error) {
    console.error(`${name} with client ${version}: ${error.stack}`);
    process.exit(1);
  }
}
console.log(JSON.stringify(reasons));
