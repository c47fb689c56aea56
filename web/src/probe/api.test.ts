import { expect, test } from 'vitest';
import { readJudgement, readTicket } from './api';

test('a ticket needs an id, a token and an address', () => {
  const ticket = { id: 'test_1', token: 't', ws_url: 'wss://x/probe', expires_at: '2031-05-06T07:15:00Z' };
  expect(readTicket(ticket)).toMatchObject({ id: 'test_1', token: 't', wsUrl: 'wss://x/probe' });
  for (const missing of ['id', 'token', 'ws_url'])
    expect(readTicket({ ...ticket, [missing]: null })).toBeNull();
});

test('a judgement has a verdict that the page knows, and advice in its order', () => {
  const answer = {
    verdict: 'video_low',
    reason: 'relay_only',
    advice: [{ code: 'open_udp_media', ports: ['10000/udp', 7] }, { code: 'other_browser' }, {}, 'x'],
  };
  expect(readJudgement(answer)).toEqual({
    verdict: 'video_low',
    reason: 'relay_only',
    advice: [
      { code: 'open_udp_media', ports: ['10000/udp'] },
      { code: 'other_browser', ports: [] },
    ],
  });
  expect(readJudgement({ ...answer, verdict: 'splendid' })).toBeNull();
  expect(readJudgement(null)).toBeNull();
});
