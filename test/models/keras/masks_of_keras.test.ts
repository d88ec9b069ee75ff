import {
  allOf,
  anyOf,
  behind,
  isSame,
  leaf,
  madeMask,
  shown,
} from '../../../src/models/keras/translate/masks.js';

const [a, b] = [leaf('a', 'first'), leaf('b', 'second')];

describe('masks of Keras, joined', () => {
  it('cover what all of them cover, or nothing if one is missing', () => {
    expect(anyOf([a, b])).toEqual({
      key: 'any(a, b)',
      leaves: ['a', 'b'],
      maker: 'first',
    });
    expect(anyOf([a, a])?.key).toBe('a');
    expect(anyOf([a, undefined])).toMatchObject({isOpen: true, maker: 'first'});
    expect(anyOf([undefined, b])).toMatchObject({
      isOpen: true,
      maker: 'second',
    });
    expect(anyOf([undefined, undefined])).toBeUndefined();
  });

  it('cover what any of them covers', () => {
    expect(allOf([b, a])?.key).toBe('all(a, b)');
    expect(allOf([undefined, b])?.key).toBe('b');
    expect(shown(allOf([anyOf([a, undefined])]))).toBeUndefined();
  });

  it('are concatenated', () => {
    expect(behind([a, undefined])?.key).toBe('(a then )');
    expect(behind([undefined, undefined])).toBeUndefined();
    expect(shown(behind([anyOf([a, undefined])]))).toBeUndefined();
  });

  it('are distinguished by the positions they cover', () => {
    expect(isSame(a, leaf('a', 'third'))).toBe(true);
    expect(isSame(a, b)).toBe(false);
    expect(isSame(anyOf([a, undefined]), undefined)).toBe(true);
  });

  it('are made by Masking and by Embedding with mask_zero', () => {
    const of = (className: string, config: object): string | undefined =>
      madeMask({className, name: 'n', config: {...config}}, 'x')?.key;
    expect(of('Masking', {})).toBe('any 0 in x');
    expect(of('Masking', {mask_value: 3})).toBe('any 3 in x');
    expect(of('Embedding', {mask_zero: true})).toBe('0 in x');
    expect(of('Embedding', {mask_zero: false})).toBeUndefined();
    expect(of('Dense', {})).toBeUndefined();
  });
});
