import { computed, signal } from '@preact/signals';
import { type ChatMessage, type Participant, type Room, RoomEvent } from 'livekit-client';

/** The topic of chat in LiveKit's text streams, shared with its other clients. */
const TOPIC = 'lk.chat';

/** Longest message in characters. */
export const LONGEST_MESSAGE = 2000;

/** Messages kept on screen; nothing is kept anywhere else. */
const MOST = 500;

/** A message as shown. */
export interface Message {
  id: string;
  identity: string;
  name: string;
  own: boolean;
  text: string;
  at: Date;
}

/** The messages of one call, in memory only. */
export class Chat {
  readonly messages = signal<readonly Message[]>([]);
  readonly seen = signal(0);
  readonly unread = computed(() => Math.max(0, this.messages.value.length - this.seen.value));

  #room: Room;
  #onMessage: (message: Message) => void;

  constructor(room: Room, onMessage: (message: Message) => void) {
    this.#room = room;
    this.#onMessage = onMessage;
    room.registerTextStreamHandler(TOPIC, async (reader, { identity }) => {
      try {
        const text = await reader.readAll();
        this.#take(reader.info.id, identity, text, new Date(reader.info.timestamp));
      } catch {
        // A message whose sender left in the middle of it is no message.
      }
    });
    // Clients that predate text streams send chat packets.
    room.on(RoomEvent.ChatMessage, (message: ChatMessage, sender?: Participant) => {
      if (sender && !sender.isLocal) {
        this.#take(message.id, sender.identity, message.message, new Date(message.timestamp));
      }
    });
  }

  /** Sends to everyone; throws when it could not be sent. */
  async send(text: string): Promise<void> {
    const sent = await this.#room.localParticipant.sendText(text, { topic: TOPIC });
    this.#add({
      id: sent.id,
      identity: this.#room.localParticipant.identity,
      name: this.#room.localParticipant.name ?? '',
      own: true,
      text,
      at: new Date(sent.timestamp),
    });
  }

  markSeen(): void {
    this.seen.value = this.messages.value.length;
  }

  #take(id: string, identity: string, text: string, at: Date): void {
    const sender = this.#room.getParticipantByIdentity(identity);
    const shown = text.slice(0, LONGEST_MESSAGE);
    if (!sender || shown.trim() === '') return;
    const message = { id, identity, name: sender.name ?? '', own: false, text: shown, at };
    this.#add(message);
    this.#onMessage(message);
  }

  #add(message: Message): void {
    const all = [...this.messages.value, message];
    const dropped = Math.max(0, all.length - MOST);
    if (dropped > 0) this.seen.value = Math.max(0, this.seen.value - dropped);
    this.messages.value = all.slice(dropped);
  }
}
