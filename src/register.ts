import {keepRegistered, registerAgain} from './layer_support/registration.js';
import {checkBoolean, takeOptions} from './layer_support/options.js';
import {FAMILY} from '../layers/family.js';

/** Options of {@link register}. */
export interface RegisterOptions {
  /** Take the names that other classes hold. Defaults to false. */
  readonly override?: boolean;
}

/**
 * Registers every layer of this package with tf.js, so that models with them
 * load. Importing the package does it, but a bundler drops layers that the program does not
 * name, other than BatchNorm and LayerNorm: calling this keeps them all. It also takes
 * back a name that another class has taken before or since.
 *
 * ```js
 * register({override: true});
 * ```
 *
 * @param options `override` (false): take the names that other classes hold.
 * @throws Error if an option is unknown, or `override` is not a boolean.
 */
export function register(options: RegisterOptions = {}): void {
  const {override = false} = takeOptions(
    options,
    {override: checkBoolean},
    'register',
  );
  keepRegistered(FAMILY);
  registerAgain(override);
}
