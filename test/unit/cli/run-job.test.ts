import { describe, expect, it } from 'vitest';
import { unseen } from '../../../cli/run-job.ts';

describe('kept lines that were not shown', () => {
  it.each([
    [[], ['a', 'b'], ['a', 'b']],
    [['a', 'b'], ['a', 'b'], []],
    [['a', 'b', 'c'], ['b', 'c', 'd'], ['d']],
    [['x'], ['a', 'b'], ['a', 'b']],
    [['a', 'a'], ['a', 'a', 'a'], ['a']],
    [['a', 'b', 'c'], [], []],
    [['a', 'b', 'c'], ['b', 'c'], []],
  ])('after %j, of %j: %j', (shown, kept, expected) => expect(unseen(shown, kept)).toEqual(expected));
});
