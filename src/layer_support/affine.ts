import {checkEpsilon} from '../ops/norm_options.js';
import type {OptionDescription, ParameterDescription} from './description.js';
import type {
  Constraint,
  Initializer,
  ObjectOption,
  Regularizer,
} from './objects.js';
import {checkBoolean, type LayerArgs} from './options.js';

/** Options of the layers that scale by gamma and shift by beta. */
export interface AffineArgs extends LayerArgs {
  /** Added to the variance before its root is taken. Above 0. Defaults to 1e-3. */
  epsilon?: number;
  /** If true, beta is added. Defaults to true. */
  center?: boolean;
  /** If true, the result is multiplied by gamma. Defaults to true. */
  scale?: boolean;
  /** Initializer of beta. Defaults to `'zeros'`. */
  betaInitializer?: ObjectOption<Initializer>;
  /** Initializer of gamma. Defaults to `'ones'`. */
  gammaInitializer?: ObjectOption<Initializer>;
  /** Regularizer of beta. Defaults to none. */
  betaRegularizer?: ObjectOption<Regularizer>;
  /** Regularizer of gamma. Defaults to none. */
  gammaRegularizer?: ObjectOption<Regularizer>;
  /** Constraint that beta holds after every update. Defaults to none. */
  betaConstraint?: ObjectOption<Constraint>;
  /** Constraint that gamma holds after every update. Defaults to none. */
  gammaConstraint?: ObjectOption<Constraint>;
}

/** `epsilon`, whose default differs by layer. */
export function epsilonOption(otherwise: number): OptionDescription<number> {
  return {
    default: otherwise,
    check: (value, _, who) => {
      checkEpsilon(value, who);
    },
  };
}

/** `center` and `scale`. */
export const AFFINE_OPTIONS: Readonly<
  Record<'center' | 'scale', OptionDescription<boolean>>
> = {
  center: {default: true, check: checkBoolean},
  scale: {default: true, check: checkBoolean},
};

/** gamma and beta. */
export const AFFINE_PARAMETERS: readonly ParameterDescription[] = [
  {
    name: 'gamma',
    option: 'gamma',
    initializer: 'ones',
    learns: true,
    when: {option: 'scale', is: true},
  },
  {
    name: 'beta',
    option: 'beta',
    initializer: 'zeros',
    learns: true,
    when: {option: 'center', is: true},
  },
];
