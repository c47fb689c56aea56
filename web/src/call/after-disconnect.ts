import { DisconnectReason } from 'livekit-client';
import type { Refusal, RefusalCode } from '../api/refusal';
import type { Ending } from '../app/screen';

/** What follows the end of a connection: the end of the call for this person, or another try. */
export type Next = { end: Ending } | 'rejoin';

/** Decides by the server's reason; whatever is not a decision about this person is an accident, and tried again. */
export function afterDisconnect(reason: DisconnectReason | undefined): Next {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return { end: { how: 'left' } };
    case DisconnectReason.DUPLICATE_IDENTITY:
      return { end: { how: 'elsewhere' } };
    case DisconnectReason.PARTICIPANT_REMOVED:
      return { end: { how: 'removed' } };
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return { end: { how: 'closed' } };
    default:
      return 'rejoin';
  }
}

const FINAL: Readonly<Partial<Record<RefusalCode, Ending>>> = {
  revoked: { how: 'removed' },
  'too-late': { how: 'over' },
  cancelled: { how: 'over' },
  'not-found': { how: 'over' },
};

/** What a refusal means for someone who was in the call a moment ago: its end, or null for another try. */
export function afterRefusedRejoin(refusal: Refusal): Ending | null {
  return FINAL[refusal.code] ?? null;
}
