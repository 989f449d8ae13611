// The npm package ws as a peer without a socket: a line of JSON in, [operation, argument], a line of JSON out.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const PerMessageDeflate = require("../node_modules/ws/lib/permessage-deflate.js");
const extension = require("../node_modules/ws/lib/extension.js");

const NAME = PerMessageDeflate.extensionName;
let client;

function transformed(how, message) {
  const data = Buffer.from(message, "base64");
  return new Promise((resolve, reject) => {
    client[how](data, true, (error, result) => (error ? reject(error) : resolve(result.toString("base64"))));
  });
}

const OPERATIONS = {
  /** A new client with these options: its header. */
  offer(options) {
    client?.cleanup();
    client = new PerMessageDeflate({ isServer: false, maxPayload: 0, ...options });
    return extension.format({ [NAME]: client.offer() });
  },
  /** What the client makes of the answer's header. */
  accept: (header) => client.accept(extension.parse(header)[NAME]),
  /** Any header as ws reads it; its parser throws at what is no header. */
  parse: (header) => extension.parse(header),
  compress: (message) => transformed("compress", message),
  decompress: (message) => transformed("decompress", message),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [operation, argument] = JSON.parse(line);
  let answer;
  try {
    answer = { result: await OPERATIONS[operation](argument) };
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
}
client?.cleanup();
