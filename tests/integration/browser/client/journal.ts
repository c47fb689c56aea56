/** What happened in the call, in order, with the wall time in milliseconds: the tests read times off it. */

import { RoomEvent, type Participant, type Room, type TrackPublication } from "livekit-client";

export interface Entry {
  at: number;
  event: string;
  [field: string]: unknown;
}

interface Waiter {
  event: string;
  fields: Record<string, unknown>;
  resolve: (entry: Entry) => void;
}

export class Journal {
  readonly entries: Entry[] = [];
  #waiters: Waiter[] = [];

  write(event: string, fields: Record<string, unknown> = {}): void {
    const entry = { at: performance.timeOrigin + performance.now(), event, ...fields };
    this.entries.push(entry);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!matches(entry, waiter.event, waiter.fields)) return true;
      waiter.resolve(entry);
      return false;
    });
  }

  happened(event: string, fields: Record<string, unknown>, from: number, timeoutMs: number): Promise<Entry> {
    const known = this.entries.slice(from).find((entry) => matches(entry, event, fields));
    if (known) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const waiter = { event, fields, resolve };
      this.#waiters.push(waiter);
      setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        const seen = this.entries.slice(from).map((entry) => entry.event);
        reject(new Error(`no ${event} ${JSON.stringify(fields)} within ${timeoutMs} ms; seen: ${seen.join(" ")}`));
      }, timeoutMs);
    });
  }

  /** Writes down what this room tells, under the names of livekit-client's own events. */
  follow(room: Room): void {
    const onTrack = (event: RoomEvent) => (publication: TrackPublication, participant: Participant) =>
      this.write(event, of(publication, participant));
    room
      .on(RoomEvent.Connected, () => this.write("connected"))
      .on(RoomEvent.SignalReconnecting, () => this.write("signalReconnecting"))
      .on(RoomEvent.Reconnecting, () => this.write("reconnecting"))
      .on(RoomEvent.Reconnected, () => this.write("reconnected"))
      .on(RoomEvent.Moved, (name) => this.write("moved", { name }))
      .on(RoomEvent.Disconnected, (reason) => this.write("disconnected", { reason: reason ?? null }))
      .on(RoomEvent.ParticipantConnected, (who) => this.write("participantConnected", { identity: who.identity }))
      .on(RoomEvent.ParticipantDisconnected, (who) => this.write("participantDisconnected", { identity: who.identity }))
      .on(RoomEvent.TrackPublished, onTrack(RoomEvent.TrackPublished))
      .on(RoomEvent.TrackUnpublished, onTrack(RoomEvent.TrackUnpublished))
      .on(RoomEvent.TrackMuted, onTrack(RoomEvent.TrackMuted))
      .on(RoomEvent.TrackUnmuted, onTrack(RoomEvent.TrackUnmuted))
      .on(RoomEvent.LocalTrackUnpublished, onTrack(RoomEvent.LocalTrackUnpublished))
      .on(RoomEvent.TrackSubscribed, (_, publication, who) => this.write("trackSubscribed", of(publication, who)))
      .on(RoomEvent.TrackUnsubscribed, (_, publication, who) => this.write("trackUnsubscribed", of(publication, who)))
      .on(RoomEvent.TrackSubscriptionPermissionChanged, (publication, status, who) =>
        this.write("trackSubscriptionPermissionChanged", { ...of(publication, who), status }),
      )
      .on(RoomEvent.TrackStreamStateChanged, (publication, state, who) =>
        this.write("trackStreamStateChanged", { ...of(publication, who), state }),
      )
      .on(RoomEvent.ActiveSpeakersChanged, (speakers) =>
        this.write("activeSpeakersChanged", { identities: speakers.map((who) => who.identity) }),
      )
      .on(RoomEvent.ConnectionQualityChanged, (quality, who) =>
        this.write("connectionQualityChanged", { identity: who.identity, quality }),
      )
      .on(RoomEvent.ParticipantAttributesChanged, (changed, who) =>
        this.write("participantAttributesChanged", { identity: who.identity, ...changed }),
      )
      .on(RoomEvent.ParticipantMetadataChanged, (_, who) =>
        this.write("participantMetadataChanged", { identity: who.identity, metadata: who.metadata }),
      )
      .on(RoomEvent.ParticipantNameChanged, (name, who) =>
        this.write("participantNameChanged", { identity: who.identity, name }),
      )
      .on(RoomEvent.ParticipantPermissionsChanged, (_, who) =>
        this.write("participantPermissionsChanged", { identity: who.identity }),
      )
      .on(RoomEvent.DataReceived, (payload, who, _kind, topic) =>
        this.write("dataReceived", {
          text: new TextDecoder().decode(payload),
          identity: who?.identity ?? null,
          topic: topic ?? null,
        }),
      )
      .on(RoomEvent.ChatMessage, (message, who) =>
        this.write("chatMessage", { text: message.message, identity: who?.identity ?? null }),
      )
      .on(RoomEvent.EncryptionError, (error) => this.write("encryptionError", { text: error.message }));
  }
}

function of(publication: TrackPublication, participant: Participant) {
  return { identity: participant.identity, source: publication.source, sid: publication.trackSid };
}

function matches(entry: Entry, event: string, fields: Record<string, unknown>): boolean {
  return (
    entry.event === event &&
    Object.entries(fields).every(([name, value]) => JSON.stringify(entry[name]) === JSON.stringify(value))
  );
}
