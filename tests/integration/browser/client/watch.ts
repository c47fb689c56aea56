/** What this participant receives and how well, read from the browser's own statistics. */

import { Track, VideoQuality, type RemoteTrackPublication, type Room } from "livekit-client";

export type Quality = "low" | "medium" | "high";

const QUALITIES: Record<Quality, VideoQuality> = {
  low: VideoQuality.LOW,
  medium: VideoQuality.MEDIUM,
  high: VideoQuality.HIGH,
};

export function roster(room: Room) {
  return [...room.remoteParticipants.values()].map((who) => ({
    identity: who.identity,
    name: who.name,
    metadata: who.metadata,
    attributes: who.attributes,
    quality: who.connectionQuality,
    tracks: [...who.trackPublications.values()].map((publication) => ({
      source: publication.source,
      sid: publication.trackSid,
      muted: publication.isMuted,
      subscribed: publication.isSubscribed,
      simulcast: publication.simulcasted,
      mime: publication.mimeType,
    })),
  }));
}

export function publication(room: Room, identity: string, source: Track.Source): RemoteTrackPublication {
  const found = room.remoteParticipants.get(identity)?.getTrackPublication(source);
  if (!found) throw new Error(`${identity} publishes nothing as ${source}`);
  return found as RemoteTrackPublication;
}

export function setQuality(room: Room, identity: string, source: Track.Source, quality: Quality): void {
  publication(room, identity, source).setVideoQuality(QUALITIES[quality]);
}

/** The inbound stream of a subscribed track: RTCInboundRtpStreamStats, plus the codec's name. */
export async function receiving(room: Room, identity: string, source: Track.Source) {
  const report = await publication(room, identity, source).track?.getRTCStatsReport();
  return inbound(report);
}

/** The outbound streams of an own track, one per encoding: RTCOutboundRtpStreamStats, plus the codec's name. */
export async function sending(room: Room, source: Track.Source) {
  const report = await room.localParticipant.getTrackPublication(source)?.track?.getRTCStatsReport();
  const entries = [...(report?.values() ?? [])];
  return entries.filter((entry) => entry.type === "outbound-rtp").map((entry) => named(entry, entries));
}

export async function transport(room: Room) {
  const own = [...room.localParticipant.trackPublications.values()].map((one) => one.track);
  const remote = [...room.remoteParticipants.values()].flatMap((who) =>
    [...who.trackPublications.values()].map((one) => one.track),
  );
  for (const track of [...own, ...remote]) {
    const report = await track?.getRTCStatsReport();
    for (const entry of report?.values() ?? []) if (entry.type === "transport") return entry;
  }
  return null;
}

/** Our end of the way that media takes: what kind of address, and for a relay how it is reached. */
export async function way(room: Room) {
  for (const { track } of room.localParticipant.trackPublications.values()) {
    const report = await track?.getRTCStatsReport();
    for (const entry of report?.values() ?? []) {
      if (entry.type !== "transport" || !entry.selectedCandidatePairId) continue;
      const local = report?.get(report.get(entry.selectedCandidatePairId).localCandidateId);
      return { type: local.candidateType, protocol: local.relayProtocol ?? null, url: local.url ?? null };
    }
  }
  return null;
}

function inbound(report: RTCStatsReport | undefined) {
  const entries = [...(report?.values() ?? [])];
  const stream = entries.find((entry) => entry.type === "inbound-rtp");
  return stream ? named(stream, entries) : null;
}

function named(stream: { codecId?: string }, entries: { id: string; mimeType?: string }[]) {
  return { ...stream, mimeType: entries.find((entry) => entry.id === stream.codecId)?.mimeType ?? null };
}
