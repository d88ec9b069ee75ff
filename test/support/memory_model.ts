import * as tf from '@tensorflow/tfjs';

/** Returns the artifacts that `model.save` would write. */
export async function artifactsOf(
  model: tf.LayersModel,
  config?: tf.io.SaveConfig,
): Promise<tf.io.ModelArtifacts> {
  let kept: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler((artifacts) => {
    kept = artifacts;
    return Promise.resolve({
      modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts),
    });
  });
  await model.save(handler, config);
  return kept;
}

/** Saves the model and loads it again, in memory. */
export async function reload(model: tf.LayersModel): Promise<tf.LayersModel> {
  return tf.loadLayersModel(tf.io.fromMemory(await artifactsOf(model)));
}
