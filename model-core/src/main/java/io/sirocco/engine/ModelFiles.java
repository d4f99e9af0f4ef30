package io.sirocco.engine;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralWeights;
import io.sirocco.sampling.GenerationOptions;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model's folder, opened and checked: mapped, nothing read yet.
 *
 * @param head the classifier's weight, or the language model's, as the task needs; none to embed,
 *     nor where each adapter brings the classifier's, and the model has none or no row would use it
 * @param classifies whether it is the classifier's
 * @param adapters that rows can have
 */
record ModelFiles(
    Checkpoint checkpoint,
    MistralConfig config,
    MistralWeights weights,
    Optional<Tensor> head,
    boolean classifies,
    AdapterFiles adapters) {
  private static final String GENERATION_CONFIG = "generation_config.json";

  /** Where transformers looks for classes that a folder brings along. */
  private static final String OWN_CODE = "auto_map";

  static ModelFiles open(EngineOptions options) {
    return of(Checkpoint.open(Path.of(options.model())), options);
  }

  /** Of a checkpoint that is open already. */
  static ModelFiles of(Checkpoint checkpoint, EngineOptions options) {
    MistralConfig config =
        MistralConfig.parse(checkpoint.config(), checkpoint.configFile().toString());
    MistralWeights weights = MistralWeights.of(checkpoint, config);
    boolean classifies = options.task() instanceof Task.Classify;
    AdapterFiles adapters = AdapterFiles.open(options, config);
    return new ModelFiles(
        checkpoint, config, weights, head(options, weights, adapters), classifies, adapters);
  }

  private static Optional<Tensor> head(
      EngineOptions options, MistralWeights weights, AdapterFiles adapters) {
    if (options.task() instanceof Task.Embed) {
      return Optional.empty();
    }
    if (options.task() instanceof Task.Classify) {
      // The model's own may have other labels than those that its adapter was trained with.
      boolean unused = adapters.haveEveryRow() || !weights.classifies();
      return adapters.allClassify() && unused ? Optional.empty() : Optional.of(weights.score());
    }
    return Optional.of(weights.lmHead());
  }

  /** Whether the model can do the task by itself: only a classifier's head comes with adapters. */
  boolean answersWithoutAdapter() {
    return !classifies || head.isPresent();
  }

  /** Those that the keys and values of a prefix can be of: each adapter, and the model itself. */
  int variants() {
    boolean plain = answersWithoutAdapter() && !adapters.haveEveryRow();
    return adapters.adapters().size() + (plain ? 1 : 0);
  }

  /** The language model's head, where the task needs it. */
  Optional<Tensor> languageHead() {
    return classifies ? Optional.empty() : head;
  }

  /**
   * What the model's publisher sets: generation_config.json; without one, what config.json says, as
   * transformers 5 does.
   */
  GenerationOptions generation() {
    Path folder = checkpoint.folder();
    return checkpoint
        .json(GENERATION_CONFIG)
        .map(json -> GenerationOptions.fromJson(json, folder.resolve(GENERATION_CONFIG).toString()))
        .orElseGet(
            () ->
                GenerationOptions.fromJson(
                    checkpoint.config(), checkpoint.configFile().toString()));
  }

  /** That a folder brings code of its own, which nothing here executes; for people. */
  static Optional<String> ownCode(Checkpoint checkpoint) {
    return checkpoint.config().hasNonNull(OWN_CODE)
        ? Optional.of(
            "config.json names code of the folder's own (auto_map), which is not executed: the model"
                + " runs as transformers' own Mistral")
        : Optional.empty();
  }
}
