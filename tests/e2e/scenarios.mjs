// node scenarios.mjs: runs scenarios on demand, until whoever started it is gone.
//
// It prints the port of 127.0.0.1 that it listens on. Whoever connects sends one line of JSON, {scenario, variant, url,
// options}, and gets one, {error, reasons}, when the scenario is over. The server at `url` has the handlers of
// app.py, or of test_engine_clients.py; without `url` a reference server with these options is started, and `reasons`
// tells why its sockets disconnected. Scenarios may run at the same time.

import { createServer } from "node:net";
import { createInterface } from "node:readline";

import * as data from "./data.mjs";
import * as engine from "./engine.mjs";
import * as life from "./life.mjs";
import * as mixed from "./mixed.mjs";
import * as older from "./older.mjs";
import * as polling from "./polling.mjs";
import * as upgrade from "./upgrade.mjs";
import { Harness, within } from "./harness.mjs";
import { startReference } from "./reference.mjs";

const scenarios = Object.assign({}, data, life, mixed, older, polling, upgrade);
const stray = [];

async function run({ scenario, variant, url, options }) {
  const ofEngine = scenario in engine;
  const start = ofEngine ? engine.startEngine : startReference;
  const reference = url ? null : await start(options);
  const harness = new (ofEngine ? engine.EngineHarness : Harness)(variant, reference?.url ?? url);
  harness.reference = reference !== null;
  try {
    await within((ofEngine ? engine : scenarios)[scenario](harness), "the end of the scenario", 30_000);
  } finally {
    harness.close();
  }
  return (await reference?.reasons()) ?? [];
}

async function answer(line) {
  try {
    const reasons = await run(JSON.parse(line));
    return { error: stray.length ? stray.splice(0).join("\n") : null, reasons };
  } catch (error) {
    return { error: [error.stack, ...stray.splice(0)].join("\n"), reasons: [] };
  }
}

process.on("uncaughtException", (error) => stray.push(`uncaught: ${error.stack}`));
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 1_000);
const server = createServer((socket) => {
  socket.on("error", () => {});
  createInterface(socket).once("line", async (line) => socket.end(`${JSON.stringify(await answer(line))}\n`));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
