import { batch, signal } from '@preact/signals';
import {
  DisconnectReason,
  type LocalTrackPublication,
  type Participant,
  Room,
  RoomEvent,
  Track,
  type TrackPublication,
} from 'livekit-client';
import type { Admission } from '../api/answers';
import { pause } from '../app/retry';
import type { CallProps } from '../app/screen';
import { t } from '../i18n';
import { announce } from '../ui/live';
import { afterDisconnect, afterRefusedRejoin } from './after-disconnect';
import { ANNOUNCED, type Announcement, readAnnouncement } from './announcements';
import { Chat } from './chat';
import { comings } from './comings';
import type { Person } from './model';
import { OwnMedia } from './own-media';
import { isLive } from './own-screen';
import { type GroupPlace, readPlace, wordsForPlace } from './place';
import { ALL_RIGHTS, moderatesNow, type Rights, rightsOf } from './rights';
import { ROOM_OPTIONS } from './room-options';
import { HAND, peopleOf } from './snapshot';
import { Toasts } from './toasts';

/** What is said of one person in passing. */
type SaidOfSomeone = 'notice.entered' | 'notice.left' | 'notice.hand' | 'notice.shares';

/** How long words about where one is now stay, in milliseconds: everything on the screen has changed with them. */
const MOVED_STAY = 12_000;

/** After a move others move too; for so long, in milliseconds, their coming and going is not mentioned. */
const SETTLING = 3000;

/**
 * Where the connection stands. `resuming`: the link to the service is cut and media goes on;
 * `reconnecting`: media is cut too.
 */
export type Phase = 'connecting' | 'connected' | 'resuming' | 'reconnecting';

/**
 * One person's time in one call, from the first connection to the end, through any number of lost lines.
 *
 * It turns LiveKit's objects and events into values that the views show. The room object stays the same all
 * the time; when LiveKit gives up, the session fetches a fresh token and connects it again, for as long as the
 * page is open.
 */
export class CallSession {
  readonly phase = signal<Phase>('connecting');
  readonly people = signal<readonly Person[]>([]);
  /** Identities of those who speak now. */
  readonly speaking = signal<ReadonlySet<string>>(new Set());
  /** Who spoke last, oneself excepted. */
  readonly lastSpeaker = signal<string | null>(null);
  readonly soundBlocked = signal(false);
  readonly rights = signal(ALL_RIGHTS);
  /** Whether the service says that this person moderates; null before it has said anything. */
  readonly moderates = signal<boolean | null>(null);
  /** The sub-group that this person is in; null in the room itself. */
  readonly place = signal<GroupPlace | null>(null);
  /** The newest of what was said to everybody, until it was read. */
  readonly announcement = signal<Announcement | null>(null);
  readonly toasts = new Toasts();
  readonly room: Room;
  readonly media: OwnMedia;
  readonly chat: Chat;

  #props: CallProps;
  #over = false;
  #joining = false;
  #snapshotDue = false;
  #movedAt = Number.NEGATIVE_INFINITY;
  /** Who went to another group since the last picture. */
  #regrouped = new Set<string>();
  #wake: (() => void) | null = null;

  constructor(props: CallProps) {
    this.#props = props;
    this.room = new Room(ROOM_OPTIONS);
    this.media = new OwnMedia(this.room, props.luggage, () => this.toasts.say(t('notice.share-stopped')));
    this.chat = new Chat(this.room, (message) => {
      this.toasts.say(t('notice.message', { name: message.name || t('call.nameless'), text: message.text }));
    });
    this.media.refresh();
    this.#listen();
  }

