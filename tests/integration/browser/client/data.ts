/** Messages between participants: packets, chat, text streams and remote calls. */

import type { Room } from "livekit-client";
import type { Journal } from "./journal";

export interface DataOptions {
  reliable?: boolean;
  topic?: string;
  to?: string[];
}

export async function send(room: Room, text: string, options: DataOptions = {}): Promise<void> {
  const { reliable = true, topic, to } = options;
  await room.localParticipant.publishData(new TextEncoder().encode(text), {
    reliable,
    topic,
    destinationIdentities: to,
  });
}

export async function chat(room: Room, text: string): Promise<void> {
  await room.localParticipant.sendChatMessage(text);
}

export async function text(room: Room, content: string, topic: string, to?: string[]): Promise<void> {
  await room.localParticipant.sendText(content, { topic, destinationIdentities: to });
}

export function hearText(room: Room, topic: string, journal: Journal): void {
  room.registerTextStreamHandler(topic, async (reader, sender) => {
    journal.write("textReceived", { text: await reader.readAll(), identity: sender.identity, topic });
  });
}

/** Answers calls of this method with the caller's identity and payload, so that the test sees both. */
export function answerRpc(room: Room, method: string): void {
  room.registerRpcMethod(method, async (call) => `${call.callerIdentity}:${call.payload}`);
}

export function callRpc(room: Room, to: string, method: string, payload: string): Promise<string> {
  return room.localParticipant.performRpc({ destinationIdentity: to, method, payload });
}
