/** A piece of a message: plain text, or an address that can be followed. */
export interface Piece {
  text: string;
  href: string | null;
}

const ADDRESS = /https?:\/\/[^\s<>"']+/gi;

/** Cuts a message into text and web addresses; a full stop or bracket behind an address is not part of it. */
export function linkify(message: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of message.matchAll(ADDRESS)) {
    const address = match[0].replace(/[.,;:!?)\]}»’]+$/, '');
    if (match.index > end) pieces.push({ text: message.slice(end, match.index), href: null });
    pieces.push({ text: address, href: address });
    end = match.index + address.length;
  }
  if (end < message.length) pieces.push({ text: message.slice(end), href: null });
  return pieces;
}
