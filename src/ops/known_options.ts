import {refusal} from '../util/received.js';

/**
 * The options given to a layer or a function.
 *
 * @param known Their names, as the message lists them.
 * @param others Names that are allowed as well and that the message leaves out.
 * @throws Error if they are no object, or if one of them is unknown.
 */
export function knownOptions(
  given: unknown,
  known: readonly string[],
  who: string,
  others?: ReadonlySet<string>,
): Array<[name: string, value: unknown]> {
  checkIsObject(given, 'options', who);
  const entries = Object.entries(given);
  for (const [name, value] of entries) {
    if (known.includes(name) || others?.has(name)) continue;
    const what =
      known.length > 0
        ? `its options are ${known.join(', ')}`
        : 'it takes no options';
    throw refusal(who, `unknown option ${name}; ${what}`, name, value);
  }
  return entries;
}

/** @throws Error if this is no object whose properties could be options. */
export function checkIsObject(
  value: unknown,
  name: string,
  who: string,
): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return;
  }
  throw refusal(who, `${name} must be an object`, name, value);
}
