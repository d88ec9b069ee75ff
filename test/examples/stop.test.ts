import {Stop} from '../../examples/digits/stop.js';

describe('Stop', () => {
  it('stops at the first press and ends at the second', () => {
    const end = jest.fn();
    let time = 0;
    const stop = new Stop(end, () => time);
    expect(stop.requested).toBe(false);
    stop.press();
    expect(stop.requested).toBe(true);
    time = 2000;
    expect(end).not.toHaveBeenCalled();
    stop.press();
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('takes the signal that npm passes on as the same press', () => {
    const end = jest.fn();
    let time = 0;
    const stop = new Stop(end, () => time);
    stop.press();
    time = 20;
    stop.press();
    expect(end).not.toHaveBeenCalled();
  });
});
