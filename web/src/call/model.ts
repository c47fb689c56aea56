import type { VideoTrack } from 'livekit-client';

/** How good a line is, in the three words that people are shown. */
export type QualityWord = 'good' | 'medium' | 'weak';

/** What a picture shows. */
export type PictureKind = 'camera' | 'second-camera' | 'screen';

/** One video that a person publishes. */
export interface Picture {
  /** The publication's id, unique in the call. */
  id: string;
  kind: PictureKind;
  /** Absent while muted or not yet received. */
  track: VideoTrack | null;
  /** The server holds it back because the line to us is too weak. */
  paused: boolean;
}

/** Someone in the call as the page shows them: a value, made anew on every change. */
export interface Person {
  identity: string;
  name: string;
  self: boolean;
  microphone: 'on' | 'muted' | 'none';
  /** Since when the hand is up, in milliseconds since 1970; null when it is down. */
  handSince: number | null;
  quality: QualityWord | null;
  pictures: readonly Picture[];
  /** When they came in, in milliseconds since 1970. */
  joinedAt: number;
}

/** One field of the stage: a person's face, or a further picture of theirs. */
export interface Tile {
  key: string;
  kind: PictureKind;
  person: Person;
  picture: Picture | null;
}

/** The two ways to look at a call. */
export type LayoutChoice = 'grid' | 'speaker';

/** Who stands large and who beside; `large` is null when all are alike. */
export interface Arrangement {
  large: Tile | null;
  others: readonly Tile[];
  /** One's own face: small over the others, or among them where it would cover one of many small faces. */
  self: 'over' | 'among';
}

/** The people of a call in a lasting order, so that faces do not jump: as they came, oneself last. */
export function inOrder(people: readonly Person[]): Person[] {
  return [...people].sort(
    (a, b) =>
      Number(a.self) - Number(b.self) || a.joinedAt - b.joinedAt || (a.identity < b.identity ? -1 : 1),
  );
}

/**
 * Everything that deserves a place on the stage. One's own face is not among it, since it has a small picture
 * of its own, and neither is one's own screen, which would show itself without end.
 */
export function tilesOf(people: readonly Person[]): Tile[] {
  return inOrder(people).flatMap((person) => [
    ...extraTiles(person),
    ...(person.self ? [] : [faceTile(person)]),
  ]);
}

/** The tile of a person's face, present even when the camera is off. */
export function faceTile(person: Person): Tile {
  const picture = person.pictures.find((candidate) => candidate.kind === 'camera') ?? null;
  return { key: `${person.identity}/face`, kind: 'camera', person, picture };
}

function extraTiles(person: Person): Tile[] {
  return person.pictures
    .filter((picture) => picture.kind === 'second-camera' || (picture.kind === 'screen' && !person.self))
    .map((picture) => ({ key: `${person.identity}/${picture.id}`, kind: picture.kind, person, picture }));
}

/** From this many tiles in a grid on, a picture laid over them hides someone. */
const MANY = 3;

/** What decides who stands large. */
export interface Wishes {
  choice: LayoutChoice;
  /** The tile that the person enlarged by hand. */
  pinned: string | null;
  /** Who spoke last, oneself excepted. */
  lastSpeaker: string | null;
}

/** Places tiles: what was pinned wins, then a shared screen, then in speaker layout whoever spoke last. */
export function arrange(tiles: readonly Tile[], wishes: Wishes): Arrangement {
  const large =
    tiles.find((tile) => tile.key === wishes.pinned) ??
    tiles.find((tile) => tile.kind === 'screen') ??
    (wishes.choice === 'speaker' ? speakerTile(tiles, wishes.lastSpeaker) : undefined);
  if (large && tiles.length > 1) {
    return { large, others: tiles.filter((tile) => tile !== large), self: 'over' };
  }
  return { large: null, others: tiles, self: tiles.length >= MANY ? 'among' : 'over' };
}

function speakerTile(tiles: readonly Tile[], lastSpeaker: string | null): Tile | undefined {
  const faces = tiles.filter((tile) => tile.kind === 'camera');
  return faces.find((tile) => tile.person.identity === lastSpeaker) ?? faces[0];
}

/** People with a hand up, who waits longest first. */
export function raisedHands(people: readonly Person[]): Person[] {
  return people
    .filter((person) => person.handSince !== null)
    .sort((a, b) => (a.handSince ?? 0) - (b.handSince ?? 0));
}

/** One or two letters that stand for a name where there is no picture. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const first = [...(words[0] ?? '')][0] ?? '';
  const last = words.length > 1 ? ([...(words[words.length - 1] ?? '')][0] ?? '') : '';
  return (first + last).toUpperCase();
}
