import type {serialization, Tensor} from '@tensorflow/tfjs-core';
import type {LayerVariable, Shape} from '@tensorflow/tfjs-layers';
import {checkEpsilon} from '../ops/norm_options.js';
import {NormLayer} from './norm_layer.js';
import {
  type Constraint,
  type Initializer,
  type ObjectOption,
  parseConstraint,
  parseInitializer,
  parseRegularizer,
  type Regularizer,
  serializeObject,
} from './objects.js';
import {checkBoolean, type LayerArgs} from './options.js';

/** Options of the layers that scale by gamma and shift by beta. */
export interface AffineArgs extends LayerArgs {
  /** Added to the variance before its root is taken. Above 0. Defaults to 1e-3. */
  epsilon?: number;
  /** Whether beta is added. Defaults to true. */
  center?: boolean;
  /** Whether the result is multiplied by gamma. Defaults to true. */
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

/** The same, complete. */
export interface AffineOptions {
  epsilon: number;
  center: boolean;
  scale: boolean;
  betaInitializer: ObjectOption<Initializer>;
  gammaInitializer: ObjectOption<Initializer>;
  betaRegularizer: ObjectOption<Regularizer> | null;
  gammaRegularizer: ObjectOption<Regularizer> | null;
  betaConstraint: ObjectOption<Constraint> | null;
  gammaConstraint: ObjectOption<Constraint> | null;
}

export const AFFINE_DEFAULTS: Readonly<AffineOptions> = {
  epsilon: 1e-3,
  center: true,
  scale: true,
  betaInitializer: 'zeros',
  gammaInitializer: 'ones',
  betaRegularizer: null,
  gammaRegularizer: null,
  betaConstraint: null,
  gammaConstraint: null,
};

/** A layer with gamma and beta, or with one of them, or with neither. */
export abstract class AffineLayer<
  Options extends AffineOptions,
> extends NormLayer<Options> {
  protected gamma: LayerVariable | undefined;
  protected beta: LayerVariable | undefined;
  private readonly gammaMaker: ParameterMaker;
  private readonly betaMaker: ParameterMaker;

  constructor(args: LayerArgs, defaults: Options) {
    super(args, defaults);
    const {options, who} = this;
    checkEpsilon(options.epsilon, who);
    checkBoolean(options.center, 'center', who);
    checkBoolean(options.scale, 'scale', who);
    this.gammaMaker = parseMaker('gamma', options, who);
    this.betaMaker = parseMaker('beta', options, who);
  }

  /** Adds gamma and beta, as far as the layer has them. */
  protected addAffine(shape: Shape): void {
    const {scale, center} = this.options;
    this.gamma = scale
      ? this.addParameter('gamma', {shape, ...this.gammaMaker})
      : undefined;
    this.beta = center
      ? this.addParameter('beta', {shape, ...this.betaMaker})
      : undefined;
  }

  /** gamma and beta as they are now. */
  protected readAffine(): {gamma?: Tensor; beta?: Tensor} {
    return {gamma: this.gamma?.read(), beta: this.beta?.read()};
  }

  /** What a model JSON keeps of gamma and beta, under the keys of Keras. */
  protected affineConfig(): serialization.ConfigDict {
    const {gammaMaker, betaMaker, options} = this;
    return {
      epsilon: options.epsilon,
      center: options.center,
      scale: options.scale,
      betaInitializer: serializeObject(betaMaker.initializer),
      gammaInitializer: serializeObject(gammaMaker.initializer),
      betaRegularizer: serializeObject(betaMaker.regularizer),
      gammaRegularizer: serializeObject(gammaMaker.regularizer),
      betaConstraint: serializeObject(betaMaker.constraint),
      gammaConstraint: serializeObject(gammaMaker.constraint),
    };
  }
}

interface ParameterMaker {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer | null;
  readonly constraint: Constraint | null;
}

function parseMaker(
  name: 'gamma' | 'beta',
  options: AffineOptions,
  who: string,
): ParameterMaker {
  return {
    initializer: parseInitializer(
      options[`${name}Initializer`],
      `${name}Initializer`,
      who,
    ),
    regularizer: parseRegularizer(
      options[`${name}Regularizer`],
      `${name}Regularizer`,
      who,
    ),
    constraint: parseConstraint(
      options[`${name}Constraint`],
      `${name}Constraint`,
      who,
    ),
  };
}