  /** Connects, and keeps trying until it works, the service refuses for good, or the person leaves. */
  async start(): Promise<void> {
    window.addEventListener('pagehide', this.#onPageHide);
    window.addEventListener('online', this.#tryNow);
    document.addEventListener('visibilitychange', this.#tryNow);
    await this.#connect(this.#props.admission);
  }

  /** Leaves for good; the devices are let go. */
  async leave(): Promise<void> {
    this.#end(() => this.#props.onEnd({ how: 'left' }));
  }

  async setHand(up: boolean): Promise<void> {
    await this.room.localParticipant.setAttributes({ [HAND]: up ? new Date().toISOString() : '' });
  }

  /** Starts sound and pictures that the browser held back; must be called from a click. */
  async allowSound(): Promise<void> {
    await this.room.startAudio();
    await this.room.startVideo();
  }

  /** Tries with fresh tokens until one connection stands; without a first token it pauses before asking for one. */
  async #connect(admission: Admission | null): Promise<void> {
    this.#joining = true;
    let next = admission;
    for (let failures = 0; !this.#over; failures++) {
      if (next && (await this.#connectOnce(next))) break;
      await this.#nap(pause(failures, Math.random()));
      next = this.#over ? null : await this.#freshAdmission();
    }
    this.#joining = false;
  }

  async #freshAdmission(): Promise<Admission | null> {
    const outcome = await this.#props.rejoin();
    if (outcome.ok) return outcome.value;
    const ending = afterRefusedRejoin(outcome.refusal);
    if (ending) this.#end(() => this.#props.onEnd(ending));
    return null;
  }

  async #connectOnce(admission: Admission): Promise<boolean> {
    try {
      await this.room.connect(admission.wsUrl, admission.token);
    } catch {
      return false;
    }
    if (this.#over) {
      await this.room.disconnect(false);
      return true;
    }
    const again = this.phase.value === 'reconnecting';
    this.phase.value = 'connected';
    this.#snapshot();
    if (again) this.toasts.say(t('notice.reconnected'));
    this.#letGoAtFirst();
    void this.#publish();
    return true;
  }

  /** What may not be sent here is not captured either, whatever was tried out before the call. */
  #letGoAtFirst(): void {
    const rights = this.rights.value;
    for (const what of ['camera', 'microphone', 'screen'] as const) if (!rights[what]) this.media.letGo(what);
    if (!rights.pictures) this.toasts.say(t('notice.audio-only'));
  }

  async #publish(): Promise<void> {
    const { screenLost } = await this.media.publish();
    if (screenLost && !this.#over) this.toasts.say(t('notice.share-stopped'), 'warning');
  }

  #listen(): void {
    const refresh = () => this.#snapshotSoon();
    const events = [
      RoomEvent.ParticipantConnected,
      RoomEvent.ParticipantDisconnected,
      RoomEvent.TrackPublished,
      RoomEvent.TrackUnpublished,
      RoomEvent.TrackSubscribed,
      RoomEvent.TrackUnsubscribed,
      RoomEvent.TrackMuted,
      RoomEvent.TrackUnmuted,
      RoomEvent.TrackStreamStateChanged,
      RoomEvent.LocalTrackPublished,
      RoomEvent.LocalTrackUnpublished,
      RoomEvent.ParticipantNameChanged,
      RoomEvent.ParticipantPermissionsChanged,
      RoomEvent.ConnectionQualityChanged,
      RoomEvent.Connected,
      RoomEvent.Reconnected,
      RoomEvent.Moved,
      RoomEvent.RoomMetadataChanged,
    ] as const;
    for (const event of events) this.room.on(event, refresh);
    this.room
      .on(RoomEvent.ParticipantAttributesChanged, (changed, someone) => {
        if (changed[HAND] && !someone.isLocal) this.#said('notice.hand', someone);
        this.#snapshotSoon();
      })
      .on(RoomEvent.TrackSubscribed, (_track, publication, someone) => {
        if (publication.source === Track.Source.ScreenShare) this.#said('notice.shares', someone);
      })
      .on(RoomEvent.ParticipantDisconnected, (someone, reason) => {
        if (reason === DisconnectReason.MIGRATION) this.#regrouped.add(someone.identity);
      })
      .on(RoomEvent.DataReceived, (payload, sender, _kind, topic) => {
        if (topic === ANNOUNCED && !sender) this.#announced(readAnnouncement(payload));
      })
      .on(RoomEvent.ActiveSpeakersChanged, (speakers) => this.#heard(speakers))
      .on(RoomEvent.TrackMuted, (publication, someone) => this.#mutedByHost(publication, someone))
      .on(RoomEvent.LocalTrackPublished, (publication) => this.#shareChanged(publication, true))
      .on(RoomEvent.LocalTrackUnpublished, (publication) => this.#shareChanged(publication, false))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.soundBlocked.value = !this.room.canPlaybackAudio;
      })
      .on(RoomEvent.SignalReconnecting, () => {
        // Between two tries of a full reconnection the library speaks of resuming; media stays cut all the while.
        if (this.phase.value !== 'reconnecting') this.#enterPhase('resuming');
      })
      .on(RoomEvent.Reconnecting, () => this.#enterPhase('reconnecting'))
      .on(RoomEvent.Reconnected, () => {
        // A link restored while media went on is nothing that anyone noticed.
        if (this.phase.value === 'reconnecting') this.toasts.say(t('notice.reconnected'));
        this.#enterPhase('connected');
      })
      .on(RoomEvent.Disconnected, (reason) => this.#disconnected(reason));
  }

  #enterPhase(phase: Phase): void {
    if (!this.#over) this.phase.value = phase;
  }

  #disconnected(reason: DisconnectReason | undefined): void {
    if (this.#over || this.#joining) return;
    const next = afterDisconnect(reason);
    if (next !== 'rejoin') {
      this.#end(() => this.#props.onEnd(next.end));
      return;
    }
    this.phase.value = 'reconnecting';
    void this.#connect(null);
  }

  #end(after: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#tryNow();
    window.removeEventListener('pagehide', this.#onPageHide);
    window.removeEventListener('online', this.#tryNow);
    document.removeEventListener('visibilitychange', this.#tryNow);
    this.media.stop();
    void this.room.disconnect(true).catch(() => undefined);
    after();
  }

  /** Tells the others at once that this person is gone, rather than after the service has missed them. */
  readonly #onPageHide = (event: PageTransitionEvent) => {
    if (!event.persisted) void this.room.disconnect(true).catch(() => undefined);
  };

  /** Ends a pause between two tries: the network is back, the phone was unlocked, or the person left. */
  readonly #tryNow = () => {
    if (document.visibilityState === 'visible' || this.#over) this.#wake?.();
  };

  #nap(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #heard(speakers: readonly Participant[]): void {
    const loudest = speakers.find((speaker) => !speaker.isLocal);
    batch(() => {
      this.speaking.value = new Set(speakers.map((speaker) => speaker.identity));
      if (loudest) this.lastSpeaker.value = loudest.identity;
    });
  }

  #mutedByHost(publication: TrackPublication, someone: Participant): void {
    if (!someone.isLocal) return;
    const { busy } = this.media;
    if (publication.source === Track.Source.Microphone && !busy.value.has('microphone')) {
      const may = rightsOf(this.room, this.#props.visit.invitation.features).unmute;
      this.toasts.say(t(may ? 'notice.muted-by-host' : 'notice.may-not-unmute'), 'warning');
    }
    if (publication.source === Track.Source.Camera && !busy.value.has('camera')) {
      this.toasts.say(t('notice.camera-cut-by-host'), 'warning');
    }
  }

  /** Says what a moderator forbade or allowed again, and lets go of what may not be sent any more. */
  #rightsChanged(before: Rights, after: Rights): void {
    for (const what of ['camera', 'microphone', 'screen'] as const) {
      if (before[what] === after[what]) continue;
      if (!after[what]) this.media.letGo(what);
      if (!after.pictures && what !== 'microphone') continue;
      this.toasts.say(
        t(after[what] ? `notice.allowed.${what}` : `notice.forbidden.${what}`),
        after[what] ? 'info' : 'warning',
      );
    }
    if (before.pictures && !after.pictures) this.toasts.say(t('notice.audio-only'), 'warning');
    if (!before.unmute && after.unmute) this.toasts.say(t('notice.may-unmute'));
  }

  #shareChanged(publication: LocalTrackPublication, started: boolean): void {
    if (publication.source !== Track.Source.ScreenShare || this.phase.value !== 'connected') return;
    // A capture that goes on was taken off by a lost connection, and is sent again by the next one.
    if (!started && publication.track && isLive(publication.track)) return;
    this.toasts.say(t(started ? 'notice.share-started' : 'notice.share-stopped'));
  }

  /** Shows what was said to everybody; whoever said it knows it already. */
  #announced(announcement: Announcement | null): void {
    if (!announcement || announcement.by === this.room.localParticipant.identity) return;
    this.announcement.value = announcement;
    const { name, text } = announcement;
    announce(name ? t('announce.said', { name, text }) : t('announce.said-nameless', { text }));
  }

  #said(key: SaidOfSomeone, someone: { name?: string | undefined }): void {
    this.toasts.say(t(key, { name: someone.name || t('call.nameless') }));
  }

