import {inTurn} from '../../src/node/in_turn.js';

describe('inTurn', () => {
  it('keeps the order for one key, through failures, and only for one', async () => {
    const seen: string[] = [];
    const task =
      (name: string, ms: number, fails = false) =>
      async () => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        seen.push(name);
        if (fails) throw new Error(name);
        return name;
      };
    const outcomes = await Promise.allSettled([
      inTurn('a', task('a1', 60)),
      inTurn('a', task('a2', 1, true)),
      inTurn('a', task('a3', 1)),
      inTurn('b', task('b1', 1)),
    ]);
    expect(seen).toEqual(['b1', 'a1', 'a2', 'a3']);
    expect(outcomes.map(({status}) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });
});
