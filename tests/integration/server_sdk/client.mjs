// Calls methods of the server SDK, one for each line of the input, and writes what comes of each in a line:
// {"method": "listRooms", "values": [["visit"]]} -> {"answer": [...]} or {"status": 404, "code": "not_found"}.
import { createInterface } from "node:readline";
import { RoomServiceClient } from "livekit-server-sdk";

const [url, key, secret] = process.argv.slice(2);
const client = new RoomServiceClient(url, key, secret);

for await (const line of createInterface({ input: process.stdin })) {
  const { method, values } = JSON.parse(line, revive);
  console.log(JSON.stringify(await call(method, values)));
}

async function call(method, values) {
  try {
    return { answer: (await client[method](...values)) ?? null };
  } catch (error) {
    return { status: error.status ?? 0, code: error.code ?? "", message: String(error.message) };
  }
}

/** JSON has no bytes: {"text": "hello"} stands for those of a text. */
function revive(_name, value) {
  return typeof value?.text === "string" ? new TextEncoder().encode(value.text) : value;
}
