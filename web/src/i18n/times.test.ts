import { describe, expect, test } from 'vitest';
import { en } from './en';
import { fr } from './fr';
import { clockTime, moment } from './times';

const now = new Date(2026, 10, 23, 8, 0);

describe('a clock time', () => {
  test.each([
    [new Date(2026, 10, 23, 14, 5), '14 h 05', '2:05 pm'],
    [new Date(2026, 10, 23, 0, 0), '0 h 00', '12:00 am'],
  ])('%s', (at, french, english) => {
    expect(clockTime(at, 'fr')).toBe(french);
    expect(clockTime(at, 'en')).toBe(english);
  });
});

describe('a moment', () => {
  test.each([
    [new Date(2026, 10, 23, 14, 30), 'aujourd’hui à 14 h 30', 'today at 2:30 pm'],
    [new Date(2026, 10, 24, 9, 0), 'demain à 9 h 00', 'tomorrow at 9:00 am'],
    [new Date(2026, 10, 22, 23, 59), 'hier à 23 h 59', 'yesterday at 11:59 pm'],
    [new Date(2026, 11, 1, 9, 0), 'le mardi 1er décembre à 9 h 00', 'Tuesday 1 December at 9:00 am'],
    [new Date(2027, 0, 4, 9, 0), 'le lundi 4 janvier 2027 à 9 h 00', 'Monday 4 January 2027 at 9:00 am'],
  ])('%s', (at, french, english) => {
    expect(moment(at, now, 'fr', fr)).toBe(french);
    expect(moment(at, now, 'en', en)).toBe(english);
  });

  test('a quarter of an hour past midnight is tomorrow even when it is near', () => {
    const late = new Date(2026, 10, 23, 23, 50);
    expect(moment(new Date(2026, 10, 24, 0, 15), late, 'fr', fr)).toBe('demain à 0 h 15');
  });
});
