package io.sirocco.engine;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralWeights;
import java.nio.file.Path;

/** A classifier's folder, opened and checked: mapped, nothing read yet. */
record ModelFiles(
    Checkpoint checkpoint, MistralConfig config, MistralWeights weights, Tensor score) {

  static ModelFiles open(EngineOptions options) {
    Path folder = Path.of(options.model());
    Checkpoint checkpoint = Checkpoint.open(folder);
    MistralConfig config =
        MistralConfig.parse(checkpoint.config(), folder.resolve("config.json").toString());
    MistralWeights weights = MistralWeights.of(checkpoint, config);
    return new ModelFiles(checkpoint, config, weights, weights.score());
  }
}