  /** Says where this person is now, if that is somewhere else than before. */
  #sayWhere(place: GroupPlace | null): void {
    if (place?.id === this.place.value?.id) return;
    this.#movedAt = Date.now();
    this.toasts.say(wordsForPlace(place), 'info', MOVED_STAY);
  }

  #sayComings(before: readonly Person[], people: readonly Person[]): void {
    if (Date.now() - this.#movedAt < SETTLING) return;
    const { entered, left } = comings(before, people);
    for (const person of entered) this.#said('notice.entered', person);
    for (const person of left) {
      if (this.#regrouped.has(person.identity)) this.toasts.say(t('notice.regrouped'));
      else this.#said('notice.left', person);
    }
  }

  /** Many events come at once; one picture is made of them all. */
  #snapshotSoon(): void {
    if (this.#snapshotDue) return;
    this.#snapshotDue = true;
    queueMicrotask(() => {
      this.#snapshotDue = false;
      this.#snapshot();
    });
  }

  /**
   * While media is cut the last picture stays: the library forgets everyone until it is connected again, and a
   * person who reads "you are alone" would leave.
   */
  #snapshot(): void {
    if (this.phase.value === 'connecting' || this.phase.value === 'reconnecting') return;
    const before = this.people.value;
    const people = peopleOf(this.room);
    const place = readPlace(this.room.metadata);
    this.#sayWhere(place);
    if (before.length > 0) this.#sayComings(before, people);
    this.#regrouped.clear();
    const rights = rightsOf(this.room, this.#props.visit.invitation.features);
    if (before.length > 0) this.#rightsChanged(this.rights.value, rights);
    batch(() => {
      this.people.value = people;
      this.place.value = place;
      this.moderates.value = moderatesNow(this.room);
      this.rights.value = rights;
      this.media.refresh();
    });
  }
}
